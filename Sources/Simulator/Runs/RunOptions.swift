import Dataflow

/// How runs are made; the same for all seeds of a report.
package struct RunOptions: Sendable {
    /// Cluster time over which the input comes; disturbances stop shortly before its end.
    package var minutes = 10
    package var taskManagers = 3
    package var kinds = SimulatedJob.Kind.usual
    package var isDisturbed = true
    /// Whether only planned things happen (`DisturbancePlan.isPlanned`); nil: the seed says so.
    package var isPlanned: Bool?
    /// Whether every machine checks its own invariants after each event.
    package var checksInvariants = true
    package var traces = false
    package var printsTrace = false
    package var fault: SeededFault?

    package init() {}
}
