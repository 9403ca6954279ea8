/// Back to SQL in one fixed form: keywords in capitals, one space, every operation in parentheses. For messages, plans and tests;
/// parsing the text again gives the same text.
extension ExpressionSyntax: CustomStringConvertible {
    var description: String {
        switch kind {
        case .literal(let literal): literal.description
        case .name(let name): name.description
        case .star: "*"
        case .symbol(let word): word
        case .defaultValue: "DEFAULT"
        case .unary(let operation, let operand): "(\(operation.rawValue) \(operand))"
        case .binary(let operation, let left, let right): "(\(left) \(operation.rawValue) \(right))"
        case .and(let terms): "(" + terms.map(\.description).joined(separator: " AND ") + ")"
        case .or(let terms): "(" + terms.map(\.description).joined(separator: " OR ") + ")"
        case .isTest(let operand, let test, let negated): "(\(operand) IS \(negated ? "NOT " : "")\(test))"
        case .isDistinct(let left, let right, let negated): "(\(left) IS \(negated ? "NOT " : "")DISTINCT FROM \(right))"
        case .between(let operand, let low, let high, let symmetric, let negated):
            "(\(operand) \(negated ? "NOT " : "")BETWEEN \(symmetric ? "SYMMETRIC " : "")\(low) AND \(high))"
        case .inList(let operand, let items, let negated): "(\(operand) \(negated ? "NOT " : "")IN (\(commaList(items))))"
        case .inQuery(let operand, let query, let negated): "(\(operand) \(negated ? "NOT " : "")IN (\(query)))"
        case .like(let operand, let pattern, let escape, let similar, let negated):
            "(\(operand) \(negated ? "NOT " : "")\(similar ? "SIMILAR TO" : "LIKE") \(pattern)\(escape.map { " ESCAPE \($0)" } ?? ""))"
        case .exists(let query): "EXISTS (\(query))"
        case .scalarQuery(let query): "(\(query))"
        case .quantified(let operation, let left, let word, let query): "(\(left) \(operation.rawValue) \(word) (\(query)))"
        case .caseWhen(let operand, let branches, let otherwise):
            "CASE" + (operand.map { " \($0)" } ?? "") + branches.map { " WHEN \($0.when) THEN \($0.then)" }.joined()
                + (otherwise.map { " ELSE \($0)" } ?? "") + " END"
        case .cast(let operand, let type, let orNull): "\(orNull ? "TRY_CAST" : "CAST")(\(operand) AS \(type))"
        case .call(let call): call.description
        case .array(let items): "ARRAY[\(commaList(items))]"
        case .map(let items): "MAP[\(commaList(items))]"
        case .row(let items): "ROW(\(commaList(items)))"
        case .element(let operand, let index): "\(operand)[\(index)]"
        case .field(let operand, let field): if case .name = operand.kind { "(\(operand)).\(field)" } else { "\(operand).\(field)" }
        case .atTimeZone(let operand, let zone): "\(operand) AT TIME ZONE \(zone)"
        }
    }
}

func commaList(_ items: [some CustomStringConvertible]) -> String { items.map(\.description).joined(separator: ", ") }

func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
}

extension NameSyntax: CustomStringConvertible {
    /// In backticks where it must be.
    var description: String {
        let plain = text.utf8.allSatisfy { isPlain($0) } && !(text.utf8.first.map { $0 >= 0x30 && $0 <= 0x39 } ?? true)
        let word = text.uppercased()
        if plain, !Token.reserved.contains(word) { return text }
        return "`" + text.split(separator: "`", omittingEmptySubsequences: false).joined(separator: "``") + "`"
    }

    private func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        default: false
        }
    }
}

extension ObjectNameSyntax: CustomStringConvertible {
    var description: String { parts.map(\.description).joined(separator: ".") }
}

extension LiteralSyntax: CustomStringConvertible {
    var description: String {
        switch self {
        case .exact(let digits), .approximate(let digits): digits
        case .string(let text): quoted(text)
        case .binary(let digits): "X'\(digits)'"
        case .boolean(let value): value ? "TRUE" : "FALSE"
        case .null: "NULL"
        case .date(let text): "DATE \(quoted(text))"
        case .time(let text): "TIME \(quoted(text))"
        case .timestamp(let text): "TIMESTAMP \(quoted(text))"
        case .interval(let text, let negative, let units): "INTERVAL \(negative ? "-" : "")\(quoted(text)) \(units)"
        }
    }
}

extension CallSyntax: CustomStringConvertible {
    var description: String {
        var inside = (distinct ? "DISTINCT " : "") + commaList(arguments)
        switch function {
        case "EXTRACT" where arguments.count == 2: inside = "\(arguments[0]) FROM \(arguments[1])"
        case "TRIM" where arguments.count == 3: inside = "\(arguments[0]) \(arguments[1]) FROM \(arguments[2])"
        case "CEIL", "CEILING", "FLOOR":
            if arguments.count == 2, case .symbol = arguments[1].expression?.kind { inside = "\(arguments[0]) TO \(arguments[1])" }
        case "JSON_OBJECT", "JSON_OBJECTAGG":
            inside = stride(from: 0, to: arguments.count - 1, by: 2).map { "KEY \(arguments[$0]) VALUE \(arguments[$0 + 1])" }.joined(separator: ", ")
        default: break
        }
        var text = "\(name)(" + inside + clauses.map { " \($0)" }.joined() + ")"
        if !withinGroup.isEmpty { text += " WITHIN GROUP (ORDER BY \(commaList(withinGroup)))" }
        if let ignoreNulls { text += ignoreNulls ? " IGNORE NULLS" : " RESPECT NULLS" }
        if let filter { text += " FILTER (WHERE \(filter))" }
        switch over {
        case .named(let name): text += " OVER \(name)"
        case .window(let window): text += " OVER \(window)"
        case nil: break
        }
        return text
    }
}

extension ArgumentSyntax: CustomStringConvertible {
    var description: String {
        let text =
            switch value {
            case .expression(let expression): expression.description
            case .table(let table):
                "TABLE \(table.input)" + (table.partitionBy.isEmpty ? "" : " PARTITION BY (\(commaList(table.partitionBy)))")
                    + (table.orderBy.isEmpty ? "" : " ORDER BY \(commaList(table.orderBy))")
            case .descriptor(let names): "DESCRIPTOR(\(commaList(names)))"
            }
        return name.map { "\($0) => \(text)" } ?? text
    }
}

extension ClauseSyntax: CustomStringConvertible {
    var description: String {
        if let type { return "\(words) \(type)" }
        if let value { return "DEFAULT \(value)" + words.dropFirst("DEFAULT".count) }
        return words
    }
}

extension WindowSyntax: CustomStringConvertible {
    var description: String {
        var parts: [String] = []
        if let base { parts.append(base.description) }
        if !partitionBy.isEmpty { parts.append("PARTITION BY \(commaList(partitionBy))") }
        if !orderBy.isEmpty { parts.append("ORDER BY \(commaList(orderBy))") }
        if let frame { parts.append("\(frame.rows ? "ROWS" : "RANGE") BETWEEN \(frame.from) AND \(frame.to)") }
        return "(" + parts.joined(separator: " ") + ")"
    }
}

extension WindowSyntax.Bound: CustomStringConvertible {
    var description: String {
        switch self {
        case .unboundedPreceding: "UNBOUNDED PRECEDING"
        case .currentRow: "CURRENT ROW"
        case .unboundedFollowing: "UNBOUNDED FOLLOWING"
        case .preceding(let distance): "\(distance) PRECEDING"
        case .following(let distance): "\(distance) FOLLOWING"
        }
    }
}

extension OrderItemSyntax: CustomStringConvertible {
    var description: String {
        "\(expression)" + (descending ? " DESC" : "") + (nullsFirst.map { $0 ? " NULLS FIRST" : " NULLS LAST" } ?? "")
    }
}

extension IntervalUnitsSyntax: CustomStringConvertible {
    var description: String {
        func digits(_ numbers: [Int?]) -> String { numbers.contains { $0 != nil } ? "(" + commaList(numbers.compactMap(\.self)) + ")" : "" }
        guard let last else { return first.rawValue + digits([precision, fraction]) }
        return "\(first.rawValue)\(digits([precision])) TO \(last.rawValue)\(digits([fraction]))"
    }
}

extension TypeSyntax: CustomStringConvertible {
    var description: String {
        let text =
            switch kind {
            case .plain(let name, let numbers): name + (numbers.isEmpty ? "" : "(\(commaList(numbers)))")
            case .interval(let units): "INTERVAL \(units)"
            case .array(let element): "ARRAY<\(element)>"
            case .multiset(let element): "MULTISET<\(element)>"
            case .map(let key, let value): "MAP<\(key), \(value)>"
            case .row(let fields): "ROW<" + fields.map { "\($0.name) \($0.type)" }.joined(separator: ", ") + ">"
            case .named(let name): name.description
            }
        return nullable ? text : text + " NOT NULL"
    }
}
