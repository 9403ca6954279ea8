import Dataflow

/// A small file's object on its way.
final class SmallUpload: Sendable {
    private let part: SmallPart
    private let bucket: any Bucket
    private let line: any UploadLine
    private let sent = Results<Void>(count: 1)

    init(_ part: SmallPart, _ bucket: any Bucket, _ line: any UploadLine) {
        self.part = part
        self.bucket = bucket
        self.line = line
    }

    /// Does not wait.
    func begin(_ bytes: [UInt8]) { line.run { [self] in put(bytes) } }

    private func put(_ bytes: [UInt8]) {
        do throws(BucketError) {
            try bucket.put(part.key, bytes)
            sent.put(0, .success(()))
        } catch {
            sent.put(0, .failure(error.streamError))
        }
    }

    /// Waits until it is there.
    func committable(_ checkpoint: CheckpointID) throws(StreamError) -> Committable {
        line.wait { sent.isComplete }
        _ = try sent.all()
        var part = part
        part.file.checkpoint = checkpoint
        return part.committable
    }

    /// No checkpoint can name it.
    func abandon() { line.run { [self] in try? bucket.delete(part.key) } }
}
