/// A way to break a machine on purpose, so that the simulator's checkers are seen to catch it (docs/simulation.md). Only simulations
/// give any; where one is asked for, the line beside it is the rule that it breaks.
package enum SeededFault: String, CaseIterable, Sendable {
    // The task
    case alignerDoesNotBlock, alignerIgnoresAChannel, mergerTakesTheGreatest, creditsGrantedTwice, barriersOvertakeRows
    case abortedFilesForgotten, operatorsStartEmpty, sourceOneSnapshotBehind, finishedSplitsDroppedEarly
    // A task in a planned change
    case movedStateForgotten, movedSplitsUnawaited, rowsToOldOwners, changesSinceCopyForgotten
    case stateTakenEarly, retiredFilesForgotten, droppedCopiesKept, followersDeclareAsBefore
    // The JobManager
    case commitsOnAcknowledged, completedBeforeHead, manifestWithoutAllParts, commitsAskedForOnce
    case restoresUnpublished, restoresWhilePublishing, splitsForgotten, deletesBeforeHead, pendingObjectsSwept
    case liveWorkersCondemned, unknownOutcomeIsSuccess
    case noticesAreFailures, leaversGoBeforeHead
    // Files in a bucket
    case tailsForgotten, partsContinued, openUploadsAborted, filesShownEarly, mergesUnplanned
    // A stream that is resharded
    case childrenBeforeParents, oneParentIsEnough, lastRecordReadAgain, fetchedCountsAsRead, childrenAnywhere, endsForgotten

    /// Those that only jobs with the real connectors can show.
    package static let ofConnectors: Set<SeededFault> = [
        .tailsForgotten, .partsContinued, .openUploadsAborted, .filesShownEarly, .mergesUnplanned, .childrenBeforeParents, .oneParentIsEnough,
        .lastRecordReadAgain, .fetchedCountsAsRead, .childrenAnywhere, .endsForgotten,
    ]
}
