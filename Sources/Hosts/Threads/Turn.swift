import Synchronization

/// Hands out 0, 1, 2, … to any thread.
package final class Turn: Sendable {
    private let value = Atomic<Int>(0)

    package init() {}

    package func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
