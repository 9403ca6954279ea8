import Columnar
import Dataflow
import Expressions
import JobControl

/// A job for a run: its shape, its inputs and its parallelism, all drawn from the seed; built as a `JobGraph` directly.
package struct SimulatedJob: Sendable {
    package enum Shape: String, CaseIterable, Sendable {
        /// source → local aggregate → hash → HOP or TUMBLE → sink
        case window
        /// source → calc → rebalance → sink
        case calc
        /// source → hash → group aggregate → sink, a changelog
        case group
        /// source → hash → group aggregate → hash → group aggregate over the first one's changelog → sink: retractions
        case regroup
    }

    /// What `--jobs` names: the shapes, and those with a UNION ALL in front.
    package enum Kind: String, CaseIterable, Sendable {
        case window, calc, group, regroup
        /// sources → forward → [calc, local aggregate] → what else a window, a calc or a group aggregate has; or windows → forward → [calc] → sink
        case union

        /// Those of a run that names none. (One more would change what every seed draws.)
        package static let usual: [Kind] = [.window, .calc, .group, .regroup]

        fileprivate func shape(_ random: inout Chance) -> Shape {
            switch self {
            case .window: .window
            case .calc: .calc
            case .group: .group
            case .regroup: .regroup
            case .union: random.pick([.window, .window, .window, .calc, .group])
            }
        }
    }

    package var shape: Shape
    /// Its tables meet in a UNION ALL; nil: each goes to what lies behind by edges of its own.
    package var union: UnionPlan?
    /// Rows replace each other, by their first column.
    package var isChangelog: Bool { shape == .group || shape == .regroup }
    package var window: WindowSpec
    /// Whether a local aggregate runs before the exchange.
    package var isTwoPhase: Bool
    /// Whether the sink is chained to what feeds it, or a vertex of its own.
    package var chainsSink: Bool
    package var sinkPartitioning: JobEdge.Partitioning
    package var emitsUpdateBefore: Bool
    package var inputs: [SimulatedInput]
    package var sourceParallelism: Int
    package var parallelism: Int
    package var sinkParallelism: Int
    package var maxParallelism: Int
    /// A sink's file is closed at each so many barriers.
    package var rollEvery: UInt64
    /// How long one step of a task of the last vertex takes at most; the others are quick.
    package var lastStep: Duration
    /// Batches that one channel holds.
    package var channelCapacity: Int
    /// Slots of a TaskManager beyond half of what the job needs.
    package var spareSlots: Int
    /// Bytes of one piece of moving state at most.
    package var pieceBytes: Int
    package var options: JobOptions
    /// Its sink is the real one for files in a bucket; nil: one of the simulator's own.
    package var bucket: BucketPlan?

    package var graph: JobGraph {
        var builder = SimulatedGraphBuilder(job: self)
        return builder.build()
    }

    /// Rows of a key come to the sink in the order of their stream. (After a merge nobody can know without checkpoints.)
    package var keepsOrder: Bool { shape == .calc && inputs.contains { $0.stream != nil } && options.checkpointInterval != nil }

    /// Splits are found while it runs.
    var isWatched: Bool { inputs.contains { $0.appears.contains { $0 > .zero } } }

    /// What a slot must hold: one subtask of each vertex.
    package var slots: Int { max(sourceParallelism, parallelism, sinkParallelism) }
}

extension SimulatedJob {
    /// `minutes` of input, which arrives over that time.
    package static func draw(_ random: inout Chance, kinds: [Kind], minutes: Int) -> SimulatedJob {
        let kind = random.pick(kinds)
        let shape = kind.shape(&random)
        let union = kind == .union ? UnionPlan.draw(&random, shape: shape) : nil
        let size = Int64(random.pick([5, 10, 20, 30])) * 1_000
        let window: WindowSpec =
            random.chance(0.6) ? .hop(size: size * 2, slide: size, offset: random.pick([0, 0, 1_000])) : .tumble(size: size, offset: 0)
        let sourceParallelism = random.int(1...3)
        let parallelism = random.int(1...4)
        let chainsSink = random.chance(0.5)
        var options = JobOptions()
        options.checkpointInterval = random.chance(0.04) ? nil : random.duration(.seconds(3), .seconds(20))
        options.checkpointTimeout = random.duration(.seconds(15), .seconds(60))
        options.minimumPause = random.chance(0.5) ? .zero : .seconds(2)
        options.tolerableFailedCheckpoints = random.pick([0, 3, 1_000])
        options.retainedCheckpoints = random.int(1...3)
        options.checkpointDirectory = "sim://checkpoints"
        options.savepointDirectory = "sim://savepoints"
        options.slotRequestTimeout = .seconds(100_000)
        options.restart =
            random.chance(0.5)
            ? .fixedDelay(attempts: .max, delay: .seconds(1))
            : .exponentialDelay(
                initial: .milliseconds(200), maximum: .seconds(5), multiplier: 1.5, resetAfter: .seconds(60), jitter: 0.1, attempts: .max)
        options.isReactive = random.chance(0.25)
        options.stabilization = random.pick([.zero, .seconds(1), .seconds(5)])
        options.cooldown = random.pick([.zero, .seconds(2), .seconds(10)])
        // Many keys: what is copied ahead goes in many pieces, and is taken in while rows come.
        let isLarge = random.chance(0.1)
        let sinkParallelism = chainsSink ? parallelism : random.int(1...2)
        var job = SimulatedJob(
            shape: shape, union: union, window: window, isTwoPhase: random.chance(0.6), chainsSink: chainsSink,
            sinkPartitioning: shape == .group || shape == .regroup ? .hash([0]) : sinkParallelism == 1 ? random.pick([.single, .rebalance]) : .rebalance,
            emitsUpdateBefore: random.chance(0.5),
            inputs: SimulatedJob.inputs(&random, shape: shape, tables: union?.tables, readers: sourceParallelism, minutes: minutes, isLarge: isLarge),
            sourceParallelism: sourceParallelism, parallelism: parallelism, sinkParallelism: sinkParallelism,
            maxParallelism: random.pick([4, 8, 15]), rollEvery: shape == .group || shape == .regroup ? 1 : random.pick([1, 1, 2, 3]),
            lastStep: random.chance(0.3) ? .milliseconds(random.int(50...400)) : .milliseconds(2),
            channelCapacity: random.pick([1, 2, 8]), spareSlots: random.int(0...1), pieceBytes: random.pick([100, 2_000, 1 << 20]), options: options)
        if shape == .calc, random.chance(0.5) {
            job.bucket = BucketPlan.draw(&random)
            job.rollEvery = 2
        }
        // Without a folder, and so without checkpoints before the last: it begins anew after each loss, and when somebody leaves.
        if random.chance(0.04) {
            job.options.checkpointDirectory = nil
            job.options.checkpointInterval = nil
        }
        if union == nil, shape == .calc, random.chance(0.5) { job.readStream(&random, minutes: minutes) }
        // What is late after a reshard would be missing in the answer.
        if shape == .window, options.checkpointInterval != nil, !isLarge {
            if union == nil, random.chance(0.3) { job.readStream(&random, minutes: minutes) }
            if union != nil { for table in job.inputs.indices where random.chance(0.3) { job.inputs[table].read(SimulatedStream.draw(&random, minutes: minutes)) } }
        }
        return job
    }

    /// One table, whose rows are the stream's records; rows of one key stay in order on their way to a calc's sink.
    private mutating func readStream(_ random: inout Chance, minutes: Int) {
        inputs = Array(inputs.prefix(1))
        inputs[0].read(SimulatedStream.draw(&random, minutes: minutes))
        guard shape == .calc else { return }
        sinkParallelism = random.int(1...3)
        sinkPartitioning = .hash([1])
    }

    private static func inputs(_ random: inout Chance, shape: Shape, tables: Int?, readers: Int, minutes: Int, isLarge: Bool) -> [SimulatedInput] {
        let count = tables ?? (random.chance(0.3) ? 2 : 1)
        return (0..<count).map { table in
            let splits = readers * random.int(1...3) + random.int(0...1)
            let rows = random.int(1_000...2_000) * (isLarge ? 4 : 1) / count / splits + 1
            // Rows are there when so many readers at once would come to them; sometimes all at once, so that the readers are ahead.
            let waves = (splits + readers - 1) / readers
            let length = Duration.seconds(minutes * 60) / waves
            let burst = isLarge ? 100 : random.pick([1, 4, 10])
            let backlog = random.pick([0, 0, 0.3, 0.8])
            let bursts = (rows + burst - 1) / burst
            // A reader that waits for a split to appear is idle and holds back no watermark: rows of windows would be late.
            let watched = shape != .window && random.chance(0.4)
            return SimulatedInput(
                name: "in\(table)", seed: random.next(), splits: splits, rowsPerSplit: rows, keys: isLarge ? 3_000 : random.pick([1, 3, 10, 40]),
                stepMilliseconds: Int64(minutes * 60_000 / (rows * splits)) + 1, disorderMilliseconds: random.pick([0, 500, 3_000]),
                starts: (0..<splits).map { length * ($0 / readers) }, pause: length / bursts * (1 / (1 - backlog)), burst: burst,
                backlogBursts: Int(Double(bursts) * backlog),
                appears: (0..<splits).map { watched ? length * ($0 / readers) : .zero }, batchRows: isLarge ? 100 : random.pick([2, 10, 50]))
        }
    }
}

extension SimulatedJob {
    var summary: String {
        """
        \(union.map { "\($0.summary), " } ?? "")\(shape)\(shape == .window ? " \(window) \(isTwoPhase ? "two-phase" : "one-phase")" : ""), \
        parallelism \(sourceParallelism)/\(parallelism)/\(sinkParallelism)\
        \(chainsSink ? " chained" : "")\(options.isReactive ? " reactive" : ""), roll every \(rollEvery), \(bucket == nil ? "" : "to a bucket, ")\(options.checkpointDirectory == nil ? "no folder, " : "")\(inputs.map { "\($0.splits) \($0.stream == nil ? "splits of \($0.rowsPerSplit) rows" : "shards")" }), checkpoints every \
        \(options.checkpointInterval.map { "\($0)" } ?? "never")
        """
    }
}
