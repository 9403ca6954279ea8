import AWS
import Connectors
import Dataflow

/// A stream that is resharded while it is read: records of keys in the order in which they are put, each in the shard that was open for its key just then.
///
/// All of it follows from the seed; what differs from moment to moment is how much of it is there. Every shard ends at last, so that a job over it does.
package struct SimulatedStream: Sendable {
    package struct Record: Sendable {
        /// Its number among all that are put.
        package let put: Int
        package let key: Int
        /// When it is put, in cluster time.
        package let time: Duration
        /// As the service says it: when those that are put together with it had come, too.
        package fileprivate(set) var arrival: Duration
    }

    package struct Shard: Sendable {
        package let id: String
        package let parents: [String]
        /// Of the 256 slots into which hash keys are divided here.
        package let slots: ClosedRange<Int>
        package let opens: Duration
        package var closes: Duration
        package var records: [Record] = []
        /// Those that a producer has put together into one, with one sequence number: ranges of `records`, in order, all of them.
        package var groups: [Range<Int>] = []
    }

    /// In the order of their ids. Parents come before children.
    package private(set) var shards: [Shard] = []
    /// Records of one answer at most.
    package let answerRecords: Int
    /// Share of fetches that are refused or get no answer.
    package let trouble: Double
    /// That the table allows; nil: as many as there are.
    package let rowsPerSecond: Double?

    /// `minutes` of records.
    package static func draw(_ random: inout Chance, minutes: Int) -> SimulatedStream {
        var stream = SimulatedStream(answerRecords: random.pick([3, 20, 200]), trouble: random.pick([0, 0.02, 0.2]), rowsPerSecond: random.pick([nil, 10, 30]))
        let end = Duration.seconds(minutes * 57)
        stream.reshard(&random, from: random.int(1...4), times: random.int(1...8), until: end)
        stream.put(&random, random.int(600...1_800), keys: random.pick([2, 5, 20, 60]), until: end)
        stream.putTogether(&random, most: random.pick([1, 1, 4, 20]))
        return stream
    }

    private init(answerRecords: Int, trouble: Double, rowsPerSecond: Double?) {
        self.rowsPerSecond = rowsPerSecond
        self.answerRecords = answerRecords
        self.trouble = trouble
    }

    private mutating func reshard(_ random: inout Chance, from first: Int, times: Int, until end: Duration) {
        for index in 0..<first { open(index * 256 / first...(index + 1) * 256 / first - 1, after: [], at: .zero, until: end) }
        let moments = (0..<times).map { _ in random.duration(.seconds(10), end - .seconds(20)) }.sorted { $0 < $1 }
        for moment in moments {
            let there = shards.indices.filter { shards[$0].closes == end && shards[$0].opens < moment }.sorted { shards[$0].slots.lowerBound < shards[$1].slots.lowerBound }
            if there.count > 1, random.chance(0.5) {
                let place = random.int(0...there.count - 2)
                let (a, b) = (there[place], there[place + 1])
                // Neighbours, unless another change has just replaced the one between them.
                guard shards[a].slots.upperBound + 1 == shards[b].slots.lowerBound else { continue }
                for old in [a, b] { shards[old].closes = moment }
                let parents = random.chance(0.5) ? [shards[a].id, shards[b].id] : [shards[b].id, shards[a].id]
                open(shards[a].slots.lowerBound...shards[b].slots.upperBound, after: parents, at: moment, until: end)
            } else if let old = there.isEmpty ? nil : random.pick(there), shards[old].slots.count > 1, there.count < 6 {
                let slots = shards[old].slots
                let middle = random.int(slots.lowerBound...slots.upperBound - 1)
                shards[old].closes = moment
                open(slots.lowerBound...middle, after: [shards[old].id], at: moment, until: end)
                open(middle + 1...slots.upperBound, after: [shards[old].id], at: moment, until: end)
            }
        }
    }

    private mutating func open(_ slots: ClosedRange<Int>, after parents: [String], at moment: Duration, until end: Duration) {
        let digits = String(shards.count)
        let id = "shardId-" + String(repeating: "0", count: 12 - digits.count) + digits
        shards.append(Shard(id: id, parents: parents, slots: slots, opens: moment, closes: end))
    }

    private mutating func put(_ random: inout Chance, _ count: Int, keys: Int, until end: Duration) {
        let salt = random.next()
        // At times many come at once.
        var times = (0..<count).map { _ in random.duration(.zero, end - .seconds(1)) }
        if random.chance(0.5) {
            let burst = random.duration(.zero, end - .seconds(60))
            for index in 0..<count / 2 { times[index] = burst + random.duration(.zero, .seconds(5)) }
        }
        times.sort { $0 < $1 }
        for (put, time) in times.enumerated() {
            let key = random.int(0...keys - 1)
            let slot = SimulatedStream.slot(of: key, salt)
            guard let shard = shards.firstIndex(where: { $0.slots.contains(slot) && $0.opens <= time && time < $0.closes }) else {
                preconditionFailure("at each moment some shard takes each key")
            }
            shards[shard].records.append(Record(put: put, key: key, time: time, arrival: time))
        }
    }

    /// As the producer library does: records of one shard that are put within a second, up to so many.
    private mutating func putTogether(_ random: inout Chance, most: Int) {
        for index in shards.indices {
            let records = shards[index].records
            var from = 0
            while from < records.count {
                let limit = min(records.count, from + (most == 1 ? 1 : random.int(1...most)))
                let end = records[from..<limit].prefix { $0.time - records[from].time <= .seconds(1) }.endIndex
                shards[index].groups.append(from..<end)
                for record in from..<end { shards[index].records[record].arrival = records[end - 1].time }
                from = end
            }
        }
    }

    private static func slot(of key: Int, _ salt: UInt64) -> Int { Int(Chance.mix(salt &+ UInt64(key)) >> 56) }

    /// Of the table.
    static let options = [
        "connector": "kinesis", "stream": "simulated", "format": "csv", "source.init.position": "TRIM_HORIZON", "source.shard.discovery.interval": "5 s",
    ]

    // MARK: As the service says it

    /// Sequence numbers rise with the order in which records are put.
    static func sequence(put: Int) -> String { String(1_000_000_000 + put * 3) }

    func sequence(of group: Range<Int>, in shard: Int) -> String { SimulatedStream.sequence(put: shards[shard].records[group.lowerBound].put) }

    /// How many groups of the shard lie before `sequence`, or with it.
    func groups(in shard: Int, through sequence: String) -> Int {
        guard let number = Int(sequence) else { return 0 }
        return shards[shard].groups.count { 1_000_000_000 + shards[shard].records[$0.lowerBound].put * 3 <= number }
    }

    /// How many records a reader has given that is at `position`.
    func count(in shard: Int, through position: ShardPosition) -> Int {
        let groups = shards[shard].groups
        let count = self.groups(in: shard, through: position.sequence)
        guard count > 0 else { return 0 }
        return position.isLast ? groups[count - 1].upperBound : groups[count - 1].lowerBound + Int(position.sub) + 1
    }

    /// When it is there.
    func time(of group: Range<Int>, in shard: Int) -> Duration { shards[shard].records[group.lowerBound].arrival }

    func shard(named id: String) -> Int? { shards.firstIndex { $0.id == id } }

    /// Those that are there, behind `last`.
    func list(after last: String?, at time: Duration) -> [KinesisShard] {
        let step = UInt128(1) << 120
        return shards.filter { $0.opens <= time && $0.id > last ?? "" }.map { shard in
            KinesisShard(
                id: shard.id, parents: shard.parents, firstHashKey: String(UInt128(shard.slots.lowerBound) * step),
                lastHashKey: String(UInt128(shard.slots.upperBound) * step + (step - 1)), isClosed: shard.closes <= time)
        }
    }

    /// No further shard will come.
    func isComplete(at time: Duration) -> Bool { shards.allSatisfy { $0.opens <= time } }
}
