import Dataflow

/// A stream's splits as they come to be, by chance: the first ones, then splits and merges of those that nothing comes after yet.
struct SplitLineage {
    private(set) var all: [Split] = []
    private var leaves: [String] = []

    static func split(_ id: String, after: [String] = []) -> Split { Split(id: id, label: id, payload: [], after: after) }

    /// `pick`: a number below the given one.
    mutating func grow(_ pick: (Int) -> Int) {
        let id = "s\(all.count)"
        switch leaves.count > 1 ? pick(3) : 0 {
        case 0 where all.count < 3: all.append(Self.split(id))
        case 0, 1:
            let parent = leaves.remove(at: pick(leaves.count))
            all += [Self.split(id, after: [parent]), Self.split(id + "+", after: [parent])]
            leaves.append(id + "+")
        default:
            let parents = [leaves.remove(at: pick(leaves.count)), leaves.remove(at: pick(leaves.count))]
            all.append(Self.split(id, after: parents))
        }
        leaves.append(id)
    }

    func parents(of id: String) -> [String] { all.first { $0.id == id }?.after ?? [] }
}
