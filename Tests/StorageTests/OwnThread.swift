import Glibc

/// Runs `body` on a thread of its own: stores block, and Swift's own threads are few and needed by what the stores wait for.
func onOwnThread(_ body: @Sendable @escaping () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
        let work = Unmanaged.passRetained(Story { done.resume(with: Result { try body() }) })
        var thread = pthread_t()
        pthread_create(&thread, nil, { argument in
            Unmanaged<Story>.fromOpaque(argument!).takeRetainedValue().body()
            return nil
        }, work.toOpaque())
        pthread_detach(thread)
    }
}

private final class Story: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
