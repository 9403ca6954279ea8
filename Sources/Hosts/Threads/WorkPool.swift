import Glibc

/// A few threads for work that waits: stores, folders, restores. They take from one queue: work is begun in the order it was given, as soon
/// as any thread is free, whatever the others wait for.
package final class WorkPool: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var queue: [@Sendable () -> Void] = []

    /// - Parameter niceness: from 0, as fair as any thread, to 19, which takes what others leave.
    package init(name: String, threads: Int, niceness: Int32 = 0) {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
        // The threads keep the pool for as long as the process lives.
        for index in 0..<threads {
            startThread(named: "\(name)-\(index)") { [self] in
                // On Linux this is the thread's alone.
                if niceness > 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
                work()
            }
        }
    }

    package func run(_ work: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        queue.append(work)
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    private func work() -> Never {
        while true {
            pthread_mutex_lock(mutex)
            while queue.isEmpty { pthread_cond_wait(condition, mutex) }
            let next = queue.removeFirst()
            pthread_mutex_unlock(mutex)
            next()
        }
    }
}
