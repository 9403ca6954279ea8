import Dataflow
import Synchronization

/// What several calls on other threads came to, in order.
final class Results<Value: Sendable>: Sendable {
    private let results: Mutex<[Result<Value, StreamError>?]>

    init(count: Int) { results = Mutex(Array(repeating: nil, count: count)) }

    func put(_ index: Int, _ result: Result<Value, StreamError>) { results.withLock { $0[index] = result } }

    var isComplete: Bool { results.withLock { $0.allSatisfy { $0 != nil } } }

    /// The first that is there so far.
    var error: StreamError? {
        results.withLock { results in
            for case .failure(let error)? in results { return error }
            return nil
        }
    }

    /// Throws the first error.
    func all() throws(StreamError) -> [Value] {
        let all = results.withLock { $0 }
        var values: [Value] = []
        for result in all {
            guard let result else { preconditionFailure("asked for before all were there") }
            values.append(try result.get())
        }
        return values
    }
}

/// An error that one thread meets and another one has to report.
final class Trouble: Sendable {
    private let first = Mutex<StreamError?>(nil)

    var error: StreamError? { first.withLock { $0 } }

    func note(_ error: StreamError) { first.withLock { if $0 == nil { $0 = error } } }
}
