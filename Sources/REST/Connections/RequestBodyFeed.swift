import Hummingbird
import NIOCore

/// A request's body on its way from the connection to whoever reads it, 64 KiB or a little more of it at a time. Belongs to the connection's event loop.
final class RequestBodyFeed {
    private typealias Strategy = NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark
    private typealias Producer = NIOThrowingAsyncSequenceProducer<ByteBuffer, any Error, Strategy, Delegate>

    private struct Delegate: NIOAsyncSequenceProducerDelegate {
        let loop: any EventLoop
        let wantsMore: @Sendable () -> Void

        func produceMore() { loop.execute(wantsMore) }
        func didTerminate() { loop.execute(wantsMore) }
    }

    private let source: Producer.Source
    /// The reader has enough for now.
    private(set) var isFull = false

    private init(_ source: Producer.Source) { self.source = source }

    /// `wantsMore`: called on the loop when the reader has room again, or reads no more.
    static func make(on loop: any EventLoop, wantsMore: @escaping @Sendable () -> Void) -> (RequestBodyFeed, RequestBody) {
        let place = NIOLoopBoundBox<RequestBodyFeed?>(nil, eventLoop: loop)
        let sequence = Producer.makeSequence(
            backPressureStrategy: Strategy(lowWatermark: 2, highWatermark: 8), finishOnDeinit: true,
            delegate: Delegate(loop: loop) {
                place.value?.isFull = false
                wantsMore()
            })
        let feed = RequestBodyFeed(sequence.source)
        place.value = feed
        return (feed, RequestBody(asyncSequence: sequence.sequence))
    }

    func put(_ bytes: ByteBuffer) {
        if case .stopProducing = source.yield(bytes) { isFull = true }
    }

    func end() { source.finish() }
    func fail(_ error: any Error) { source.finish(error) }
}
