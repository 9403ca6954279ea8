import Columnar
import Dataflow
import Glibc

/// A data template of the Kinesis Data Generator: text with calls such as `{{random.number({"min":500,"max":1000})}}`.
///
/// The same row number gives the same text, but for `date.now`. A template over several lines gives one line.
package struct Template: Sendable {
    enum Piece: Equatable, Sendable {
        case text([UInt8])
        case call(Call)
    }

    enum Call: Equatable, Sendable {
        case number(low: Double, high: Double, step: Double)
        case element([String])
        case weighted([String], weights: [Double])
        case uuid
        case flag
        case letters(count: Int, alphabet: [UInt8])
        case address
        case date(MomentFormat)
    }

    static let calls = [
        "date.now", "date.utc", "internet.ip", "random.alphaNumeric", "random.arrayElement", "random.boolean", "random.float", "random.number",
        "random.uuid", "random.weightedArrayElement",
    ]

    private let pieces: [Piece]
    private let seed: UInt64

    package init(file path: String, seed: UInt64 = 0) throws(StreamError) {
        let local = try FilePath.local(path)
        let file = open(local, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw StreamError(.user, retry: false, "template \(local): \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        let text = TextBuffer(capacity: 1 << 16)
        while true {
            let count = Glibc.read(file, text.reserve(1 << 16), 1 << 16)
            guard count >= 0 else { throw FilePath.error("reading", local) }
            if count == 0 { break }
            text.count += count
            guard text.count <= 1 << 20 else { throw StreamError(.user, retry: false, "template \(local): more than 1 MB") }
        }
        do throws(StreamError) { try self.init(text.text, seed: seed) } catch { throw error.during("template \(local)") }
    }

    package init(_ text: String, seed: UInt64 = 0) throws(StreamError) {
        self.seed = seed
        var pieces: [Piece] = []
        // One line: a newline and the indent behind it are one space.
        let line = text.split(whereSeparator: \.isNewline).map { part in
            String(part.drop { $0.isWhitespace })
        }.joined(separator: " ")
        var rest = line[...]
        while let begin = rest.firstRange(of: "{{") {
            let behind = rest[begin.upperBound...]
            // `)}}` ends a call with arguments, which may themselves hold braces; a call without them ends at the first braces.
            let name = behind.prefix { $0 != "(" && $0 != "}" }
            let hasArguments = behind[name.endIndex...].hasPrefix("(")
            guard let end = behind.firstRange(of: hasArguments ? ")}}" : "}}") else {
                throw StreamError(.user, retry: false, "'{{\(name)' is not closed by '\(hasArguments ? ")}}" : "}}")'")
            }
            if begin.lowerBound > rest.startIndex { pieces.append(.text(Array(rest[..<begin.lowerBound].utf8))) }
            let arguments = hasArguments ? String(behind[behind.index(after: name.endIndex)..<end.lowerBound]) : ""
            pieces.append(.call(try Template.call(name.filter { !$0.isWhitespace }, arguments)))
            rest = behind[end.upperBound...]
        }
        if !rest.isEmpty { pieces.append(.text(Array(rest.utf8))) }
        self.pieces = pieces
    }

    /// Appends the text of row `row` at `time` (milliseconds since the epoch), without a newline.
    package func render(row: Int64, time: Int64, into text: TextBuffer) {
        for (place, piece) in pieces.enumerated() {
            switch piece {
            case .text(let bytes): bytes.withUnsafeBufferPointer { if let base = $0.baseAddress { text.append(base, $0.count) } }
            case .call(let call):
                var chance = Chance(seed: seed, place: place, row: row)
                Template.render(call, &chance, time, into: text)
            }
        }
    }

    private static func render(_ call: Call, _ chance: inout Chance, _ time: Int64, into text: TextBuffer) {
        switch call {
        case .number(let low, let high, let step):
            let steps = ((high - low) / step).rounded(.down)
            let value = low + Double(UInt64.random(in: 0...UInt64(max(steps, 0)), using: &chance)) * step
            if step >= 1 {
                text.count += IntegerText.write(Int64(value), into: text.reserve(IntegerText.maximumLength))
            } else {
                // The nearest number of so many decimals, so that 0.1 + 0.2 is 0.3.
                text.count += DoubleText.write((value / step).rounded() / (1 / step).rounded(), into: text.reserve(DoubleText.maximumLength))
            }
        case .element(let choices): text.append(choices[Int.random(in: choices.indices, using: &chance)])
        case .weighted(let choices, let weights):
            var left = chance.fraction() * weights.reduce(0, +)
            let index = weights.firstIndex { weight in
                left -= weight
                return left < 0
            }
            text.append(choices[index ?? choices.count - 1])
        case .uuid:
            // Version 4, variant 1.
            let high = hex(chance.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000), low = hex(chance.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
            text.append("\(high.prefix(8))-\(high.dropFirst(8).prefix(4))-\(high.dropFirst(12))-\(low.prefix(4))-\(low.dropFirst(4))")
        case .flag: text.append(chance.next() >> 63 == 0 ? "true" : "false")
        case .letters(let count, let alphabet):
            for _ in 0..<count { text.append(alphabet[Int.random(in: alphabet.indices, using: &chance)]) }
        case .address:
            let word = chance.next()
            text.append((0..<4).map { "\(word >> (8 * $0) & 0xFF)" }.joined(separator: "."))
        case .date(let format): text.append(format.text(time))
        }
    }

    private static func call(_ name: String, _ text: String) throws(StreamError) -> Call {
        guard let arguments = TemplateValue.parse(arguments: text) else {
            throw StreamError(.user, retry: false, "the arguments of '\(name)' are no JSON: \(text)")
        }
        func wrong(_ expected: String) -> StreamError { StreamError(.user, retry: false, "'\(name)' needs \(expected), not (\(text))") }
        let first = arguments.first
        switch name {
        case "random.number", "random.float":
            let low = first?["min"]?.number ?? 0, high = first?["max"]?.number ?? first?.number ?? 99_999
            let step = first?["precision"]?.number ?? (name == "random.float" ? 0.01 : 1)
            guard low <= high, step > 0, (high - low) / step < 9e15 else { throw wrong("\"min\" ≤ \"max\" and a \"precision\" above 0") }
            return .number(low: low, high: high, step: step)
        case "random.arrayElement":
            guard let choices = first?.list, !choices.isEmpty else { throw wrong("a list") }
            return .element(choices.map(\.rendered))
        case "random.weightedArrayElement":
            guard let choices = first?["data"]?.list, let weights = first?["weights"]?.list?.compactMap(\.number), !choices.isEmpty,
                choices.count == weights.count, weights.allSatisfy({ $0 >= 0 }), weights.contains(where: { $0 > 0 })
            else { throw wrong("\"weights\" and \"data\" of one length") }
            return .weighted(choices.map(\.rendered), weights: weights)
        case "random.uuid": return .uuid
        case "random.boolean": return .flag
        case "random.alphaNumeric":
            let count = first.map { $0.number ?? -1 } ?? 1
            guard count >= 0, count <= 10_000 else { throw wrong("a length") }
            return .letters(count: Int(count), alphabet: Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8))
        case "internet.ip": return .address
        case "date.now", "date.utc":
            if case .text(let format)? = first { return .date(MomentFormat(format)) }
            return .date(MomentFormat("YYYY-MM-DDTHH:mm:ssZ"))
        default:
            throw StreamError(.user, retry: false, "unknown call '\(name)' in a template; there are \(calls.joined(separator: ", "))")
        }
    }
}
