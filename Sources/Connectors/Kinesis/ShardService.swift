import AWS
import Dataflow

/// What a source asks of its stream, where that is not the service: a simulated one.
package protocol ShardService: Sendable {
    /// In any order, behind the one of this id.
    func list(after last: String?) throws(StreamError) -> [KinesisShard]

    /// Brings the shard's records into the inbox, until its end or until the answer is called.
    func fetch(_ shard: ShardSplit, from place: ShardPlace, into inbox: ShardInbox) -> @Sendable () -> Void
}
