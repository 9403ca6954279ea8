/// The names that an expression may use: the columns of the tables in FROM, in order.
struct Scope {
    struct Entry {
        /// The alias or name of the table; nil for what has none.
        var table: String?
        var column: PlanColumn
    }

    var entries: [Entry]

    init(_ columns: [PlanColumn], table: String?) { entries = columns.map { Entry(table: table, column: $0) } }

    init(_ entries: [Entry]) { self.entries = entries }

    /// The position of `column` or `table.column`.
    func position(of name: ObjectNameSyntax) throws(SQLError) -> Int {
        let parts = name.parts.map(\.text)
        if parts.count == 1 { return try single(entries.indices.filter { entries[$0].column.name == parts[0] }, name) }
        let inTable = entries.indices.filter { entries[$0].table == parts[parts.count - 2] }
        if !inTable.isEmpty { return try single(inTable.filter { entries[$0].column.name == parts[parts.count - 1] }, name, in: parts[parts.count - 2]) }
        if parts.count == 2, entries.contains(where: { $0.column.name == parts[0] }) {
            throw SQLError("column '\(parts[0])' has no field '\(parts[1])': it is no ROW", at: name.range)
        }
        throw unknownTable(parts[parts.count - 2], at: name.parts[parts.count - 2].range)
    }

    /// Positions of the columns of a table named in `t.*`.
    func positions(ofTable name: ObjectNameSyntax) throws(SQLError) -> [Int] {
        let found = entries.indices.filter { entries[$0].table == name.last.text }
        if found.isEmpty { throw unknownTable(name.last.text, at: name.range) }
        return found
    }

    private func unknownTable(_ table: String, at range: SourceRange) -> SQLError {
        var tables: [String] = []
        for case let name? in entries.map(\.table) where !tables.contains(name) { tables.append(name) }
        return SQLError(
            "table '\(table)' is not in FROM", at: range,
            hint: nearNameHint(table, among: tables) ?? (tables.isEmpty ? nil : "known: " + listing(tables)))
    }

    private func single(_ found: [Int], _ name: ObjectNameSyntax, in table: String? = nil) throws(SQLError) -> Int {
        if found.count == 1 { return found[0] }
        if found.isEmpty {
            let known = entries.filter { table == nil || $0.table == table }.map(\.column.name)
            let listed = known.isEmpty ? nil : "known: " + listing(known)
            throw SQLError(
                "column '\(name.last.text)' not found" + (table.map { " in '\($0)'" } ?? ""), at: name.last.range,
                hint: nearNameHint(name.last.text, among: known) ?? listed)
        }
        let tables = found.compactMap { entries[$0].table }
        throw SQLError(
            "column '\(name.last.text)' is ambiguous", at: name.range,
            hint: tables.count > 1 ? "write " + enumerate(tables.map { "\($0).\(name.last.text)" }, last: "or") : nil)
    }
}
