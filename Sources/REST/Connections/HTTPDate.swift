import Glibc
import Synchronization

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
enum HTTPDate {
    private static let last = Mutex<(seconds: time_t, text: String)>((-1, ""))

    static func now() -> String {
        var seconds = time(nil)
        return last.withLock { last in
            if last.seconds == seconds { return last.text }
            var fields = tm()
            gmtime_r(&seconds, &fields)
            let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { bytes in
                // Nobody sets a locale here: the names are English.
                _ = strftime(bytes.baseAddress!, bytes.count, "%a, %d %b %Y %H:%M:%S GMT", &fields)
                return String(cString: bytes.baseAddress!)
            }
            last = (seconds, text)
            return text
        }
    }
}
