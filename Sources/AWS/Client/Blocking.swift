import Glibc
import Synchronization

/// The bridge from threads that may wait to calls that are asynchronous. Never for event loops or Swift's own threads: they are few, and the call needs them.
package enum Blocking {
    /// Waits for `work`, on another thread's time.
    package static func wait<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () async throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let box = Box<Value, Failure>()
        Task.detached {
            do throws(Failure) { box.put(.success(try await work())) } catch { box.put(.failure(error)) }
        }
        return try box.take().get()
    }

    private final class Box<Value: Sendable, Failure: Error>: Sendable {
        private let result = Mutex<Result<Value, Failure>?>(nil)
        private let semaphore: Semaphore

        init() { semaphore = Semaphore() }

        func put(_ value: Result<Value, Failure>) {
            result.withLock { $0 = value }
            semaphore.post()
        }

        func take() -> Result<Value, Failure> {
            semaphore.wait()
            guard let value = result.withLock({ $0 }) else { preconditionFailure("posted without a result") }
            return value
        }
    }

    /// `sem_t` at one address. Its own calls make it safe to share.
    private final class Semaphore: @unchecked Sendable {
        private let raw = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

        init() { sem_init(raw, 0, 0) }

        deinit {
            sem_destroy(raw)
            raw.deallocate()
        }

        func post() { sem_post(raw) }
        func wait() { while sem_wait(raw) != 0 {} }
    }
}
