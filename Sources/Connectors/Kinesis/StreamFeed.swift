import AWS
import Columnar
import Dataflow

/// Puts lines of text into a stream, each as a record with a random key: for generators. One thread uses it.
package final class StreamFeed {
    private let stream: String
    private let lanes: [PutLane]
    private var turn = 0
    private var chance = SystemRandomNumberGenerator()

    /// Throws when there is no such stream, or when it may not be looked at. Waits for networks.
    package init(stream: String, region: String?, endpoint: String?) throws(StreamError) {
        var options = [stream.hasPrefix("arn:") ? "stream.arn" : "stream": stream]
        options["aws.region"] = region
        options["aws.endpoint"] = endpoint
        let table = try KinesisTable(Options("datagen", options))
        let client = table.client
        do throws(AWSError) {
            _ = try Blocking.wait { () async throws(AWSError) in try await client.describe() }
        } catch { throw StreamFeed.error(error, stream) }
        self.stream = stream
        lanes = (0..<4).map { _ in
            PutLane(PutLane.Limits(keepsOrder: false)) { (entries: [KinesisEntry]) async throws(StreamError) -> [String?] in
                do throws(AWSError) {
                    return try await client.putRecords(entries).map { $0.map { "\($0.code): \($0.message)" } }
                } catch { throw StreamFeed.error(error, stream) }
            }
        }
    }

    private static func error(_ error: AWSError, _ stream: String) -> StreamError {
        let isUsers = error.kind == .notFound || error.kind == .configuration || error.kind == .request
        return StreamError(isUsers ? .user : .externalSystem, retry: error.retryable, "stream \(stream): \(error)")
    }

    /// The lines of `text`, all ended by newlines. Waits when the stream takes them more slowly than they come.
    package func take(_ text: TextBuffer) throws(StreamError) {
        var entries: [KinesisEntry] = []
        var from = 0
        for at in 0..<text.count where text.pointer[at] == 0x0A {
            let data = Array(UnsafeBufferPointer(start: text.pointer + from, count: at - from))
            entries.append(KinesisEntry(data: data, partitionKey: String(chance.next(), radix: 16)))
            from = at + 1
        }
        guard !entries.isEmpty else { return }
        turn = (turn + 1) % lanes.count
        lanes[turn].add(entries)
        // Small helpings go at once: a generator's rate is a rate of arrival.
        _ = lanes[turn].flush()
        for lane in lanes where !lane.hasRoom { try Blocking.wait { () async throws(StreamError) in try await lane.room() } }
    }

    /// Waits until everything is in the stream.
    package func finish() throws(StreamError) {
        for lane in lanes {
            let through = lane.flush()
            try Blocking.wait { () async throws(StreamError) in try await lane.finished(through: through) }
        }
    }
}
