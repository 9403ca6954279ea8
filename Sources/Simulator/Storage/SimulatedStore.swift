import Dataflow
import JobControl

/// The object store of a run: in memory, slow and lying as `conditions` say. A put is atomic, and its condition is checked at the moment
/// at which it happens, not when it was asked for.
package final class SimulatedStore {
    package enum Change {
        case put(path: String, [UInt8])
        case deleted(path: String)
    }

    package struct Object {
        package let bytes: [UInt8]
        package let etag: String
    }

    package var conditions = StoreConditions.healthy
    /// Told of every change at the moment at which it happens, before it does.
    package var watcher: (Change) -> Void = { _ in }
    /// By store and key together: a store's URI may name a folder of another one.
    package private(set) var objects: [String: Object] = [:]
    private let timeline: Timeline
    private let tally: Tally
    private var random: Chance
    private var version: UInt64 = 0

    package init(timeline: Timeline, tally: Tally, random: Chance) {
        self.timeline = timeline
        self.tally = tally
        self.random = random
    }

    /// The store's answer comes later, through `answer`.
    package func perform(_ request: StoreRequest, in store: String?, answer: @escaping (StoreAnswer) -> Void) {
        let root = (store ?? "memory:") + "/"
        var delay = random.duration(conditions.least, conditions.most)
        if random.chance(conditions.slow) {
            delay = random.duration(delay, max(delay, conditions.slowMost))
            tally.count(.storeSlow)
        }
        let back = random.duration(.zero, conditions.least)
        func fail(_ words: String, mayHaveHappened: Bool) {
            timeline.after(delay + back) { answer(.failed(words, mayHaveHappened: mayHaveHappened)) }
        }

        if case .put = request, conditions.isFull {
            tally.count(.storeFull)
            return fail("no space left", mayHaveHappened: false)
        }
        if random.chance(conditions.unavailable) {
            tally.count(.storeUnavailable)
            return fail("503 slow down", mayHaveHappened: false)
        }
        if random.chance(conditions.requestLost) {
            tally.count(.storeRequestLost)
            return fail("timed out", mayHaveHappened: true)
        }
        if random.chance(conditions.answerLost) {
            tally.count(.storeAnswerLost)
            timeline.after(delay) { [self] in _ = carryOut(request, root) }
            return fail("timed out", mayHaveHappened: true)
        }
        if random.chance(conditions.late) {
            tally.count(.storeLate)
            timeline.after(delay + back + random.duration(.zero, conditions.lateMost)) { [self] in _ = carryOut(request, root) }
            return fail("timed out", mayHaveHappened: true)
        }
        timeline.after(delay) { [self] in
            let result = carryOut(request, root)
            timeline.after(back) { answer(result) }
        }
    }

    private func carryOut(_ request: StoreRequest, _ root: String) -> StoreAnswer {
        switch request {
        case .put(let key, let bytes, let condition):
            let present = objects[root + key]
            switch condition {
            case .none: break
            case .ifNoneMatch: if present != nil { return .conflict }
            case .ifMatch(let etag): if present?.etag != etag { return .conflict }
            }
            watcher(.put(path: root + key, bytes))
            version += 1
            let object = Object(bytes: bytes, etag: "v\(version)")
            objects[root + key] = object
            return .put(etag: object.etag)
        case .get(let key):
            guard let object = objects[root + key] else { return .notFound }
            return .got(object.bytes, etag: object.etag)
        case .list(let prefix):
            return .listed(objects.keys.filter { $0.utf8.starts(with: (root + prefix).utf8) }.map { String($0.dropFirst(root.count)) }.sorted())
        case .delete(let keys):
            for key in keys where objects[root + key] != nil {
                watcher(.deleted(path: root + key))
                objects[root + key] = nil
            }
            return .deleted
        }
    }
}
