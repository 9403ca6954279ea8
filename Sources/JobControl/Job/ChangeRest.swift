import Dataflow

/// The pause after a change that could not be.
struct ChangeRest {
    let since: Instant
    let until: Instant

    static let first = Duration.milliseconds(500)

    /// When the next change may be planned. `isInHaste`: somebody has just the time for a checkpoint left. One that failed only once is tried
    /// again almost at once then.
    func ends(isInHaste: Bool) -> Instant { isInHaste && until - since <= Self.first ? since + .milliseconds(200) : until }
}
