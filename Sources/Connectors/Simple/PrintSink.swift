import Columnar
import Dataflow
import Glibc

/// Prints rows as Flink does: `prefix:1> +I[ABCD, 987.0]`, to standard output or standard error of the process that writes.
package struct PrintSink: Sink {
    private let identifier: String
    private let descriptor: Int32

    init(_ spec: SinkSpec) throws(StreamError) {
        let options = Options(spec.table, spec.options)
        identifier = options.string("print-identifier") ?? ""
        descriptor = try options.flag("standard-error", default: false) ? STDERR_FILENO : STDOUT_FILENO
    }

    package func makeWriter(_ context: WriterContext) throws(StreamError) -> any SinkWriter {
        var prefix = identifier
        if context.parallelism > 1 { prefix += (prefix.isEmpty ? "" : ":") + "\(context.task.subtask.index + 1)" }
        return Writer(prefix: prefix.isEmpty ? "" : prefix + "> ", descriptor: descriptor)
    }

    package func commit(_ committables: [Committable]) throws(StreamError) {}

    /// One line of a row: `+I[a, 1]`; timestamps as Java prints them.
    package static func line(_ batch: Batch, _ row: Int) -> String {
        batch.kind(row).symbol + "[" + batch.columns.map { ValueString.of($0, row, standard: .iso8601) }.joined(separator: ", ") + "]"
    }

    private final class Writer: SinkWriter {
        private let prefix: String
        private let descriptor: Int32
        private let text = TextBuffer()

        init(prefix: String, descriptor: Int32) {
            self.prefix = prefix
            self.descriptor = descriptor
        }

        func write(_ batch: Batch, at now: Now) throws(StreamError) {
            for row in 0..<batch.count { text.append(prefix + PrintSink.line(batch, row) + "\n") }
            var from = 0
            while from < text.count {
                let count = Glibc.write(descriptor, text.pointer + from, text.count - from)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    let place = descriptor == STDOUT_FILENO ? "standard output" : "standard error"
                    throw StreamError(.externalSystem, retry: true, "printing to \(place): \(String(cString: strerror(errno)))")
                }
                from += count
            }
            text.count = 0
        }

        func tick(at now: Now) -> Instant? { nil }

        func prepareCommit(_ checkpoint: CheckpointID, isLast: Bool, at now: Now) -> PreparedCommit { PreparedCommit() }

        func close() {}
    }
}
