import Dataflow
import Glibc

/// A queue with many writers and one reader, which sleeps while it is empty. Waking costs a system call only when the reader sleeps.
///
/// Bounded by what is posted: data by credits, control messages by the protocol; so it has no bound of its own.
package final class Mailbox<Message: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var messages: [Message] = []
    private var isSleeping = false
    private var isPoked = false

    package init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func post(_ message: Message) {
        pthread_mutex_lock(mutex)
        messages.append(message)
        let wake = isSleeping
        isSleeping = false
        pthread_mutex_unlock(mutex)
        if wake { pthread_cond_signal(condition) }
    }

    /// Ends a sleep without a message: there is something to look at elsewhere.
    package func poke() {
        pthread_mutex_lock(mutex)
        isPoked = true
        let wake = isSleeping
        isSleeping = false
        pthread_mutex_unlock(mutex)
        if wake { pthread_cond_signal(condition) }
    }

    /// Swaps everything that was posted into `target` (which must be empty). Sleeps until `deadline` while there is nothing; nil: does not sleep.
    package func take(into target: inout [Message], sleepingUntil deadline: Instant?) {
        pthread_mutex_lock(mutex)
        if let deadline {
            while messages.isEmpty && !isPoked {
                isSleeping = true
                if deadline == .distantFuture {
                    pthread_cond_wait(condition, mutex)
                } else {
                    var time = timespec(tv_sec: Int(deadline.nanoseconds / 1_000_000_000), tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
                    if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT { break }
                }
            }
            isSleeping = false
        }
        isPoked = false
        swap(&messages, &target)
        pthread_mutex_unlock(mutex)
    }
}
