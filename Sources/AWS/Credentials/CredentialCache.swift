import Synchronization

/// Credentials as last obtained. They are renewed some minutes before they expire, once at a time whoever asks; when that fails, the old ones serve
/// until they have expired.
final class CredentialCache: Sendable {
    /// How long before the end newer ones are asked for.
    private static let early: Int64 = 300
    /// After a failed renewal, the old ones serve so long before the next.
    private static let pause: Int64 = 30

    private struct State {
        var current: Credentials?
        var renewal: Task<Result<Credentials, AWSError>, Never>?
        var notBefore = UnixTime(seconds: 0)
    }

    private let surroundings: Surroundings
    private let obtain: @Sendable () async throws(AWSError) -> Credentials
    private let state: Mutex<State>

    /// `fixed`: used as they are, nothing is obtained.
    init(fixed: Credentials?, surroundings: Surroundings, _ obtain: @escaping @Sendable () async throws(AWSError) -> Credentials) {
        self.surroundings = surroundings
        self.obtain = obtain
        state = Mutex(State(current: fixed))
    }

    /// `operation`: what they are for, in errors.
    func get(for operation: String) async throws(AWSError) -> Credentials {
        let now = surroundings.now()
        let step: Step = state.withLock { state in
            if let current = state.current {
                guard let expires = current.expires else { return .use(current) }
                if now.adding(Self.early) < expires || (now < state.notBefore && now < expires) { return .use(current) }
            }
            if let renewal = state.renewal { return .await(renewal) }
            let renewal = Task.detached { await self.renew() }
            state.renewal = renewal
            return .await(renewal)
        }
        switch step {
        case .use(let credentials): return credentials
        case .await(let renewal):
            switch await renewal.value {
            case .success(let credentials): return credentials
            case .failure(var error):
                if let old = state.withLock({ $0.current }), let expires = old.expires, surroundings.now() < expires { return old }
                error.operation = "\(operation): \(error.operation)"
                throw error
            }
        }
    }

    private enum Step {
        case use(Credentials)
        case await(Task<Result<Credentials, AWSError>, Never>)
    }

    private func renew() async -> Result<Credentials, AWSError> {
        let result: Result<Credentials, AWSError>
        do throws(AWSError) { result = .success(try await obtain()) } catch { result = .failure(error) }
        state.withLock { state in
            state.renewal = nil
            switch result {
            case .success(let credentials): state.current = credentials
            case .failure: state.notBefore = surroundings.now().adding(Self.pause)
            }
        }
        return result
    }

    /// A service has called these expired: the next caller gets newer ones.
    func forget(_ credentials: Credentials) {
        state.withLock { state in
            if state.current == credentials { state.current = nil }
        }
    }
}
