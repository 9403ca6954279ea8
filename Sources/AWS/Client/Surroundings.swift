import Glibc
import NIOPosix

/// Everything that AWS code takes from outside itself, so that tests can give it something else.
package struct Surroundings: Sendable {
    /// An environment variable; an empty one counts as none.
    package var variable: @Sendable (String) -> String?
    /// A file's content; nil when it cannot be read.
    package var file: @Sendable (String) -> [UInt8]?
    package var open: @Sendable (HTTPRequest) async throws(HTTPFailure) -> HTTPAnswer
    package var now: @Sendable () -> UnixTime
    /// Since some moment; never falls.
    package var elapsed: @Sendable () -> Duration
    /// Returns early when the task is cancelled.
    package var sleep: @Sendable (Duration) async -> Void
    /// From 0 up to 1.
    package var random: @Sendable () -> Double

    /// Runs a command of the shell; its exit code and what it wrote to standard output.
    package var run: @Sendable (String) async -> (code: Int32, output: [UInt8])

    package init(
        variable: @escaping @Sendable (String) -> String?, file: @escaping @Sendable (String) -> [UInt8]?,
        open: @escaping @Sendable (HTTPRequest) async throws(HTTPFailure) -> HTTPAnswer, now: @escaping @Sendable () -> UnixTime,
        elapsed: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async -> Void, random: @escaping @Sendable () -> Double,
        run: @escaping @Sendable (String) async -> (code: Int32, output: [UInt8]) = { _ in (127, []) }
    ) {
        self.run = run
        (self.variable, self.file, self.open, self.now, self.elapsed, self.sleep, self.random) = (variable, file, open, now, elapsed, sleep, random)
    }

    /// This process, its files and network.
    package static let machine: Surroundings = {
        let start = ContinuousClock.now
        return Surroundings(
            variable: { name in getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } },
            file: { read($0) },
            open: { (request: HTTPRequest) async throws(HTTPFailure) in try await HTTPTransport.open(request) },
            now: { .now() },
            elapsed: { ContinuousClock.now - start },
            sleep: { try? await Task.sleep(for: $0) },
            random: { .random(in: 0..<1) },
            run: { command in (try? await NIOThreadPool.singleton.runIfActive { capture(command) }) ?? (127, []) })
    }()

    func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        try await open(request).collected(limitBytes: request.answerLimitBytes)
    }
}

private func capture(_ command: String) -> (code: Int32, output: [UInt8]) {
    // `e`: no other child of this process inherits the pipe.
    guard let pipe = popen(command, "re") else { return (127, []) }
    let output = bytes(of: pipe) ?? []
    let status = pclose(pipe)
    return (status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F, output)
}

private func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    return bytes(of: file)
}

private func bytes(of file: UnsafeMutablePointer<FILE>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&buffer, 1, buffer.count, file)
        if count == 0 { return ferror(file) == 0 ? bytes : nil }
        bytes += buffer[..<count]
    }
}
