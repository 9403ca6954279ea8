import JobControl
import TaskRuntime

/// The (state, event) pairs that the machines can meet, and why some never come up in a simulation.
package enum Coverage {
    /// As the machines' `coverage` names them: `running × stored` of a job, `link.registered/timer` and `job.running/trigger` of a TaskManager.
    package static var pairs: [String] { JobManagerMachine.allPairs + WorkerMachine.pairs }

    /// Nil: nothing excuses that the pair never happened.
    package static func reason(_ pair: String) -> String? {
        let parts = pair.split(separator: pair.contains(" × ") ? " × " : "/", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let (state, event) = (String(parts[0]), String(parts[1]))
        for excuse in excuses where matches(excuse.states, state) && matches(excuse.events, event) { return excuse.reason }
        return nil
    }

    private struct Excuse {
        /// Names separated by blanks; `*` is any.
        var states: String
        var events: String
        var reason: String
    }

    private static func matches(_ names: String, _ name: String) -> Bool { names == "*" || names.split(separator: " ").contains { $0 == name } }

    /// Every one of these pairs is met by hand in the machines' own tests.
    private static let excuses = [
        // A job at the JobManager.
        Excuse(
            states: "claiming reading waitingForSlots publishingLayout deploying running restarting finishing ending ended suspended",
            events: "begin", reason: "a job begins once"),
        Excuse(states: "created", events: "*", reason: "the first thing a job is told is to begin, and it leaves the state with it"),
        Excuse(states: "*", events: "cancel", reason: "the job of a run must finish"),
        Excuse(
            states: "claiming reading",
            events: "workerLeaving taskFailed splitFinished discovered acknowledged declined committed commitFailed metrics deployed checkpoint",
            reason: "nothing that this leader deployed runs, and it has not looked for splits"),
        Excuse(
            states: "waitingForSlots publishingLayout deploying", events: "splitFinished acknowledged declined committed commitFailed",
            reason: "the old attempt has ended and the new one has not started: only what was long on its way"),
        Excuse(
            states: "finishing ending",
            events: """
                slotsChanged workerLost workerLeaving deployed stopped taskEnded taskFailed needsSplits splitFinished discovered acknowledged \
                declined committed commitFailed checkpoint metrics timer
                """,
            reason: "lasts for milliseconds, after the cluster has healed"),
        Excuse(
            states: "ended",
            events: """
                slotsChanged workerLost workerLeaving deployed stopped taskEnded taskFailed needsSplits splitFinished discovered acknowledged \
                declined committed commitFailed checkpoint metrics timer
                """,
            reason: "nothing is disturbed once the job has ended"),
        Excuse(
            states: "suspended",
            events: """
                stored slotsChanged workerLost workerLeaving deployed stopped taskEnded taskFailed needsSplits splitFinished discovered \
                acknowledged declined committed commitFailed checkpoint metrics timer
                """,
            reason: "a deposed leader has lost its TaskManagers, and is ended soon"),
        // Planned changes.
        Excuse(
            states: "claiming reading waitingForSlots publishingLayout deploying", events: "prepared copied handedBack settled retired cannotChange withdrawn metrics requirements",
            reason: "an attempt that was changing has ended before the next one begins: only what was long on its way"),
        Excuse(
            states: "finishing ending ended suspended", events: "prepared copied handedBack settled retired cannotChange withdrawn requirements",
            reason: "a job that comes to its end is not changed"),
        Excuse(states: "restarting", events: "retired cannotChange withdrawn requirements splitFinished commitFailed", reason: "lasts for moments"),
        Excuse(
            states: "job.making job.made job.broken", events: "change prepared copyAhead copied settled conclude retired withdraw",
            reason: "only a job that runs is changed"),
        Excuse(states: "job.removing", events: "change copyAhead copied conclude retired withdraw failed", reason: "an attempt is cancelled behind everything else that it is told"),
        Excuse(
            states: "link.registering link.closing", events: "prepared retired message.change message.copyAhead message.conclude message.withdraw",
            reason: "the answer to a registration is the first message of a link; lasts for milliseconds"),
        Excuse(states: "*", events: "notHandedOver", reason: "a net below what should not be: a host knows the way to everybody when it has prepared"),
        // A TaskManager's link.
        Excuse(states: "*", events: "message.refused", reason: "all processes of a run have one version"),
        Excuse(states: "*", events: "message.turnedAway", reason: "all processes of a run have names of their own"),
        Excuse(
            states: "link.waiting link.connecting", events: "*",
            reason: "a host brings only what comes on the newest link, and there is none"),
        Excuse(
            states: "link.registering",
            events: """
                connected message.heartbeat message.deploy message.start message.cancel message.trigger message.completed \
                message.aborted message.splits message.commit message.release message.leave
                """,
            reason: "the answer to a registration is the first message of a link"),
        Excuse(
            states: "link.closing",
            events: """
                connected committed message.registered message.start message.cancel message.completed message.aborted message.splits \
                message.commit message.release message.leave leave
                """,
            reason: "lasts for a moment, after seconds of silence"),
        Excuse(states: "link.registering", events: "committed uploaded leave made removed", reason: "lasts for milliseconds"),
        Excuse(states: "job.broken", events: "peerLost", reason: "lasts for milliseconds: the JobManager ends what cannot be made"),
        Excuse(
            states: "link.registered", events: "connected message.registered",
            reason: "a host makes a link only when it is asked to, and it registers once"),
        // An attempt at a TaskManager.
        Excuse(
            states: "job.making job.made job.broken job.removing job.running", events: "deploy made start",
            reason: "an attempt is deployed, made and started once, and the next one only when this one has stopped"),
        Excuse(
            states: "job.making job.made job.broken", events: "removed trigger completed aborted splits snapshot needsSplits splitFinished ended failed uploaded",
            reason: "its tasks have not started"),
        Excuse(
            states: "job.making job.made job.broken job.removing job.running", events: "release",
            reason: "a job is released after its attempts have stopped"),
        Excuse(
            states: "job.removing", events: "trigger completed aborted splits",
            reason: "an attempt is cancelled behind everything else that it is told"),
        Excuse(states: "job.running", events: "removed", reason: "nothing is removed that was not asked for"),
    ]
}
