import NIOCore

/// The events of one SubscribeToShard call. One task reads it.
package struct KinesisSubscription {
    private let chunks: ByteChunks
    private let shard: String
    private let keys: HashKeyRange?
    private var decoder = EventStreamDecoder()

    init(_ chunks: ByteChunks, shard: String, keys: HashKeyRange?) { (self.chunks, self.shard, self.keys) = (chunks, shard, keys) }

    /// The next event with records or news of the lag; nil: the service has ended the subscription, as it does every five minutes.
    package mutating func next() async throws(AWSError) -> KinesisAnswer? {
        while true {
            let message: EventStreamDecoder.Message?
            do throws(EventStreamDecoder.Malformed) { message = try decoder.next() } catch {
                throw AWSError(.service, operation, code: "MalformedEventStream", error.reason)
            }
            if let message {
                switch message.headers[":message-type"] {
                case "event":
                    guard message.headers[":event-type"] == "SubscribeToShardEvent" else { continue }  // initial-response
                    guard let answer = KinesisAnswer(message.payload, keys: keys) else {
                        throw AWSError(.service, operation, code: "UnreadableAnswer", "an event cannot be read")
                    }
                    return answer
                default: throw refused(message)
                }
            }
            do throws(HTTPFailure) {
                guard let chunk = try await chunks.nextBuffer() else {
                    if decoder.hasRest { throw HTTPFailure(.broken, "the stream was cut off within an event", mayHaveArrived: true) }
                    return nil
                }
                decoder.append(chunk.readableBytesView)
            } catch {
                throw AWSError(error.kind == .cancelled ? .cancelled : .connection, operation, code: "StreamBroken", error.message)
            }
        }
    }

    private var operation: String { "Kinesis SubscribeToShard \(shard)" }

    private func refused(_ message: EventStreamDecoder.Message) -> AWSError {
        let type = message.headers[":exception-type"] ?? message.headers[":error-code"] ?? "UnknownException"
        let code = type.first.map { String($0).uppercased() + type.dropFirst() } ?? type
        let words = (JSON(message.payload)?["message"] ?? JSON(message.payload)?["Message"])?.text ?? message.headers[":error-message"] ?? ""
        let kind: AWSError.Kind =
            switch code {
            case "ResourceNotFoundException": .notFound
            case "ResourceInUseException": .conflict
            case "KMSThrottlingException", "LimitExceededException": .throttled
            case "KMSAccessDeniedException", "AccessDeniedException": .denied
            case "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException", "KMSOptInRequired": .configuration
            default: .service
            }
        var error = AWSError(kind, operation, code: code, words)
        // The subscription had begun.
        error.wasAllowed = kind == .denied
        return error
    }
}
