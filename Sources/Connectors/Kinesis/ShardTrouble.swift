import AWS
import Dataflow

/// How long trouble with a stream is borne with.
package struct KinesisPatience: Hashable, Sendable {
    /// Nothing but errors for so long is told in the log, and again each time after that.
    package var silence = Duration.seconds(20)
    /// … and for so long fails the job, which then begins anew.
    package var failures = Duration.seconds(300)
    /// Calls that are denied, or whose consumer is not there: changes of permissions take seconds. Then the job fails, for good where
    /// it was never allowed.
    package var refusals = Duration.seconds(15)

    package init() {}
    package init(silence: Duration, failures: Duration, refusals: Duration) {
        (self.silence, self.failures, self.refusals) = (silence, failures, refusals)
    }
}

/// What a shard's fetches have met since the last one that went well, and what to do about it.
struct ShardTrouble {
    enum Answer: Hashable {
        /// Try again after a part of it.
        case pause(Duration)
        /// Perhaps the shard is gone: ask.
        case ask
        case fail
        /// Nobody wants it any more.
        case end
    }

    private var count = 0
    /// When the last fetch went well, or the first that did not was begun.
    private var began: ContinuousClock.Instant
    private var told = 0
    /// Refusals without anything else between.
    private var refusedSince: ContinuousClock.Instant?

    init(since began: ContinuousClock.Instant) { self.began = began }

    func seconds(at now: ContinuousClock.Instant) -> Int64 { (now - began).components.seconds }

    /// A fetch begins.
    mutating func tries(at now: ContinuousClock.Instant) { if count == 0 { began = now } }

    /// `isNews`: it should be told.
    mutating func step(after error: AWSError, at now: ContinuousClock.Instant, _ patience: KinesisPatience) -> (Answer, isNews: Bool) {
        let since = began
        count += 1
        let isRefusal = error.kind == .denied || error.isMissingConsumer
        refusedSince = isRefusal ? refusedSince ?? now : nil
        let isNews = now - since >= patience.silence * (told + 1)
        if isNews { while now - since >= patience.silence * (told + 1), told < 1 << 20, patience.silence > .zero { told += 1 } }
        func pause(_ cap: Duration) -> Answer { .pause(min(cap, .milliseconds(200) * (1 << min(count - 1, 10)))) }
        let answer: Answer
        switch error.kind {
        case .cancelled: answer = .end
        case _ where isRefusal: answer = now - (refusedSince ?? now) < patience.refusals ? pause(.seconds(2)) : .fail
        case .notFound: answer = now - since < patience.failures ? .ask : .fail
        // Somebody else reads the shard, too; that is no failure, however long it lasts. Too many consumers are one.
        case .throttled where !error.operation.contains("RegisterStreamConsumer"): answer = pause(.seconds(5))
        // The service's clock is a little behind.
        case .request where error.message.contains("greater than the currentTimestamp"): answer = now - since < .seconds(120) ? pause(.seconds(1)) : .fail
        // A new one is asked for at once; one that has expired again is no matter of time.
        case .request where error.code == "ExpiredIteratorException" && count == 1: answer = .pause(.zero)
        case .request where error.code != "ExpiredIteratorException": answer = .fail
        case .configuration: answer = .fail
        // A conflict: the subscription of another attempt is still there, for seconds.
        case .service, .connection, .timeout, .credentials, .conflict, .throttled, .request, .denied:
            answer = now - since < patience.failures ? pause(.seconds(10)) : .fail
        }
        return (answer, isNews)
    }
}

extension AWSError {
    var isMissingConsumer: Bool { kind == .notFound && operation.contains("StreamConsumer") }
    /// A sequence number of another stream. The code is that of all wrong arguments; only the words tell.
    var isForeignPosition: Bool { code == "InvalidArgumentException" && message.contains("did not come from this stream") }
}
