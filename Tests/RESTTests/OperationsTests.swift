import Dataflow
import REST
import Testing

/// Savepoints and stops, asked for by an id that the client gives.
struct OperationsTests {
    private let operations = Operations()
    private let first = Operations.Key(job: JobID(high: 1, low: 1), isCheckpoint: false, trigger: JobID(high: 7, low: 7))

    @Test func whoAsksAgainBeginsNothingAndHearsOfTheFirst() {
        #expect(operations.begin(first))
        #expect(!operations.begin(first))
        operations.end(first, .completed(path: "/s/savepoint-1"))
        #expect(!operations.begin(first))
        #expect(operations.tell(first) == .completed(path: "/s/savepoint-1"))
    }

    @Test func theSameIdOfAnotherJobOrOfACheckpointIsAnotherOperation() {
        #expect(operations.begin(first))
        var (elsewhere, checkpoint) = (first, first)
        elsewhere.job = JobID(high: 1, low: 2)
        checkpoint.isCheckpoint = true
        for other in [elsewhere, checkpoint] {
            #expect(operations.tell(other) == nil)
            #expect(operations.begin(other))
        }
        operations.end(first, .failed("no"))
        #expect(operations.tell(elsewhere) == .inProgress && operations.tell(checkpoint) == .inProgress)
    }
}
