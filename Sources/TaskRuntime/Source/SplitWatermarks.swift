import Dataflow

/// The watermarks of a source's splits, and the combined one: the least over splits that have begun and are not idle. It never falls.
///
/// A split counts from its first row; one that was restored half-read counts at once, so that the splits read before it do not
/// make its rows late.
struct SplitWatermarks {
    struct Entry {
        let id: String
        var watermark: Int64
        var hasBegun: Bool
        var isIdle = false
        /// Read to its end, and what comes after it has no reader yet: that it is silent says nothing.
        var isEnded = false
        /// Of the source's own clock, which stands still while the source may not read.
        var lastRow: Duration
    }

    private(set) var entries: [Entry] = []
    private(set) var combined = Watermark.minimum
    /// The split of the last rows: mostly also that of the next.
    private var lastIndex = 0

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    /// `begins`: it counts at once.
    mutating func add(_ state: SplitState, begins: Bool = false, at clock: Duration) {
        guard !entries.contains(where: { $0.id == state.split.id }) else { return }
        entries.append(
            Entry(
                id: state.split.id, watermark: state.watermark,
                hasBegun: begins || state.watermark > Watermark.minimum || !state.position.isEmpty, lastRow: clock))
    }

    /// All splits count that are here already: others come behind them that have begun.
    mutating func holdAll() { for index in entries.indices { entries[index].hasBegun = true } }

    func watermark(of id: String) -> Int64? { entries.first { $0.id == id }?.watermark }

    /// Nil: that split was never given.
    private mutating func index(of id: String) -> Int? {
        if lastIndex < entries.count, entries[lastIndex].id == id { return lastIndex }
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return nil }
        lastIndex = index
        return index
    }

    /// Rows of a split came. Answers its watermark before them.
    mutating func begin(_ id: String, at clock: Duration) throws(StreamError) -> Int64 {
        guard let index = index(of: id) else {
            throw StreamError(.internal, retry: false, "rows of split \(id), which was not given to this reader")
        }
        entries[index].hasBegun = true
        entries[index].isIdle = false
        entries[index].lastRow = clock
        return entries[index].watermark
    }

    /// The greatest watermark among a split's rows so far.
    mutating func raise(_ id: String, to watermark: Int64) {
        guard let index = index(of: id) else { return }
        entries[index].watermark = max(entries[index].watermark, watermark)
    }

    mutating func finish(_ id: String) -> Bool {
        guard let index = index(of: id) else { return false }
        entries.remove(at: index)
        lastIndex = 0
        return true
    }

    mutating func end(_ id: String) {
        if let index = index(of: id) { entries[index].isEnded = true }
    }

    /// What the other splits allow while rows of this one are looked at.
    func bound(without id: String) -> Int64 {
        var least = Int64.max
        for entry in entries where entry.hasBegun && !entry.isIdle && entry.id != id { least = min(least, entry.watermark) }
        return least
    }

    /// The combined watermark, if it rose.
    mutating func rise() -> Int64? {
        var least = Int64.max
        var some = false
        for entry in entries where entry.hasBegun && !entry.isIdle {
            some = true
            least = min(least, entry.watermark)
        }
        guard some, least > combined else { return nil }
        combined = least
        return least
    }

    /// The least of the splits that count, even below what was said before: receivers have been told to forget that.
    mutating func restate() {
        let counting = entries.filter { $0.hasBegun && !$0.isIdle }
        combined = counting.isEmpty ? combined : counting.reduce(Int64.max) { min($0, $1.watermark) }
    }

    /// Was passed on already.
    mutating func passed(_ watermark: Int64) { combined = max(combined, watermark) }

    /// The greatest of all, if it is above the combined one: what is passed on before the source goes idle.
    mutating func riseToGreatest() -> Int64? {
        let greatest = entries.reduce(Watermark.minimum) { max($0, $1.watermark) }
        guard greatest > combined else { return nil }
        combined = greatest
        return greatest
    }

    /// Marks splits that gave no row for so long. Answers when the next one would become idle; nil: none will.
    mutating func markIdle(after timeout: Duration, at clock: Duration) -> Duration? {
        var next: Duration?
        for index in entries.indices where !entries[index].isIdle && !entries[index].isEnded {
            let due = entries[index].lastRow + timeout
            if due <= clock { entries[index].isIdle = true } else { next = min(next ?? due, due) }
        }
        return next
    }

    var allIdle: Bool { entries.allSatisfy(\.isIdle) }
}
