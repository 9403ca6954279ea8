import Dataflow

/// See `promise`. Seen from outside: a receiver announces credit only for what it took, so all credit it ever gave is at most the first
/// grant plus the batches that came; a sender spends no more than it was given.
struct CreditChecker: Checker {
    static let promise = "Queued plus granted batches of a channel never pass its capacity, and no batch is sent without credit."

    private struct Channel {
        var granted = 0
        var received = 0
        var sent = 0
        var given = 0
    }

    /// Batches that a channel may have queued and granted together; all of them are granted at the start, without a word.
    private let capacity: Int
    private var channels: [ChannelID: Channel] = [:]

    init(capacity: Int) { self.capacity = capacity }

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .creditSent(let id, let batches):
            channels[id, default: Channel()].granted += Int(batches)
            let channel = channels[id, default: Channel()]
            return channel.granted > channel.received
                ? "\(id) has granted \(channel.granted + capacity) batches and received \(channel.received); its capacity is \(capacity)" : nil
        case .creditArrived(let id, let batches):
            channels[id, default: Channel()].given += Int(batches)
            return nil
        case .elementSent(let id, _, .batch):
            channels[id, default: Channel()].sent += 1
            let channel = channels[id, default: Channel()]
            return channel.sent > channel.given + capacity
                ? "\(id) sends batch \(channel.sent) with credit for \(channel.given + capacity)" : nil
        case .elementArrived(let id, .batch):
            channels[id, default: Channel()].received += 1
            return nil
        default: return nil
        }
    }
}
