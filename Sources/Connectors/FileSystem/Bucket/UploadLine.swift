import CKernels
import Glibc

/// Calls of a bucket on other threads than the task's.
package protocol UploadLine: Sendable {
    func run(_ work: @escaping @Sendable () -> Void)

    /// Work that was run and has not ended.
    var running: Int { get }

    /// Waits until `isTrue`, which work that was run makes true.
    func wait(until isTrue: () -> Bool)
}

/// A line over threads that all lines of the process share.
package final class ThreadedLine: UploadLine, @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var count = 0
    private var ended = 0

    package init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    package var running: Int { locked { count } }

    package func run(_ work: @escaping @Sendable () -> Void) {
        locked { count += 1 }
        WaitingThreads.shared.run { [self] in
            work()
            locked {
                count -= 1
                ended += 1
                pthread_cond_broadcast(changed)
            }
        }
    }

    package func wait(until isTrue: () -> Bool) {
        while true {
            let before = locked { ended }
            // Asked without the lock: it may ask `running`.
            if isTrue() { return }
            locked {
                while ended == before {
                    precondition(count > 0, "nothing that is under way could end this wait")
                    pthread_cond_wait(changed, mutex)
                }
            }
        }
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}

/// Threads for calls that wait for a bucket: as many as there is work, up to a limit; none before the first.
final class WaitingThreads: @unchecked Sendable {
    static let shared = WaitingThreads(limit: 16)

    private let limit: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var queue: [@Sendable () -> Void] = []
    private var threads = 0
    private var idle = 0

    private init(limit: Int) {
        self.limit = limit
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    func run(_ work: @escaping @Sendable () -> Void) {
        pthread_mutex_lock(mutex)
        queue.append(work)
        if idle < queue.count, threads < limit {
            threads += 1
            start()
        }
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }

    private func start() {
        var thread = pthread_t()
        let failure = pthread_create(&thread, nil, { _ in
            swiftwater_name_thread("bucket")
            WaitingThreads.shared.work()
            return nil
        }, nil)
        precondition(failure == 0, "no thread could be started: errno \(failure)")
        pthread_detach(thread)
    }

    private func work() {
        pthread_mutex_lock(mutex)
        while true {
            while queue.isEmpty {
                idle += 1
                pthread_cond_wait(changed, mutex)
                idle -= 1
            }
            let next = queue.removeFirst()
            pthread_mutex_unlock(mutex)
            next()
            pthread_mutex_lock(mutex)
        }
    }
}
