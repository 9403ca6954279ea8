/// 128 bits, shown as 32 hex digits as Flink shows them.
package struct JobID: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Nil unless `text` is 32 hex digits.
    package init?(_ text: String) {
        guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16) else { return nil }
        self.init(high: high, low: low)
    }

    package static func random(using generator: inout some RandomNumberGenerator) -> JobID {
        JobID(high: generator.next(), low: generator.next())
    }

    package var description: String { hex(high) + hex(low) }

    package static func < (a: JobID, b: JobID) -> Bool { (a.high, a.low) < (b.high, b.low) }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = JobID(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "a job id is 32 hex digits"))
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// 16 hex digits.
package func hex(_ word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// A TaskManager process, from its start to its end: a restarted one has another id.
package struct WorkerID: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
    package let description: String
    package init(_ name: String) { description = name }
    package static func < (a: WorkerID, b: WorkerID) -> Bool { a.description < b.description }
}

/// One parallel instance of a vertex of the job graph. `vertex` is its position in `JobGraph.vertices`.
package struct SubtaskID: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
    package let vertex: Int
    package let index: Int

    package init(vertex: Int, index: Int) {
        self.vertex = vertex
        self.index = index
    }

    package static func < (a: SubtaskID, b: SubtaskID) -> Bool { (a.vertex, a.index) < (b.vertex, b.index) }

    package var description: String { "\(vertex)/\(index)" }
}

/// One execution of a subtask. Attempts of a job rise with every recovery; whatever carries an older one is refused.
package struct TaskID: Hashable, Codable, Sendable, Comparable, CustomStringConvertible {
    package let job: JobID
    package let subtask: SubtaskID
    package let attempt: UInt32

    package init(job: JobID, subtask: SubtaskID, attempt: UInt32) {
        self.job = job
        self.subtask = subtask
        self.attempt = attempt
    }

    package static func < (a: TaskID, b: TaskID) -> Bool { (a.job, a.subtask, a.attempt) < (b.job, b.subtask, b.attempt) }

    package var description: String { "\(job)/\(subtask)#\(attempt)" }
}

/// The directed channel between two subtasks along one edge (`JobGraph.edges[edge]`), as of the attempt that opened it.
package struct ChannelID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let job: JobID
    package let edge: UInt16
    package let from: UInt16
    package let to: UInt16
    package let attempt: UInt32

    package init(job: JobID, edge: Int, from: Int, to: Int, attempt: UInt32) {
        self.job = job
        self.edge = UInt16(edge)
        self.from = UInt16(from)
        self.to = UInt16(to)
        self.attempt = attempt
    }

    package static func < (a: ChannelID, b: ChannelID) -> Bool {
        (a.job, a.edge, a.from, a.to, a.attempt) < (b.job, b.edge, b.from, b.to, b.attempt)
    }

    package var description: String { "\(job)/e\(edge):\(from)→\(to)#\(attempt)" }
}

/// Ids rise within a job and are never used twice, also across leaders and recoveries.
package typealias CheckpointID = UInt64
/// Rises with every new leader of a job; part of HEAD.
package typealias LeaderEpoch = UInt64
/// Rises with every layout of a job; part of HEAD.
package typealias LayoutEpoch = UInt32
