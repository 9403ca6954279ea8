import Columnar

/// What an expression may know besides its rows. Constant during one batch.
package struct EvaluationContext: Sendable {
    /// Milliseconds since the epoch; what NOW() and PROCTIME() give.
    package var now: Int64
    /// The session's time zone (`table.local-time-zone`).
    package var zone: ZoneRules
    /// A number that differs for each batch: RAND() and UUID() count on from it.
    package var chance: UInt64

    package init(now: Int64, zone: ZoneRules = .utc, chance: UInt64 = 0) {
        self.now = now
        self.zone = zone
        self.chance = chance
    }
}
