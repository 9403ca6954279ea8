import Glibc

/// A failed system call: its name, its path, and `errno` as it was.
struct CallFailed: Error {
    let code: Int32
    let call: String
    let path: String

    init(_ call: String, _ path: String) {
        self.code = errno
        self.call = call
        self.path = path
    }

    /// For failures that no key explains. ENOENT and EEXIST have meanings that only the caller knows.
    var storeError: StoreError {
        let words = "\(call) \(path): \(String(cString: strerror(code)))"
        return switch code {
        case ENOSPC, EDQUOT: .full(words)
        case EACCES, EPERM, EROFS: .denied(words)
        case ENOTDIR, ELOOP, ENAMETOOLONG: .invalidURI(words)  // A path that leads nowhere: who configured it can mend it.
        case EIO, ESTALE, ETIMEDOUT, EMFILE, ENFILE, ENOMEM, EBUSY, EAGAIN: .unavailable(words, retry: true)
        default: .unavailable(words, retry: false)
        }
    }
}

/// An open file that is closed when it goes out of scope (and any `flock` on it with it).
struct OpenFile: ~Copyable {
    let descriptor: Int32
    let path: String

    init(_ path: String, flags: Int32, mode: mode_t = 0o644) throws(CallFailed) {
        descriptor = retrying { open(path, flags | O_CLOEXEC, mode) }
        self.path = path
        if descriptor < 0 { throw CallFailed("open", path) }
    }

    deinit { close(descriptor) }

    borrowing func status() throws(CallFailed) -> stat {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw CallFailed("fstat", path) }
        return status
    }

    borrowing func writeAll(_ bytes: [UInt8]) throws(CallFailed) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                retrying { write(descriptor, raw.baseAddress! + written, raw.count - written) }
            }
            if count < 0 { throw CallFailed("write", path) }
            written += count
        }
    }

    /// Bytes `from ..< from + count`, fewer when the file ends before.
    borrowing func read(from: Int, count: Int) throws(CallFailed) -> [UInt8] {
        var failed: CallFailed?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let got = retrying { pread(descriptor, buffer.baseAddress! + filled, count - filled, from + filled) }
                if got < 0 { failed = CallFailed("read", path) }
                if got <= 0 { return }
                filled += got
            }
        }
        if let failed { throw failed }
        return bytes
    }

    borrowing func sync() throws(CallFailed) {
        if retrying({ fsync(descriptor) }) != 0 { throw CallFailed("fsync", path) }
    }

    /// Waits until no other open file holds the lock; other threads of this process count as others.
    borrowing func lock() throws(CallFailed) {
        if retrying({ flock(descriptor, LOCK_EX) }) != 0 { throw CallFailed("flock", path) }
    }

    borrowing func tryLock() -> Bool {
        retrying { flock(descriptor, LOCK_EX | LOCK_NB) } == 0
    }
}

/// Calls again while a signal interrupts.
private func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
