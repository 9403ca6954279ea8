import Columnar

/// LIKE, SIMILAR TO and REGEXP…: constant patterns are compiled once, others whenever the pattern's text changes.
enum PatternFunctions {
    static func matching(_ name: String, _ constants: [Column?]) throws(EvaluationError) -> Kernel? {
        let escape = constants.count > 2 ? constants[2] : nil
        func byte(_ column: Column?) -> UInt8? { column.flatMap { $0.slice(0).first } }
        if name == "LIKE" {
            if let pattern = constants[1], !pattern.isNull(0) {
                let like = try LikePattern(pattern.slice(0), escape: byte(escape))
                return Kernel { call in flags(call) { row in like.matches(call.arguments[0].slice(row)) } }
            }
            return Kernel { call throws(EvaluationError) in
                let values = Buffer.zeroed(capacity: call.rows), to = values.typed(UInt8.self)
                for row in 0..<call.rows where !call.isNull(row) {
                    let mark = call.arguments.count > 2 ? call.arguments[2].slice(row).first : nil
                    to[row] = try LikePattern(call.arguments[1].slice(row), escape: mark).matches(call.arguments[0].slice(row)) ? 1 : 0
                }
                return call.result(values)
            }.failing
        }
        let mark = escape.flatMap { String(decoding: $0.slice(0), as: UTF8.self).first }
        return try searching(constants) { pattern throws(EvaluationError) in try Regex.similar(pattern, escape: mark) }
    }

    static func kernel(_ name: String, _ constants: [Column?]) throws(EvaluationError) -> Kernel? {
        let compile: Compile = { pattern throws(EvaluationError) in try Regex(pattern) }
        switch name {
        case "REGEXP": return try searching(constants, compile)
        case "REGEXP_EXTRACT":
            return try texts(constants, compile) { call, row, regex, scratch, out in
                let text = call.arguments[0].slice(row), group = call.integer(2, row) ?? 0
                guard group >= 0, group <= regex.groups, regex.search(text, &scratch), let range = scratch.range(group) else { return false }
                out.put(Text.part(text, range.lowerBound, range.upperBound))
                return true
            }
        default:
            return try texts(constants, compile) { call, row, regex, scratch, out in
                let text = call.arguments[0].slice(row), new = call.arguments[2].slice(row)
                var at = 0, from = 0
                while from <= text.count, !out.isTooLong, regex.search(text, from: from, &scratch), let match = scratch.range(0) {
                    out.put(Text.part(text, at, match.lowerBound))
                    out.put(new)
                    at = match.upperBound
                    // After an empty match the search goes on one character later, which stays.
                    from = match.isEmpty ? at + (at < text.count ? Text.width(text[at]) : 1) : at
                }
                out.put(Text.part(text, min(at, text.count), text.count))
                return true
            }
        }
    }

    private typealias Compile = @Sendable (String) throws(EvaluationError) -> Regex

    /// The expression of the current row.
    private struct Current {
        let fixed: Regex?
        let compile: Compile
        private var text: [UInt8] = []
        private var regex: Regex?

        init(fixed: Regex?, compile: @escaping Compile) {
            self.fixed = fixed
            self.compile = compile
        }

        mutating func of(_ call: Call, _ row: Int) throws(EvaluationError) -> Regex {
            if let fixed { return fixed }
            let slice = call.arguments[1].slice(row)
            if let regex, slice.elementsEqual(text) { return regex }
            text = Array(slice)
            let read = try compile(String(decoding: slice, as: UTF8.self))
            regex = read
            return read
        }
    }

    private static func fixed(_ constants: [Column?], _ compile: Compile) throws(EvaluationError) -> Regex? {
        guard let pattern = constants[1], !pattern.isNull(0) else { return nil }
        return try compile(String(decoding: pattern.slice(0), as: UTF8.self))
    }

    private static func searching(_ constants: [Column?], _ compile: @escaping Compile) throws(EvaluationError) -> Kernel {
        let fixed = try fixed(constants, compile)
        return Kernel(
            body: { call throws(EvaluationError) in
                let values = Buffer.zeroed(capacity: call.rows), to = values.typed(UInt8.self)
                var current = Current(fixed: fixed, compile: compile), scratch = Regex.Scratch()
                for row in 0..<call.rows where !call.isNull(row) {
                    to[row] = try current.of(call, row).search(call.arguments[0].slice(row), &scratch) ? 1 : 0
                }
                return call.result(values)
            }, canFail: fixed == nil, isCostly: true)
    }

    private static func texts(
        _ constants: [Column?], _ compile: @escaping Compile,
        _ body: @escaping @Sendable (Call, Int, Regex, inout Regex.Scratch, inout TextBuilder) -> Bool
    ) throws(EvaluationError) -> Kernel {
        let fixed = try fixed(constants, compile)
        return Kernel(
            body: { call throws(EvaluationError) in
                var out = TextBuilder(type: call.type, rows: call.rows, bytes: call.rows * 16, isBounded: true)
                var nulls = NullMarks(call), current = Current(fixed: fixed, compile: compile), scratch = Regex.Scratch()
                for row in 0..<call.rows {
                    if !call.isNull(row), !body(call, row, try current.of(call, row), &scratch, &out) {
                        out.rewindRow()
                        nulls.set(row)
                    }
                    if out.isTooLong { throw TextFunctions.tooLong(out.used) }
                    out.endRow()
                }
                return out.finish(validity: nulls.buffer)
            }, canFail: fixed == nil, isCostly: true)
    }

    @inline(__always) private static func flags(_ call: Call, _ body: (Int) -> Bool) -> Column {
        let values = Buffer(capacity: call.rows), to = values.typed(UInt8.self)
        for row in 0..<call.rows { to[row] = !call.isNull(row) && body(row) ? 1 : 0 }
        return call.result(values)
    }
}
