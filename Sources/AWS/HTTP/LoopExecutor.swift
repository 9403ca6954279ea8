import NIOCore
import NIOPosix
import Synchronization

/// Runs tasks on the threads that carry their connections' bytes: a call that waits for its answer then wakes no other thread, which is
/// most of what a small call costs. For work that is done in a few milliseconds and never blocks; connections wait meanwhile.
package final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop
    let lines: LoopLines

    private init(_ loop: any EventLoop) { (self.loop, lines) = (loop, LoopLines(loop)) }

    /// One for each of the threads that `HTTPTransport` uses.
    private static let all: [LoopExecutor] = MultiThreadedEventLoopGroup.singleton.makeIterator().map { LoopExecutor($0) }
    private static let turn = Atomic<Int>(0)

    /// One after the other.
    package static func next() -> LoopExecutor { all[turn.wrappingAdd(1, ordering: .relaxed).oldValue % all.count] }

    /// The thread that calls is its own.
    var isCurrent: Bool { loop.inEventLoop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    /// Pauses of many tasks end together, this far apart.
    private static let tick = TimeAmount.milliseconds(52)

    /// A little longer than `duration`: until the next moment at which others wake up, too, since the first of several calls in a row costs
    /// twice what the others do (what it needs has left the processor's caches). Returns early when the task is cancelled.
    package func rest(atLeast duration: Duration) async {
        let end = NIODeadline.now() + TimeAmount(duration)
        let past = Int64(end.uptimeNanoseconds % UInt64(Self.tick.nanoseconds))
        await sleep(until: past == 0 ? end : end + .nanoseconds(Self.tick.nanoseconds - past))
    }

    /// Returns early when the task is cancelled.
    package func sleep(for duration: Duration) async { await sleep(until: .now() + TimeAmount(duration)) }

    private func sleep(until end: NIODeadline) async {
        let alarm = Alarm()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                alarm.set(continuation, loop.scheduleTask(deadline: end) { alarm.ring() })
            }
        } onCancel: {
            alarm.ring()
        }
    }

    /// Rings once: at its time, or before.
    private final class Alarm: Sendable {
        private enum State {
            case unset, rung
            case set(CheckedContinuation<Void, Never>, Scheduled<Void>)
        }

        private let state = Mutex(State.unset)

        func set(_ continuation: CheckedContinuation<Void, Never>, _ scheduled: Scheduled<Void>) {
            let hasRung = state.withLock { state in
                if case .rung = state { return true }
                state = .set(continuation, scheduled)
                return false
            }
            if hasRung {
                scheduled.cancel()
                continuation.resume()
            }
        }

        func ring() {
            let before = state.withLock { state in
                defer { state = .rung }
                return state
            }
            guard case .set(let continuation, let scheduled) = before else { return }
            scheduled.cancel()
            continuation.resume()
        }
    }
}
