import Dataflow
import JobControl
import Testing

struct SealedJSONTests {
    private let head = Head(job: JobID(high: 1, low: 2), leaderEpoch: 41)

    @Test func whatIsSealedIsReadAgain() {
        #expect(SealedJSON.decode(Head.self, SealedJSON.encode(head)) == head)
    }

    /// Most flipped bits leave valid JSON with another number or path in it.
    @Test func everyFlippedBitAndEveryCutIsSeen() {
        let bytes = SealedJSON.encode(head)
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                #expect(SealedJSON.decode(Head.self, damaged) == nil, "bit \(bit) of byte \(index)")
            }
            #expect(SealedJSON.decode(Head.self, Array(bytes[..<index])) == nil, "cut after \(index) bytes")
        }
    }
}
