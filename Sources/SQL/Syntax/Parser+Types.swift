extension Parser {
    /// A type with its NOT NULL.
    mutating func parseType() throws(SQLError) -> TypeSyntax {
        try enter()
        defer { leave() }
        let start = current.range
        var kind = try parseTypeKind()
        while isAt("ARRAY") || isAt("MULTISET") {  // `INT ARRAY`, the standard's way to write ARRAY<INT>.
            let element = TypeSyntax(kind: kind, nullable: true, range: start.through(previousRange))
            try growByOne(at: element.range)
            kind = take().keyword == "ARRAY" ? .array(element) : .multiset(element)
        }
        var nullable = true
        if accept("NOT", "NULL") { nullable = false } else { _ = accept("NULL") }
        return TypeSyntax(kind: kind, nullable: nullable, range: start.through(previousRange))
    }

    private mutating func parseTypeKind() throws(SQLError) -> TypeSyntax.Kind {
        switch current.keyword {
        case "ARRAY":
            advance()
            return .array(try parseBracketed())
        case "MULTISET":
            advance()
            return .multiset(try parseBracketed())
        case "MAP":
            advance()
            try expect("<")
            let key = try parseType()
            try expect(",")
            let value = try parseType()
            try expect(">")
            return .map(key, value)
        case "ROW":
            advance()
            return .row(try parseFields())
        case "INTERVAL":
            advance()
            return .interval(try parseIntervalUnits())
        default: return try parsePlainType()
        }
    }

    private mutating func parseBracketed() throws(SQLError) -> TypeSyntax {
        try expect("<")
        let type = try parseType()
        try expect(">")
        return type
    }

    private mutating func parseFields() throws(SQLError) -> [TypeSyntax.Field] {
        let close: String
        if accept("(") { close = ")" } else {
            try expect("<")
            close = ">"
        }
        var fields: [TypeSyntax.Field] = []
        repeat {
            let name = try takeName("a field's name")
            let type = try parseType()
            if current.kind == .string { advance() }  // A field's comment.
            fields.append(TypeSyntax.Field(name: name, type: type))
        } while accept(",")
        try expect(close)
        return fields
    }

    private mutating func parsePlainType() throws(SQLError) -> TypeSyntax.Kind {
        note("a type")
        guard current.kind == .word else {
            if current.kind == .quotedName { return .named(try takeObjectName("a type")) }
            throw unexpected()
        }
        let written = current
        let name = TypeSyntax.synonyms[written.keyword] ?? written.keyword
        guard let count = TypeSyntax.plain[name] else {
            let known = TypeSyntax.plain.keys.sorted() + ["ARRAY", "MAP", "ROW", "MULTISET", "INTERVAL"]
            if Token.reserved.contains(name) { throw unexpected() }
            let object = try takeObjectName("a type")
            if object.parts.count == 1, let near = nearName(to: name, among: known) {
                throw SQLError("unknown type '\(object.text)'", at: object.range, hint: "did you mean \(near)?")
            }
            return .named(object)
        }
        advance()
        let varying = (name == "CHAR" || name == "BINARY") && accept("VARYING")
        if name == "DOUBLE" { _ = accept("PRECISION") }
        var numbers: [Int] = []
        if count.upperBound > 0, accept("(") {
            repeat { numbers.append(try takeInteger("a number")) } while numbers.count < count.upperBound && accept(",")
            try expect(")")
        }
        if varying { return .plain("VAR" + name, numbers) }
        return .plain(try parseTimeZone(after: name), numbers)
    }

    /// `WITH LOCAL TIME ZONE` and its kin after TIME or TIMESTAMP.
    private mutating func parseTimeZone(after name: String) throws(SQLError) -> String {
        guard name == "TIME" || name == "TIMESTAMP" else { return name }
        if accept("WITHOUT", "TIME", "ZONE") { return name }
        guard name == "TIMESTAMP" else { return name }
        if accept("WITH", "LOCAL", "TIME", "ZONE") { return "TIMESTAMP_LTZ" }
        return accept("WITH", "TIME", "ZONE") ? "TIMESTAMP_TZ" : name
    }

    /// `DAY(3) TO SECOND(6)` and shorter.
    mutating func parseIntervalUnits() throws(SQLError) -> IntervalUnitsSyntax {
        let (first, precision, ownFraction) = try parseIntervalUnit()
        guard accept("TO") else { return IntervalUnitsSyntax(first: first, last: nil, precision: precision, fraction: ownFraction) }
        let start = current.range
        let (last, fraction, _) = try parseIntervalUnit()
        let order: [TimeUnitSyntax] = [.year, .month, .day, .hour, .minute, .second]
        guard let from = order.firstIndex(of: first), let to = order.firstIndex(of: last), from < to, (to <= 1) == (from <= 1) else {
            throw SQLError("no interval goes from \(first.rawValue) to \(last.rawValue)", at: start)
        }
        return IntervalUnitsSyntax(first: first, last: last, precision: precision, fraction: fraction)
    }

    private mutating func parseIntervalUnit() throws(SQLError) -> (TimeUnitSyntax, Int?, Int?) {
        let units: [TimeUnitSyntax] = [.second, .minute, .hour, .day, .week, .month, .quarter, .year]
        for unit in units { note(unit.rawValue) }
        guard current.kind == .word, let unit = TimeUnitSyntax(keyword: current.keyword), units.contains(unit) else { throw unexpected() }
        advance()
        guard accept("(") else { return (unit, nil, nil) }
        let precision = try takeInteger("a number of digits")
        let fraction = unit == .second && accept(",") ? try takeInteger("a number of digits") : nil
        try expect(")")
        return (unit, precision, fraction)
    }
}
