import Dataflow
import FoundationEssentials
import JobControl
import Testing

struct SealedJSONTests {
    private let head = Head(job: JobID(high: 1, low: 2), leaderEpoch: 41)

    @Test func whatIsSealedIsReadAgain() {
        #expect(SealedJSON.decode(Head.self, SealedJSON.encode(head)) == head)
    }

    /// Whoever reads an older one, or writes one with other tools, finds the same bytes.
    @Test func theBytesAreThoseOfFoundationsEncoder() throws {
        let odd = "a/b\\c \"d\" \u{1}\u{8}\u{9}\u{a}\u{c}\u{d}\u{1f}\u{7f} é漢😀"
        var head = head
        head.started = -7
        head.nonce = .max
        head.outcome = odd
        head.layout = Layout(
            epoch: 3, attempt: 2,
            vertices: [
                Layout.Vertex(slots: [Layout.Slot(worker: WorkerID("tm-1"), index: 0), nil], owners: [0, 1, 0xffff], attempts: [1, 2]),
                Layout.Vertex(slots: [], owners: []),
            ])
        head.retained = [Head.Retained(checkpoint: 4, kind: .checkpoint, manifest: "x/chk-4/_metadata", objects: [odd, ""])]
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let plain = Array(try encoder.encode(head))
        let sealed = SealedJSON.encode(head)
        #expect(Array(sealed[(sealed.count - plain.count - 1)..<(sealed.count - 1)]) == plain)

        let splits = [SplitState(split: Split(id: "s", label: odd, payload: [0, 255]), position: [7, 8], watermark: .min)]
        let list = Array(try encoder.encode(splits))
        #expect(Array(SealedJSON.encode(splits).suffix(list.count + 1).dropLast()) == list)
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
