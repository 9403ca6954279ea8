import Dataflow

/// How the object store behaves at present. Shares are of operations, 0…1; every kind is drawn apart.
package struct StoreConditions: Sendable {
    package var least = Duration.milliseconds(2)
    package var most = Duration.milliseconds(30)
    /// Operations that take up to `slowMost`.
    package var slow = 0.0
    package var slowMost = Duration.seconds(8)
    /// Refused with 503 before anything happened.
    package var unavailable = 0.0
    /// The answer is lost: failed with `mayHaveHappened`, and it did happen.
    package var answerLost = 0.0
    /// The request is lost: failed with `mayHaveHappened`, and it did not happen.
    package var requestLost = 0.0
    /// Failed with `mayHaveHappened`, and it happens only later, after the answer.
    package var late = 0.0
    package var lateMost = Duration.seconds(20)
    /// Every put is refused: no room.
    package var isFull = false

    package init() {}

    package static let healthy = StoreConditions()
}
