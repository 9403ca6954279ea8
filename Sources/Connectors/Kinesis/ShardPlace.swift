import AWS
import Dataflow

/// Where the next request for a shard's records begins.
package struct ShardPlace: Hashable, Sendable {
    package private(set) var position: KinesisPosition
    /// The record with this sequence number must come first: others show that it, and perhaps more, is gone.
    private var expected: String?

    /// A record that was given in part is asked for again; one that was given whole shows that nothing between was lost.
    package init(_ begin: ShardSplit.Begin, resuming: ShardPosition?) {
        if let resuming {
            position = .at(sequence: resuming.sequence)
            expected = resuming.sequence
            return
        }
        switch begin {
        case .trimHorizon: position = .trimHorizon
        case .timestamp(let moment): position = .timestamp(moment)
        }
    }

    /// These records came. Answers which one should have come first, when another one did.
    package mutating func took(_ block: RecordBlock) -> (expected: String, first: String)? {
        guard let first = block.firstSequence, let last = block.lastSequence else { return nil }
        defer {
            expected = nil
            position = .after(sequence: last)
        }
        guard let expected, first != expected else { return nil }
        return (expected, first)
    }

    /// A subscription has come so far. An event without records says nothing of a record that is expected.
    package mutating func goesOn(after sequence: String) { if expected == nil { position = .after(sequence: sequence) } }
}
