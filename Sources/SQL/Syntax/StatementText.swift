/// Back to SQL in one fixed form; see ExpressionText.swift.
extension StatementSyntax: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .createTable(let table): table.description
        case .createView(let view): view.description
        case .drop(let drop): "DROP \(drop.temporary ? "TEMPORARY " : "")\(drop.view ? "VIEW" : "TABLE") \(drop.ifExists ? "IF EXISTS " : "")\(drop.name)"
        case .set(let option): "SET" + (option.map { " \($0)" } ?? "")
        case .reset(let key): "RESET" + (key.map { " \(quoted($0))" } ?? "")
        case .insert(let insert): insert.description
        case .statementSet(let inserts): "EXECUTE STATEMENT SET BEGIN\n" + inserts.map { "\($0);\n" }.joined() + "END"
        case .query(let query): query.description
        case .explain(let details, let statement): "EXPLAIN \(details.isEmpty ? "PLAN FOR" : commaList(details)) \(statement)"
        case .show(let words, let name): "SHOW \(words)" + (name.map { " \($0)" } ?? "")
        case .describe(let name): "DESCRIBE \(name)"
        case .other(let words): words
        }
    }
}

extension OptionSyntax: CustomStringConvertible {
    var description: String { key.isEmpty ? quoted(value) : "\(quoted(key)) = \(quoted(value))" }
}

extension HintSyntax: CustomStringConvertible {
    var description: String { options.isEmpty ? name.description : "\(name)(\(commaList(options)))" }
}

private func shown(_ hints: [HintSyntax]) -> String { hints.isEmpty ? "" : " /*+ \(commaList(hints)) */" }

extension CreateTableSyntax: CustomStringConvertible {
    var description: String {
        var elements = columns.map(\.description)
        elements += watermarks.map { "WATERMARK FOR \($0.column) AS \($0.expression)" }
        if !primaryKey.isEmpty { elements.append("PRIMARY KEY (\(commaList(primaryKey))) NOT ENFORCED") }
        var text = "CREATE \(temporary ? "TEMPORARY " : "")TABLE \(ifNotExists ? "IF NOT EXISTS " : "")\(name)"
        if !elements.isEmpty { text += " (\(commaList(elements)))" }
        if let comment { text += " COMMENT \(quoted(comment))" }
        if !partitionedBy.isEmpty { text += " PARTITIONED BY (\(commaList(partitionedBy)))" }
        return options.isEmpty ? text : text + " WITH (\(commaList(options)))"
    }
}

extension ColumnSyntax: CustomStringConvertible {
    var description: String {
        let text =
            switch kind {
            case .physical(let type): "\(name) \(type)"
            case .computed(let expression): "\(name) AS \(expression)"
            case .metadata(let type, let from, let virtual):
                "\(name) \(type) METADATA" + (from.map { " FROM \(quoted($0))" } ?? "") + (virtual ? " VIRTUAL" : "")
            }
        return comment.map { "\(text) COMMENT \(quoted($0))" } ?? text
    }
}

extension CreateViewSyntax: CustomStringConvertible {
    var description: String {
        "CREATE \(temporary ? "TEMPORARY " : "")VIEW \(ifNotExists ? "IF NOT EXISTS " : "")\(name)"
            + (columns.isEmpty ? "" : " (\(commaList(columns)))") + (comment.map { " COMMENT \(quoted($0))" } ?? "") + " AS \(query)"
    }
}

extension InsertSyntax: CustomStringConvertible {
    var description: String {
        var text = "INSERT \(overwrite ? "OVERWRITE" : "INTO") \(target)\(shown(hints))"
        if !partition.isEmpty { text += " PARTITION (" + partition.map { "\($0.name) = \($0.value)" }.joined(separator: ", ") + ")" }
        if !columns.isEmpty { text += " (\(commaList(columns)))" }
        return text + " \(query)"
    }
}

extension QuerySyntax: CustomStringConvertible {
    var description: String {
        var text = ""
        if !commonTables.isEmpty {
            text = "WITH " + commonTables.map { "\($0.name)\($0.columns.isEmpty ? "" : " (\(commaList($0.columns)))") AS (\($0.query))" }.joined(separator: ", ") + " "
        }
        switch body {
        case .select(let select): text += select.description
        case .values(let rows): text += "VALUES " + rows.map { "ROW(\(commaList($0)))" }.joined(separator: ", ")
        case .setOperation(let operation, let all, let left, let right): text += "(\(left)) \(operation.rawValue)\(all ? " ALL" : "") (\(right))"
        case .query(let query): text += "(\(query))"
        }
        if !orderBy.isEmpty { text += " ORDER BY \(commaList(orderBy))" }
        if let limit { text += " LIMIT \(limit)" }
        if let offset { text += " OFFSET \(offset)" }
        return text
    }
}

extension SelectSyntax: CustomStringConvertible {
    var description: String {
        var text = "SELECT\(shown(hints)) \(distinct ? "DISTINCT " : "")\(commaList(items))"
        if let from { text += " FROM \(from)" }
        if let filter { text += " WHERE \(filter)" }
        if let groupBy { text += " GROUP BY \(commaList(groupBy))" }
        if let having { text += " HAVING \(having)" }
        if !windows.isEmpty { text += " WINDOW " + windows.map { "\($0.name) AS \($0.window)" }.joined(separator: ", ") }
        if let qualify { text += " QUALIFY \(qualify)" }
        return text
    }
}

extension SelectSyntax.Item: CustomStringConvertible {
    var description: String {
        switch self {
        case .star(let table, _): (table.map { "\($0)." } ?? "") + "*"
        case .expression(let expression, let alias): "\(expression)" + (alias.map { " AS \($0)" } ?? "")
        }
    }
}

extension SelectSyntax.Grouping: CustomStringConvertible {
    var description: String {
        switch self {
        case .expression(let expression): expression.description
        case .list(let items): items.isEmpty ? "()" : "ROW(\(commaList(items)))"
        case .rollup(let items): "ROLLUP (\(commaList(items)))"
        case .cube(let items): "CUBE (\(commaList(items)))"
        case .sets(let items): "GROUPING SETS (\(commaList(items)))"
        }
    }
}

extension TableSyntax: CustomStringConvertible {
    var description: String {
        var text =
            switch kind {
            case .named(let name, let hints): "\(name)\(shown(hints))"
            case .query(let query, let lateral): "\(lateral ? "LATERAL " : "")(\(query))"
            case .function(let call, let lateral): "\(lateral ? "LATERAL " : "")TABLE(\(call))"
            case .unnest(let arrays, let withOrdinality): "UNNEST(\(commaList(arrays)))\(withOrdinality ? " WITH ORDINALITY" : "")"
            case .join(let join): join.description
            }
        if let asOf { text += " FOR SYSTEM_TIME AS OF \(asOf)" }
        if let alias { text += " AS \(alias.name)" + (alias.columns.isEmpty ? "" : " (\(commaList(alias.columns)))") }
        return text
    }
}

extension JoinSyntax: CustomStringConvertible {
    var description: String {
        let isJoin = if case .join = right.kind { true } else { false }
        let words = "\(condition.isNatural ? "NATURAL " : "")\(kind.rawValue) JOIN \(isJoin ? "(\(right))" : "\(right)")"
        return "\(left) \(words)\(condition)"
    }
}

extension JoinSyntax.Condition: CustomStringConvertible {
    fileprivate var isNatural: Bool { if case .natural = self { true } else { false } }

    var description: String {
        switch self {
        case .none, .natural: ""
        case .on(let condition): " ON \(condition)"
        case .using(let names): " USING (\(commaList(names)))"
        }
    }
}
