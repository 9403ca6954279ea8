import Dataflow

/// Deletes what no retained checkpoint reaches any more.
///
/// Promise: manifests leave HEAD before anything they alone refer to is deleted, and a key that HEAD reaches is never deleted. What is
/// given here is garbage for good: parts of checkpoints that left HEAD or were aborted.
package struct Collector: Sendable {
    package struct Deletion: Hashable, Sendable {
        package var store: String?
        package var keys: [String]
    }

    private var garbage: [Deletion] = []
    private var inFlight: [Ticket: Deletion] = [:]
    private var backoff = Backoff(first: .seconds(1), maximum: .seconds(60))
    private var notBefore: Instant = .zero
    /// A listing of the job's folder, to find what nobody told of.
    private var sweep: Ticket?
    private var wantsSweep = false
    private var tries = 0

    package init() {}

    package mutating func discard(_ keys: [String], store: String?) {
        if !keys.isEmpty { garbage.append(Deletion(store: store, keys: keys.sorted())) }
    }

    /// Look through the job's folder once.
    package mutating func wishSweep() { wantsSweep = true }

    /// `own`: the job's store. `reached`: every key in it that HEAD refers to.
    package mutating func due(
        at now: Instant, own: String?, reached: Set<String>, prefix: String, draw: inout Draw
    ) -> [(ticket: Ticket, store: String?, request: StoreRequest)] {
        guard notBefore <= now else { return [] }
        var requests: [(Ticket, String?, StoreRequest)] = []
        for deletion in garbage {
            let keys = deletion.store == own ? deletion.keys.filter { !reached.contains($0) } : deletion.keys
            if keys.isEmpty { continue }
            let ticket = draw.ticket()
            inFlight[ticket] = Deletion(store: deletion.store, keys: keys)
            requests.append((ticket, deletion.store, .delete(keys: keys)))
        }
        garbage = []
        if wantsSweep, sweep == nil {
            wantsSweep = false
            let ticket = draw.ticket()
            sweep = ticket
            requests.append((ticket, own, .list(prefix: prefix)))
        }
        return requests
    }

    /// Whether the answer is the collector's.
    func awaits(_ ticket: Ticket) -> Bool { ticket == sweep || inFlight[ticket] != nil }

    /// False when the ticket is not the collector's. `isGarbage` judges what a listing found.
    package mutating func stored(_ ticket: Ticket, _ answer: StoreAnswer, own: String?, at now: Instant, isGarbage: (String) -> Bool) -> Bool {
        if ticket == sweep {
            sweep = nil
            if case .listed(let keys) = answer { discard(keys.filter(isGarbage), store: own) }
            return true
        }
        guard let deletion = inFlight.removeValue(forKey: ticket) else { return false }
        switch answer {
        case .deleted, .notFound:
            backoff.reset()
            tries = 0
        case .failed, .refused:
            // Garbage costs room, not rows: after a few tries the next sweep finds it.
            tries += 1
            if tries <= 8 {
                garbage.append(deletion)
                notBefore = now + backoff.next()
            }
        case .put, .got, .listed, .conflict:
            preconditionFailure("a store answers what it was asked")
        }
        return true
    }

    package var isIdle: Bool { garbage.isEmpty && inFlight.isEmpty && sweep == nil && !wantsSweep }
    /// A second sweep waits for the answer to the first, not for a time.
    package var deadline: Instant? { garbage.isEmpty && !(wantsSweep && sweep == nil) ? nil : notBefore }
}
