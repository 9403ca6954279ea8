import Dataflow

/// How a run is disturbed: which kinds, how often. Each seed draws a few kinds out of all, so that rare meetings of two become common.
package struct DisturbancePlan: Sendable {
    /// What strikes at random times; each with the mean time between two strikes.
    package enum Strike: CaseIterable, Sendable {
        case kill, vanish, pause, terminate, stallTask
        case killJobManager, deposeJobManager
        case breakControl, halfOpenControl, holdControl
        case breakData, halfOpenData, holdData
        case slowNetwork, badStore, fullStore
        case failReader, stepWallClock
        case requestCheckpoint, requestSavepoint
        /// Another parallelism, at times twice within moments.
        case rescale
        /// Up and down, and up again before that is done.
        case rescaleToAndFro
        /// One TaskManager more for a while.
        case join
        /// A TaskManager, or all of them, is recommended to be left, and really goes only later.
        case recommend
    }

    /// Mean time between strikes of each kind that this run has.
    package var means: [(Strike, Duration)]
    /// No strike comes before or after.
    package var from = Duration.seconds(5)
    package var until: Duration
    /// How the store behaves between strikes of `badStore`.
    package var store = StoreConditions.healthy
    /// Shares of commits and discoveries that go wrong.
    package var commitTrouble = 0.0
    package var discoveryTrouble = 0.0
    package var timerTrouble = 0.0
    /// Share of planned changes in which somebody who would only join goes before the barrier, or just after it.
    package var spoiledChanges = 0.0
    /// Share of TaskManagers that join whom no other one can reach.
    package var unreachableJoiners = 0.0
    /// Share of attempts to connect that are refused at first.
    package var connectTrouble = 0.0
    /// Only what a cluster does on purpose happens, and slowness: nobody and nothing is lost, so that nothing may restart (`PlannedChecker`).
    /// Who leaves has the time for it, and there are slots for his tasks.
    package var isPlanned = false
    /// Of a planned run: there may be no slots for the tasks of who leaves, and less time. The job may start anew then, but no restart attempt is
    /// charged: it has none.
    package var isTight = false

    package static func none(until: Duration) -> DisturbancePlan { DisturbancePlan(means: [], until: until) }

    /// What a run has in which only planned things happen.
    private static let planned: Set<Strike> = [
        .terminate, .join, .recommend, .rescale, .rescaleToAndFro, .stallTask, .holdData, .slowNetwork, .badStore, .stepWallClock, .requestCheckpoint, .requestSavepoint,
    ]

    package static func draw(_ random: inout Chance, until: Duration, isPlanned: Bool? = nil) -> DisturbancePlan {
        var plan = DisturbancePlan(means: [], until: until)
        let isDrawn = random.chance(0.2)
        plan.isPlanned = isPlanned ?? isDrawn
        let share = plan.isPlanned ? random.pick([0.4, 0.7]) : random.pick([0.15, 0.3, 0.5])
        for strike in Strike.allCases where random.chance(share) {
            if plan.isPlanned, !planned.contains(strike) { continue }
            let mean: Duration =
                switch strike {
                case .kill, .vanish, .terminate, .pause: random.duration(.seconds(40), .seconds(200))
                case .killJobManager, .deposeJobManager: random.duration(.seconds(60), .seconds(300))
                case .requestSavepoint, .rescaleToAndFro: random.duration(.seconds(60), .seconds(200))
                case .breakControl, .halfOpenControl, .breakData, .halfOpenData, .failReader: random.duration(.seconds(30), .seconds(200))
                case .holdControl, .holdData, .stallTask, .slowNetwork, .badStore, .fullStore, .stepWallClock, .requestCheckpoint, .rescale, .join, .recommend:
                    random.duration(.seconds(15), .seconds(120))
                }
            plan.means.append((strike, mean))
        }
        if random.chance(0.3) {
            plan.store.slow = 0.1
            plan.store.unavailable = random.pick([0, 0.02, 0.1])
            plan.store.requestLost = random.pick([0, 0.02, 0.1])
            plan.store.answerLost = random.pick([0, 0.02, 0.1])
            plan.store.late = random.pick([0, 0.02, 0.05])
        }
        plan.commitTrouble = random.pick([0, 0.1, 0.3])
        plan.discoveryTrouble = random.pick([0, 0.2])
        plan.timerTrouble = random.pick([0, 0.05])
        plan.connectTrouble = random.pick([0, 0.2])
        plan.spoiledChanges = random.pick([0, 0, 0.3])
        plan.unreachableJoiners = random.pick([0, 0, 0.4])
        if plan.isPlanned {
            let slow = plan.store.slow
            plan.store = .healthy
            plan.store.slow = slow
            plan.connectTrouble = 0
            plan.timerTrouble = 0
            plan.isTight = random.chance(0.25)
            // A job that must begin anew finds no other slots at times.
            if plan.isTight { plan.unreachableJoiners = 0 }
        }
        return plan
    }
}
