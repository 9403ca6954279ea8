import Columnar
import Glibc

/// Functions over text. Places count characters (code points) from 1.
enum TextFunctions {
    static func kernel(
        _ name: String, _ arguments: [DataType], _ result: DataType, _ constants: [Column?]
    ) throws(EvaluationError) -> Kernel? {
        switch name {
        case "UPPER": return texts { call, row, out in TextCase.upper(call.arguments[0].slice(row), into: &out); return true }
        case "LOWER": return texts { call, row, out in TextCase.lower(call.arguments[0].slice(row), into: &out); return true }
        case "INITCAP": return texts { call, row, out in TextCase.capitalized(call.arguments[0].slice(row), into: &out); return true }
        case "REVERSE": return texts { call, row, out in reverse(call.arguments[0].slice(row), into: &out); return true }
        case "CHAR_LENGTH": return numbers(Int32.self) { call, row in Int32(truncatingIfNeeded: Text.length(call.arguments[0].slice(row))) }
        case "OCTET_LENGTH": return numbers(Int32.self) { call, row in Int32(truncatingIfNeeded: call.arguments[0].slice(row).count) }
        case "ASCII": return numbers(Int32.self) { call, row in Int32(call.arguments[0].slice(row).first ?? 0) }
        case "POSITION", "LOCATE":
            return numbers(Int32.self) { call, row in
                position(call.arguments[0].slice(row), in: call.arguments[1].slice(row), from: call.integer(2, row) ?? 1)
            }
        case "INSTR": return numbers(Int32.self) { call, row in position(call.arguments[1].slice(row), in: call.arguments[0].slice(row), from: 1) }
        case "STARTSWITH", "ENDSWITH":
            let atEnd = name == "ENDSWITH"
            return numbers(UInt8.self) { call, row in
                let text = call.arguments[0].slice(row), part = call.arguments[1].slice(row)
                guard part.count <= text.count else { return 0 }
                let start = atEnd ? text.count - part.count : 0
                return Comparison.equal(Text.part(text, start, start + part.count), part) ? 1 : 0
            }
        case "IS_DIGIT": return Kernel(body: { call in test(call) { text in !text.isEmpty && text.allSatisfy { $0 &- 0x30 < 10 } } }, isStrict: false)
        case "IS_ALPHA":
            return Kernel(body: { call in test(call) { text in !text.isEmpty && text.allSatisfy { ($0 | 0x20) &- 0x61 < 26 } } }, isStrict: false)
        case "IS_DECIMAL":
            return Kernel(
                body: { call in
                    test(call) { text in text.baseAddress.flatMap { DoubleText.parse($0, count: text.count) }?.isFinite ?? false }
                }, isStrict: false)
        case "COUNT_CHAR":
            return numbers(Int64.self) { call, row in
                let text = call.arguments[0].slice(row), part = call.arguments[1].slice(row)
                guard part.count > 0 else { return 0 }
                var count: Int64 = 0, at = 0
                while let found = Text.find(part, in: text, from: at) { count += 1; at = found + part.count }
                return count
            }
        case "LIKE", "SIMILAR TO": return try PatternFunctions.matching(name, constants)
        case "REGEXP", "REGEXP_EXTRACT", "REGEXP_REPLACE": return try PatternFunctions.kernel(name, constants)
        case "MD5", "SHA1", "SHA256": return Digest.kernel(name)
        default: return building(name, arguments)
        }
    }

    /// Functions that put text together.
    private static func building(_ name: String, _ arguments: [DataType]) -> Kernel? {
        switch name {
        case "||", "CONCAT":
            return texts { call, row, out in
                for argument in call.arguments { out.put(argument.slice(row)) }
                return true
            }
        case "CONCAT_WS": return Kernel(body: joined, isStrict: false)
        case "SUBSTRING": return texts { call, row, out in substring(call, row, &out) }
        case "LEFT", "RIGHT":
            let right = name == "RIGHT"
            return texts { call, row, out in
                let text = call.arguments[0].slice(row), count = max(0, call.integer(1, row) ?? 0)
                let from = right ? Text.place(ofCharacter: Text.length(text) - count, in: text) : 0
                out.put(Text.part(text, from, right ? text.count : Text.place(ofCharacter: count, in: text)))
                return true
            }
        case "TRIM":
            guard arguments.count == 3 else { return trimming(leading: true, trailing: true, text: 0, what: nil) }
            return texts { call, row, out in
                let side = call.arguments[0].slice(row).first.map { $0 | 0x20 }
                // LEADING, TRAILING, BOTH
                trim(call.arguments[2].slice(row), call.arguments[1].slice(row), leading: side != 0x74, trailing: side != 0x6C, into: &out)
                return true
            }
        case "LTRIM", "RTRIM", "BTRIM":
            return trimming(leading: name != "RTRIM", trailing: name != "LTRIM", text: 0, what: arguments.count == 2 ? 1 : nil)
        case "LPAD", "RPAD":
            let left = name == "LPAD"
            return texts(growing: true) { call, row, out in pad(call, row, left: left, &out) }
        case "REPEAT":
            return texts(growing: true) { call, row, out in
                let text = call.arguments[0].slice(row), times = max(0, call.integer(1, row) ?? 0)
                guard text.count > 0, out.fits(text.count * times) else { return true }
                for _ in 0..<times { out.put(text) }
                return true
            }
        case "REPLACE":
            return texts(growing: true) { call, row, out in
                replace(call.arguments[0].slice(row), call.arguments[1].slice(row), call.arguments[2].slice(row), into: &out)
                return true
            }
        case "TRANSLATE": return texts { call, row, out in translate(call, row, &out); return true }
        case "OVERLAY": return texts { call, row, out in overlay(call, row, &out); return true }
        case "SPLIT_INDEX":
            let byNumber = arguments[1].kind == .integer
            return texts { call, row, out in split(call, row, byNumber: byNumber, &out) }
        case "CHR":
            return texts { call, row, out in
                let code = call.arguments[0].column.pointer(Int64.self)[row * call.arguments[0].stride]
                if code >= 0 { TextCase.put(UInt32(truncatingIfNeeded: code & 0xFF), into: &out) }
                return true
            }
        case "BIN", "HEX": return digits(name, arguments)
        case "TO_BASE64": return texts { call, row, out in Base64.encode(call.arguments[0].slice(row), into: &out); return true }
        case "FROM_BASE64": return texts { call, row, out in Base64.decode(call.arguments[0].slice(row), into: &out) }
        case "UUID":
            return Kernel(
                body: { call in
                    var out = TextBuilder(type: call.type, rows: call.rows, bytes: call.rows * 36)
                    for row in 0..<call.rows {
                        let high = KeyHash.of(call.context.chance &+ UInt64(row) &* 2), low = KeyHash.of(high ^ call.context.chance &+ 1)
                        uuid(high, low, into: &out)
                    }
                    return out.finish(validity: nil)
                }, isPerRow: true, isContextual: true)
        default: return nil
        }
    }

    /// A text for each row that is not null; false makes it NULL. `growing`: short arguments may give a text that is too long.
    @inline(__always)
    static func texts(growing: Bool = false, _ body: @escaping @Sendable (Call, Int, inout TextBuilder) -> Bool) -> Kernel {
        Kernel(body: { call throws(EvaluationError) in
            var out = TextBuilder(type: call.type, rows: call.rows, bytes: call.rows * 16, isBounded: true)
            var nulls = NullMarks(call)
            for row in 0..<call.rows {
                if !call.isNull(row), !body(call, row, &out) {
                    out.rewindRow()
                    nulls.set(row)
                }
                if out.isTooLong { throw tooLong(out.used) }
                out.endRow()
            }
            return out.finish(validity: nulls.buffer)
        }, canFail: growing)
    }

    /// Strings have bounds, so that no function takes all memory there is: 64 MiB a value, 1 GiB the values of one batch.
    static func tooLong(_ used: Int) -> EvaluationError {
        used > TextBuilder.longestColumn - TextBuilder.longestValue
            ? EvaluationError("the results of one batch are longer than \(TextBuilder.longestColumn >> 20) MiB")
            : EvaluationError("a result is longer than \(TextBuilder.longestValue >> 20) MiB")
    }

    @inline(__always)
    private static func numbers<R: AdditiveArithmetic & SendableMetatype>(_: R.Type, _ body: @escaping @Sendable (Call, Int) -> R) -> Kernel {
        Kernel { call in
            let values = Buffer(capacity: call.rows * MemoryLayout<R>.stride), to = values.typed(R.self)
            for row in 0..<call.rows { to[row] = call.isNull(row) ? .zero : body(call, row) }
            return call.result(values)
        }
    }

    /// A test that is false for NULL.
    private static func test(_ call: Call, _ body: (Text.Slice) -> Bool) -> Column {
        let values = Buffer(capacity: call.rows), to = values.typed(UInt8.self), argument = call.arguments[0]
        for row in 0..<call.rows { to[row] = !argument.isNull(row) && body(argument.slice(row)) ? 1 : 0 }
        return Column(type: call.type, count: call.rows, values: values)
    }

    private static func joined(_ call: Call) throws(EvaluationError) -> Column {
        let separator = call.arguments[0]
        let validity = Validity.allPresent(call.rows), words = validity.typed(UInt64.self)
        var out = TextBuilder(type: call.type, rows: call.rows, bytes: call.rows * 16, isBounded: true)
        for row in 0..<call.rows {
            if separator.isNull(row) { Validity.clear(words, row) } else {
                var first = true
                for part in call.arguments.dropFirst() where !part.isNull(row) {
                    if !first { out.put(separator.slice(row)) }
                    first = false
                    out.put(part.slice(row))
                }
            }
            if out.isTooLong { throw tooLong(out.used) }
            out.endRow()
        }
        return out.finish(validity: validity)
    }

    private static func reverse(_ text: Text.Slice, into out: inout TextBuilder) {
        var end = text.count
        while end > 0 {
            var start = end - 1
            while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
            out.put(Text.part(text, start, end))
            end = start
        }
    }

    private static func position(_ part: Text.Slice, in text: Text.Slice, from: Int) -> Int32 {
        guard from >= 1 else { return 0 }
        guard let found = Text.find(part, in: text, from: Text.place(ofCharacter: from - 1, in: text)) else { return 0 }
        return Int32(truncatingIfNeeded: Text.length(Text.part(text, 0, found)) + 1)
    }

    private static func substring(_ call: Call, _ row: Int, _ out: inout TextBuilder) -> Bool {
        let text = call.arguments[0].slice(row), start = call.integer(1, row) ?? 1
        let count = call.arguments.count > 2 ? call.integer(2, row) ?? 0 : Int(Int32.max)
        if count < 0 { return false }
        var first = max(0, start - 1)
        if start < 0 {
            first = Text.length(text) + start
            if first < 0 { return true }
        }
        let from = Text.place(ofCharacter: first, in: text)
        let rest = Text.part(text, from, text.count)
        out.put(Text.part(rest, 0, Text.place(ofCharacter: count, in: rest)))
        return true
    }

    private static func trimming(leading: Bool, trailing: Bool, text: Int, what: Int?) -> Kernel {
        texts { call, row, out in
            let slice = call.arguments[text].slice(row)
            if let what { trim(slice, call.arguments[what].slice(row), leading: leading, trailing: trailing, into: &out) } else {
                var from = 0, to = slice.count
                while leading, from < to, slice[from] == 0x20 { from += 1 }
                while trailing, to > from, slice[to - 1] == 0x20 { to -= 1 }
                out.put(Text.part(slice, from, to))
            }
            return true
        }
    }

    /// Without the characters of `set` at the ends.
    private static func trim(_ text: Text.Slice, _ set: Text.Slice, leading: Bool, trailing: Bool, into out: inout TextBuilder) {
        func isIn(_ character: Text.Slice) -> Bool {
            var at = 0
            while at < set.count {
                let end = min(at + Text.width(set[at]), set.count)
                if Comparison.equal(Text.part(set, at, end), character) { return true }
                at = end
            }
            return false
        }
        var from = 0, to = text.count
        while leading, from < to {
            let end = min(from + Text.width(text[from]), to)
            guard isIn(Text.part(text, from, end)) else { break }
            from = end
        }
        while trailing, to > from {
            var start = to - 1
            while start > from, text[start] & 0xC0 == 0x80 { start -= 1 }
            guard isIn(Text.part(text, start, to)) else { break }
            to = start
        }
        out.put(Text.part(text, from, to))
    }

    private static func pad(_ call: Call, _ row: Int, left: Bool, _ out: inout TextBuilder) -> Bool {
        let text = call.arguments[0].slice(row), fill = call.arguments[2].slice(row)
        guard let wanted = call.integer(1, row), wanted >= 0, fill.count > 0 else { return false }
        // Flink pads Java strings, so lengths are UTF-16 units here.
        let kept = Text.prefix(text, units: wanted)
        let missing = wanted - Text.units(kept), fillLength = Text.units(fill)
        guard out.fits(kept.count + missing / fillLength * fill.count) else { return true }
        if !left { out.put(kept) }
        for _ in 0..<missing / fillLength { out.put(fill) }
        out.put(Text.prefix(fill, units: missing % fillLength))
        if left { out.put(kept) }
        return true
    }

    /// As Java's `String.replace`: an empty part is found before every character and at the end.
    private static func replace(_ text: Text.Slice, _ part: Text.Slice, _ new: Text.Slice, into out: inout TextBuilder) {
        var at = 0
        if part.count == 0 {
            while at < text.count, !out.isTooLong {
                let end = min(at + Text.width(text[at]), text.count)
                out.put(new)
                out.put(Text.part(text, at, end))
                at = end
            }
            return out.put(new)
        }
        while !out.isTooLong, let found = Text.find(part, in: text, from: at) {
            out.put(Text.part(text, at, found))
            out.put(new)
            at = found + part.count
        }
        out.put(Text.part(text, at, text.count))
    }

    /// Each character of the second argument becomes the one at its place in the third, or nothing.
    private static func translate(_ call: Call, _ row: Int, _ out: inout TextBuilder) {
        let text = call.arguments[0].slice(row), from = call.arguments[1].slice(row), to = call.arguments[2].slice(row)
        var at = 0
        while at < text.count {
            let end = min(at + Text.width(text[at]), text.count), character = Text.part(text, at, end)
            at = end
            var place = 0, index = 0, found = false
            while index < from.count, !found {
                let next = min(index + Text.width(from[index]), from.count)
                found = Comparison.equal(Text.part(from, index, next), character)
                if !found { place += 1 }
                index = next
            }
            guard found else { out.put(character); continue }
            let start = Text.place(ofCharacter: place, in: to)
            if start < to.count { out.put(Text.part(to, start, min(start + Text.width(to[start]), to.count))) }
        }
    }

    private static func overlay(_ call: Call, _ row: Int, _ out: inout TextBuilder) {
        let text = call.arguments[0].slice(row), new = call.arguments[1].slice(row)
        let start = call.integer(2, row) ?? 1, length = Text.length(text)
        let count = call.integer(3, row) ?? Text.length(new)
        guard start >= 1, start <= length, count >= 0 else { return out.put(text) }
        out.put(Text.part(text, 0, Text.place(ofCharacter: start - 1, in: text)))
        out.put(new)
        out.put(Text.part(text, Text.place(ofCharacter: start - 1 + count, in: text), text.count))
    }

    private static func split(_ call: Call, _ row: Int, byNumber: Bool, _ out: inout TextBuilder) -> Bool {
        let text = call.arguments[0].slice(row)
        guard var index = call.integer(2, row), index >= 0, text.count > 0 else { return false }
        var code = UInt8(truncatingIfNeeded: byNumber ? call.integer(1, row) ?? 0 : 0)
        return withUnsafePointer(to: &code) { code in
            let separator = byNumber ? Text.Slice(start: code, count: 1) : call.arguments[1].slice(row)
            guard separator.count > 0 else { return false }
            var at = 0
            while index > 0 {
                guard let found = Text.find(separator, in: text, from: at) else { return false }
                at = found + separator.count
                index -= 1
            }
            out.put(Text.part(text, at, Text.find(separator, in: text, from: at) ?? text.count))
            return true
        }
    }

    private static func digits(_ name: String, _ arguments: [DataType]) -> Kernel {
        if arguments[0].kind == .bigint {
            let radix = name == "BIN" ? 2 : 16
            return texts { call, row, out in
                let value = call.arguments[0].column.pointer(UInt64.self)[row * call.arguments[0].stride]
                for byte in String(value, radix: radix, uppercase: true).utf8 { out.put(byte) }
                return true
            }
        }
        return texts { call, row, out in
            for byte in call.arguments[0].slice(row) { Digest.put(byte, uppercase: true, into: &out) }
            return true
        }
    }

    private static func uuid(_ high: UInt64, _ low: UInt64, into out: inout TextBuilder) {
        // Version 4, variant 1.
        let a = high & ~0xF000 | 0x4000, b = low & ~(0xC << 60) | 0x8 << 60
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 { out.put(0x2D) }
            let word = index < 8 ? a : b
            Digest.put(UInt8(truncatingIfNeeded: word >> UInt64(56 - index % 8 * 8)), uppercase: false, into: &out)
        }
        out.endRow()
    }
}

extension Call {
    /// An INT argument of a row; nil when there is no such argument.
    @inline(__always) func integer(_ index: Int, _ row: Int) -> Int? {
        guard index < arguments.count else { return nil }
        return Int(arguments[index].column.pointer(Int32.self)[row * arguments[index].stride])
    }
}
