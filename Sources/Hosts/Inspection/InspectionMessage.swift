import Columnar
import Dataflow

/// What a JobManager asks a process so that people can see it, on a connection of its own (`Role.inspection`) to a TaskManager's data
/// port. One question, one answer, in order; a connection may ask again.
package enum Question: Hashable, Sendable {
    /// The process's own figures, by Flink's names.
    case figures
    /// The log files that there are.
    case files
    /// A piece of one; nil: of the one that is being written. Negative offsets count from the end.
    case file(name: String?, offset: Int64, limit: UInt32)
    case standardOutput(offset: Int64, limit: UInt32)
    case threads
    /// Stacks of the tasks of one vertex, `rounds` times with `milliseconds` between: one answer after all of them.
    case samples(of: JobID, vertex: UInt32, rounds: UInt32, milliseconds: UInt32)
}

package enum Answer: Hashable, Sendable {
    case figures([Figure])
    case files([LogFiles.Entry])
    case part(LogFiles.Part)
    case noSuchFile
    case threads([ThreadText])
    case samples([StackCount])
    /// In words.
    case refused(String)
}

package struct Figure: Hashable, Sendable {
    package var name: String
    package var value: Double

    package init(name: String, value: Double) {
        self.name = name
        self.value = value
    }
}

package struct ThreadText: Hashable, Sendable {
    package var name: String
    /// As a thread dump shows it: a line with name, number and state, then a line for each frame, innermost first.
    package var text: String

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}

/// How often a subtask was seen in this stack.
package struct StackCount: Hashable, Sendable {
    package var subtask: UInt32
    /// Whether its thread was running or could have.
    package var isOnCPU: Bool
    /// Outermost first.
    package var frames: [String]
    package var count: UInt32

    package init(subtask: UInt32, isOnCPU: Bool, frames: [String], count: UInt32) {
        self.subtask = subtask
        self.isOnCPU = isOnCPU
        self.frames = frames
        self.count = count
    }
}

extension Question {
    package func encode() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .figures: writer.put(UInt8(1))
        case .files: writer.put(UInt8(2))
        case .file(let name, let offset, let limit):
            writer.put(UInt8(3))
            writer.putOptional(name) { $0.put($1) }
            writer.put(offset)
            writer.put(limit)
        case .standardOutput(let offset, let limit):
            writer.put(UInt8(4))
            writer.put(offset)
            writer.put(limit)
        case .threads: writer.put(UInt8(5))
        case .samples(let job, let vertex, let rounds, let milliseconds):
            writer.put(UInt8(6))
            writer.put(job.high)
            writer.put(job.low)
            writer.put(vertex)
            writer.put(rounds)
            writer.put(milliseconds)
        }
        return writer.bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(MalformedBytes) -> Question {
        try ByteReader.reading(bytes) { (reader: inout ByteReader) throws(MalformedBytes) in
            let question: Question
            switch try reader.number(UInt8.self) {
            case 1: question = .figures
            case 2: question = .files
            case 3:
                question = .file(
                    name: try reader.optional { (reader: inout ByteReader) throws(MalformedBytes) in try reader.string() }, offset: try reader.number(),
                    limit: try reader.number())
            case 4: question = .standardOutput(offset: try reader.number(), limit: try reader.number())
            case 5: question = .threads
            case 6:
                question = .samples(
                    of: JobID(high: try reader.number(), low: try reader.number()), vertex: try reader.number(), rounds: try reader.number(),
                    milliseconds: try reader.number())
            case let kind: throw MalformedBytes("question \(kind) is not known")
            }
            try reader.end()
            return question
        }
    }
}

extension Answer {
    package func encode() -> [UInt8] {
        var writer = ByteWriter()
        switch self {
        case .figures(let figures):
            writer.put(UInt8(1))
            writer.putList(figures) { $0.put($1.name); $0.put($1.value) }
        case .files(let entries):
            writer.put(UInt8(2))
            writer.putList(entries) { $0.put($1.name); $0.put($1.bytes); $0.put($1.modified) }
        case .part(let part):
            writer.put(UInt8(3))
            writer.put(part.offset)
            writer.put(part.size)
            writer.put(part.bytes)
        case .noSuchFile: writer.put(UInt8(4))
        case .threads(let threads):
            writer.put(UInt8(5))
            writer.putList(threads) { $0.put($1.name); $0.put($1.text) }
        case .samples(let samples):
            writer.put(UInt8(6))
            writer.putList(samples) { writer, sample in
                writer.put(sample.subtask)
                writer.put(sample.isOnCPU)
                writer.putList(sample.frames) { $0.put($1) }
                writer.put(sample.count)
            }
        case .refused(let words):
            writer.put(UInt8(7))
            writer.put(words)
        }
        return writer.bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(MalformedBytes) -> Answer {
        try ByteReader.reading(bytes) { (reader: inout ByteReader) throws(MalformedBytes) in
            let answer: Answer
            switch try reader.number(UInt8.self) {
            case 1:
                answer = .figures(try reader.list { (reader: inout ByteReader) throws(MalformedBytes) in
                    Figure(name: try reader.string(), value: try reader.double())
                })
            case 2:
                answer = .files(try reader.list { (reader: inout ByteReader) throws(MalformedBytes) in
                    LogFiles.Entry(name: try reader.string(), bytes: try reader.number(), modified: try reader.number())
                })
            case 3:
                let offset: Int64 = try reader.number()
                let size: Int64 = try reader.number()
                answer = .part(LogFiles.Part(bytes: try reader.run(), offset: offset, size: size))
            case 4: answer = .noSuchFile
            case 5:
                answer = .threads(try reader.list { (reader: inout ByteReader) throws(MalformedBytes) in
                    ThreadText(name: try reader.string(), text: try reader.string())
                })
            case 6:
                answer = .samples(try reader.list { (reader: inout ByteReader) throws(MalformedBytes) in
                    StackCount(
                        subtask: try reader.number(), isOnCPU: try reader.bool(),
                        frames: try reader.list { (reader: inout ByteReader) throws(MalformedBytes) in try reader.string() }, count: try reader.number())
                })
            case 7: answer = .refused(try reader.string())
            case let kind: throw MalformedBytes("answer \(kind) is not known")
            }
            try reader.end()
            return answer
        }
    }
}
