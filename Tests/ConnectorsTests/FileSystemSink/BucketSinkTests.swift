import Columnar
import Connectors
import Dataflow
import Testing

@Suite struct BucketSinkTests {
    private func isExact(
        _ seed: UInt64, _ fault: MemoryBucket.Fault? = nil, merges: Bool = false, faults: Set<SeededFault> = []
    ) -> (isExact: Bool, words: String) {
        let story = BucketSinkStory(seed: seed, fault: fault, merges: merges, faults: faults)
        do {
            // An empty text is written in quotes.
            let rows = try story.run().split(separator: "\n").map { line in String(line.filter { $0 != "\"" }) }.sorted()
            return (rows == story.expected, "\(rows.count) of \(story.expected.count) rows")
        } catch {
            return (false, "\(error)")
        }
    }

    @Test func everyRowIsCommittedOnceWhateverHappens() {
        for seed in UInt64(1)...400 {
            let (isExact, words) = isExact(seed)
            #expect(isExact, "seed \(seed): \(words)")
        }
    }

    @Test func smallFilesAreMergedOnceWhateverHappens() {
        for seed in UInt64(1)...400 {
            let (isExact, words) = isExact(seed, merges: true)
            #expect(isExact, "seed \(seed): \(words)")
        }
    }

    @Test func mergingWithoutAPlanIsCaught() {
        let caught = (UInt64(1)...1000).first { !isExact($0, merges: true, faults: [.mergesUnplanned]).isExact }
        #expect(caught != nil)
    }

    @Test(arguments: MemoryBucket.Fault.allCases) func aBrokenProtocolIsCaught(fault: MemoryBucket.Fault) {
        let caught = (UInt64(1)...1000).first { !isExact($0, fault).isExact }
        #expect(caught != nil)
    }
}
