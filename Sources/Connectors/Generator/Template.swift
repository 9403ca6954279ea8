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
        /// A moment between these, in milliseconds: since the epoch, or from the row's own time.
        case moment(from: Int64, to: Int64, isRelative: Bool, MomentFormat)
        case words(Int)
        case hexadecimal(Int)
    }

    static let calls = [
        "date.between", "date.future", "date.month", "date.now", "date.past", "date.recent", "date.soon", "date.utc", "date.weekday", "internet.ip",
        "random.alphaNumeric", "random.arrayElement", "random.boolean", "random.float", "random.hexaDecimal", "random.number", "random.objectElement",
        "random.uuid", "random.weightedArrayElement", "random.word", "random.words",
    ]

    private static let isoFormat = "YYYY-MM-DDTHH:mm:ssZ"

    private static let words = [
        "account", "bridge", "cable", "delta", "engine", "field", "garden", "harbor", "index", "journal", "kernel", "ledger", "market", "network",
        "orange", "packet", "quartz", "river", "signal", "table", "update", "vector", "window", "yield", "zone", "cobalt", "driver", "feed",
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
        case .moment(let from, let to, let isRelative, let format):
            text.append(format.text((isRelative ? time : 0) + Int64.random(in: from...max(from, to), using: &chance)))
        case .words(let count):
            for word in 0..<count {
                if word > 0 { text.append(0x20) }
                text.append(words[Int.random(in: words.indices, using: &chance)])
            }
        case .hexadecimal(let count):
            text.append("0x")
            let digits = Array("0123456789abcdef".utf8)
            for _ in 0..<count { text.append(digits[Int.random(in: digits.indices, using: &chance)]) }
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
        case "random.objectElement":
            guard case .object(let members)? = first, !members.isEmpty else { throw wrong("an object") }
            return .element(members.sorted { $0.key < $1.key }.map(\.value.rendered))
        case "random.word", "random.words":
            let count = name == "random.word" ? 1 : first.map { $0.number ?? -1 } ?? 3
            guard count >= 0, count <= 10_000 else { throw wrong("a number of words") }
            return .words(Int(count))
        case "random.hexaDecimal":
            let count = first.map { $0.number ?? -1 } ?? 1
            guard count >= 0, count <= 10_000 else { throw wrong("a length") }
            return .hexadecimal(Int(count))
        case "random.uuid": return .uuid
        case "random.boolean": return .flag
        case "random.alphaNumeric":
            let count = first.map { $0.number ?? -1 } ?? 1
            guard count >= 0, count <= 10_000 else { throw wrong("a length") }
            return .letters(count: Int(count), alphabet: Array("0123456789abcdefghijklmnopqrstuvwxyz".utf8))
        case "internet.ip": return .address
        case "date.now", "date.utc":
            if case .text(let format)? = first { return .date(MomentFormat(format)) }
            return .date(MomentFormat(isoFormat))
        case "date.past", "date.future", "date.recent", "date.soon":
            // Years or days, and perhaps a format.
            let day = 86_400_000.0, unit = name == "date.past" || name == "date.future" ? 365 * day : day
            let reach = (first?.number ?? 1) * unit
            guard reach >= 1, reach < 1e14 else { throw wrong("a number above 0") }
            let isBehind = name == "date.past" || name == "date.recent"
            return .moment(
                from: isBehind ? -Int64(reach) : 1, to: isBehind ? -1 : Int64(reach), isRelative: true,
                MomentFormat(arguments.dropFirst().first?.text ?? isoFormat))
        case "date.between":
            let ends = arguments.prefix(2).compactMap { $0.text.flatMap { StartMoment.parse($0) ?? StartMoment.parse($0 + "T00:00:00Z") } }
            guard ends.count == 2, ends[0] <= ends[1] else { throw wrong("two moments such as \"2026-11-22\" or \"2026-11-22T16:00:00Z\"") }
            return .moment(from: ends[0], to: ends[1], isRelative: false, MomentFormat(arguments.dropFirst(2).first?.text ?? isoFormat))
        case "date.month":
            return .element([
                "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
            ])
        case "date.weekday": return .element(["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"])
        default:
            throw StreamError(.user, retry: false, "unknown call '\(name)' in a template; there are \(calls.joined(separator: ", "))")
        }
    }
}
