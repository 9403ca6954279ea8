/// Which connections to REST stay when there are many: one that waits makes room for a new one, one that is being answered does not.
///
/// So thousands of connections that say nothing cost whoever has a question nothing, also from the same address.
package struct ConnectionTable {
    package typealias ID = UInt64

    package enum Verdict: Hashable {
        case admitted
        /// The one that has waited longest makes room.
        case admittedInsteadOf(ID)
        /// All that are there are being answered.
        case refused(String)
    }

    private struct Entry {
        let address: String
        var isAnswered = false
        /// Grows with each beginning of a wait.
        var waitsSince: UInt64
        var hasAsked = false
    }

    /// At once, of all addresses and of one; from 1 on.
    private let most: Int
    private let mostOfOneAddress: Int
    private var entries: [ID: Entry] = [:]
    private var counts: [String: Int] = [:]
    private var turn: UInt64 = 0

    package init(most: Int, mostOfOneAddress: Int) {
        self.most = most
        self.mostOfOneAddress = mostOfOneAddress
    }

    package var count: Int { entries.count }

    /// Whoever makes room is forgotten at once, whoever is refused is never known.
    package mutating func opened(_ id: ID, from address: String) -> Verdict {
        let isCrowd = counts[address, default: 0] >= mostOfOneAddress
        var verdict = Verdict.admitted
        if isCrowd || entries.count >= most {
            guard let oldest = longestWaiting(of: isCrowd ? address : nil) else {
                return .refused(
                    isCrowd
                        ? "\(mostOfOneAddress) connections from \(address) are being answered already (rest.server.max-connections-per-address)"
                        : "\(most) connections are being answered already (rest.server.max-connections)")
            }
            closed(oldest)
            verdict = .admittedInsteadOf(oldest)
        }
        turn += 1
        entries[id] = Entry(address: address, waitsSince: turn)
        counts[address, default: 0] += 1
        return verdict
    }

    package mutating func asked(_ id: ID) {
        entries[id]?.isAnswered = true
        entries[id]?.hasAsked = true
    }

    package mutating func answered(_ id: ID) {
        turn += 1
        entries[id]?.isAnswered = false
        entries[id]?.waitsSince = turn
    }

    package mutating func closed(_ id: ID) {
        guard let entry = entries.removeValue(forKey: id), let count = counts[entry.address] else { return }
        counts[entry.address] = count == 1 ? nil : count - 1
    }

    /// Those that never asked anything first: a browser asks again on its connection in some seconds.
    private func longestWaiting(of address: String?) -> ID? {
        entries.lazy.filter { !$0.value.isAnswered && (address == nil || $0.value.address == address) }
            .min { ($0.value.hasAsked ? 1 : 0, $0.value.waitsSince) < ($1.value.hasAsked ? 1 : 0, $1.value.waitsSince) }?.key
    }
}
