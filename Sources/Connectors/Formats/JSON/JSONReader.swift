import CKernels
import Columnar
import Glibc

/// Reads JSON objects, one a line, into columns. The one reader of every JSON table.
///
/// It expects each row to look like the one before: for every field it keeps the bytes that stood between the previous value and
/// this one (comma, white space, key, colon) and compares them as whole words. Where they differ it reads the key, looks its
/// column up, and remembers the new bytes. Scans need no bounds, because every line ends in a newline and no token holds one.
///
/// Follows Flink's `JsonParserToRowDataConverters` in what it coerces; unlike it, anything behind the object is an error and of
/// a repeated key the last value wins.
package final class JSONReader: LineReader {
    /// What is expected at one place of a row.
    struct Step {
        /// Bytes of the literal in front of the value; -1: never matches.
        var length: Int32
        /// -1: the value is skipped.
        var column: Int32
        var kind: FieldKind
        /// Decimals of a timestamp type.
        var precision: Int8
        /// How long the last value's text was, for types whose values mostly have one length.
        var hint: Int32
        /// Ticks of the minute that the last timestamp lay in; its 16 characters stand behind the step's literal.
        var minute: Int64
    }

    private struct Plan {
        var steps = 0
        /// The steps set each column exactly once.
        var isWhole = false
    }

    static let literalBytes = 48
    /// A literal, and 16 bytes of the last timestamp.
    private static let literalStride = 64
    private static let maximumSteps = 256

    let options: JSONOptions
    let names: [String]
    let types: [DataType]
    let kinds: [FieldKind]
    private let keys: KeyTable
    /// One more than can be planned: the last is for fields beyond.
    private let steps: UnsafeMutablePointer<Step>
    private let literals: UnsafeMutablePointer<UInt8>
    private let plan: UnsafeMutablePointer<Plan>
    let scratch = TextBuffer()
    /// Exact powers of ten, 10^0…10^15.
    let powers: UnsafeMutablePointer<Double>

    package var mayHoldNonASCII = true
    /// A row is a line: nothing is ever open.
    package var wantsMore: Bool { false }
    package var isLast = false
    package private(set) var skippedRows = 0
    package internal(set) var skippedValues = 0
    var fault = ""
    var faultAt: UnsafePointer<UInt8>?

    package init(_ schema: Schema, options: JSONOptions = JSONOptions()) {
        self.options = options
        self.names = schema.names
        self.types = schema.types
        self.kinds = schema.types.map { FieldKind($0.kind) }
        self.keys = KeyTable(schema.names)
        self.steps = .allocate(capacity: JSONReader.maximumSteps + 1)
        self.literals = .allocate(capacity: (JSONReader.maximumSteps + 1) * JSONReader.literalStride)
        literals.update(repeating: 0, count: (JSONReader.maximumSteps + 1) * JSONReader.literalStride)
        self.plan = .allocate(capacity: 1)
        plan.initialize(to: Plan())
        self.powers = .allocate(capacity: 16)
        for exponent in 0..<16 { powers[exponent] = exponent == 0 ? 1 : powers[exponent - 1] * 10 }
    }

    deinit {
        steps.deallocate()
        literals.deallocate()
        plan.deallocate()
        powers.deallocate()
    }

    package func read(
        _ text: UnsafePointer<UInt8>, from: Int, to: Int, limit: Int, maximumRows: Int, into fill: ColumnFill
    ) throws(MalformedRow) -> Int {
        var at = text + from
        let stop = text + min(limit, to)
        let checksUTF8 = mayHoldNonASCII
        let last = min(maximumRows, fill.capacity)
        var row = fill.count
        defer { fill.count = row }
        while at < stop, row < last {
            let line = at
            if checksUTF8, let bad = notUTF8(line) {
                fault = "the line is not valid UTF-8"
                faultAt = bad
            } else {
                let (next, index) = expectedFields(line, fill, row)
                if let next {
                    if plan.pointee.isWhole, index == plan.pointee.steps, next[0] == 0x7D, next[1] == 0x0A {
                        at = next + 2
                        row += 1
                        continue
                    }
                    var isRow = true
                    if let end = otherFields(line, from: next, index, fill, row, &isRow) {
                        at = end
                        if isRow { row += 1 }
                        continue
                    }
                }
            }
            guard options.ignoreParseErrors else {
                throw MalformedRow(offset: (faultAt ?? line) - text, rowStart: line - text, fault)
            }
            skippedRows += 1
            fill.forgetRow()
            at = newline(line) + 1
        }
        return at - text
    }

    /// Reads fields as long as they stand where the plan has them. Returns what follows them, and how many they are; nil: a
    /// malformed value.
    @inline(__always)
    private func expectedFields(_ begin: UnsafePointer<UInt8>, _ fill: ColumnFill, _ row: Int) -> (UnsafePointer<UInt8>?, Int) {
        var at = begin
        var step = steps
        var literal = literals
        let end = steps + plan.pointee.steps
        while step < end, matches(at, literal, Int(step.pointee.length)) {
            let value = at + Int(step.pointee.length)
            guard let next = fastValue(value, step, literal + JSONReader.literalBytes, fill, row) ?? slowValue(value, step, fill, row)
            else { return (nil, 0) }
            at = next
            step += 1
            literal += JSONReader.literalStride
        }
        return (at, step - steps)
    }

    @inline(__always)
    private func matches(_ text: UnsafePointer<UInt8>, _ literal: UnsafePointer<UInt8>, _ length: Int) -> Bool {
        if length <= 16 { return length >= 0 && ck_same16(text, literal, Int32(truncatingIfNeeded: length)) != 0 }
        guard ck_same16(text, literal, 16) != 0 else { return false }
        if length <= 32 { return ck_same16(text + 16, literal + 16, Int32(truncatingIfNeeded: length - 16)) != 0 }
        return ck_same16(text + 16, literal + 16, 16) != 0
            && ck_same16(text + 32, literal + 32, Int32(truncatingIfNeeded: length - 32)) != 0
    }

    /// The fields of a row from number `first` on, whatever they are, and the plan for the next row. `isRow` becomes false for a
    /// blank line. Nil: malformed, see `fault`.
    @inline(never)
    private func otherFields(
        _ begin: UnsafePointer<UInt8>, from: UnsafePointer<UInt8>, _ first: Int, _ fill: ColumnFill, _ row: Int, _ isRow: inout Bool
    ) -> UnsafePointer<UInt8>? {
        var at = from
        var index = first
        var planned = plan.pointee.steps
        while true {
            let place = min(index, JSONReader.maximumSteps)
            let step = steps + place
            let literal = literals + place * JSONReader.literalStride
            if place < planned, matches(at, literal, Int(step.pointee.length)) {
                at += Int(step.pointee.length)
            } else {
                var next = skipSpace(at)
                if index == 0 {
                    if next[0] == 0xEF, next[1] == 0xBB, next[2] == 0xBF { next = skipSpace(next + 3) }
                    if next[0] == 0x0A {
                        isRow = false
                        return next + 1
                    }
                    guard next[0] == 0x7B else { return fail(next, "expected '{'") }
                    next = skipSpace(next + 1)
                    if next[0] == 0x7D {
                        at = next + 1
                        break
                    }
                } else if next[0] == 0x7D {
                    at = next + 1
                    break
                } else {
                    guard next[0] == 0x2C else { return fail(next, "expected ',' or '}'") }
                    next = skipSpace(next + 1)
                }
                guard let value = readKey(next, step) else { return nil }
                let length = value - at
                if length <= JSONReader.literalBytes {
                    literal.update(from: at, count: length)
                    step.pointee.length = Int32(length)
                } else { step.pointee.length = -1 }
                if place < JSONReader.maximumSteps { planned = max(planned, place + 1) }
                at = value
            }
            guard let next = fastValue(at, step, literal + JSONReader.literalBytes, fill, row) ?? slowValue(at, step, fill, row)
            else { return nil }
            at = next
            index += 1
        }
        at = skipSpace(at)
        guard at[0] == 0x0A else { return fail(at, "expected the end of the line behind '}'") }
        planned = min(index, JSONReader.maximumSteps)
        var set = 0
        for place in 0..<planned where steps[place].column >= 0 { set += 1 }
        var isWhole = set == types.count && index == planned
        for column in types.indices where Int(fill.targets[column].row) != row {
            isWhole = false
            if options.failOnMissingField { return fail(begin, "field '\(names[column])' is missing") }
            fill.setNull(column, row)
        }
        plan.pointee = Plan(steps: planned, isWhole: isWhole)
        return at + 1
    }

    /// Reads `"key" :` and white space, and fills the step for the key. Returns where the value begins.
    private func readKey(_ begin: UnsafePointer<UInt8>, _ step: UnsafeMutablePointer<Step>) -> UnsafePointer<UInt8>? {
        guard begin[0] == 0x22 else { return fail(begin, "expected a key in double quotes") }
        guard let key = readString(begin) else { return nil }
        var at = skipSpace(key.next)
        guard at[0] == 0x3A else { return fail(at, "expected ':' behind a key") }
        at = skipSpace(at + 1)
        if let column = keys.find(key.text, key.count) {
            step.pointee = Step(
                length: -1, column: Int32(column), kind: kinds[column], precision: FieldKind.precision(types[column].kind),
                hint: 0, minute: 0)
        } else {
            step.pointee = Step(length: -1, column: -1, kind: .skip, precision: 0, hint: 0, minute: 0)
        }
        return at
    }

    private func notUTF8(_ line: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        ck_is_utf8(line, newline(line) - line) != 0 ? nil : line
    }

    /// There is one: lines are only read whole.
    private func newline(_ line: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        UnsafePointer(memchr(line, 0x0A, 1 << 40).assumingMemoryBound(to: UInt8.self))
    }

    @inline(never)
    func fail(_ at: UnsafePointer<UInt8>, _ message: String) -> UnsafePointer<UInt8>? {
        fault = message
        faultAt = at
        return nil
    }
}
