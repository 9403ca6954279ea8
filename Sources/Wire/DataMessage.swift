import Columnar
import Dataflow

/// What flows between two TaskManagers: elements one way, credits the other.
///
/// Bytes: `kind: u8 | channel (job 16, edge u16, from u16, to u16, attempt u32) | sequence: u64 | body`. Sequence numbers count the
/// elements of a channel from 0; a gap or a repetition breaks the channel. A channel that the receiver does not know (an older
/// attempt) is dropped without a word.
package enum DataMessage: Sendable {
    case element(ChannelID, sequence: UInt64, StreamElement)
    /// A piece of the state that a planned change moves from one task to another.
    case state(StateParcel)
    /// So many more batches may be sent.
    case credit(ChannelID, batches: UInt32)
}
