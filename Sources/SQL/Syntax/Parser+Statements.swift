extension Parser {
    mutating func parseScript() throws(SQLError) -> [StatementSyntax] {
        var statements: [StatementSyntax] = []
        while current.kind != .end {
            if accept(";") { continue }
            statements.append(try parseStatement())
            guard current.kind == .end || accept(";") else { throw unexpected() }
        }
        return statements
    }

    private mutating func parseStatement() throws(SQLError) -> StatementSyntax {
        try enter()
        defer { leave() }
        let start = current.range
        let kind = try parseStatementKind()
        return StatementSyntax(kind: kind, range: start.through(previousRange))
    }

    private mutating func parseStatementKind() throws(SQLError) -> StatementSyntax.Kind {
        if queryStartsHere { return .query(try parseQuery()) }
        if isAt("INSERT") { return .insert(try parseInsert()) }
        for word in ["SELECT", "INSERT INTO", "WITH", "VALUES"] { note(word) }
        if accept("CREATE") { return try parseCreate() }
        if accept("DROP") { return try parseDrop() }
        if accept("SET") { return try parseSet() }
        if accept("RESET") { return .reset(current.kind == .string ? take().text : nil) }
        if accept("EXPLAIN") { return try parseExplain() }
        if accept("EXECUTE") { return try parseExecute() }
        if accept("STATEMENT", "SET") || accept("BEGIN", "STATEMENT", "SET") { return .statementSet(try parseStatementSet()) }
        if accept("SHOW") { return try parseShow() }
        if accept("DESCRIBE") || accept("DESC") {
            _ = accept("EXTENDED")
            return .describe(try takeObjectName("a table's name"))
        }
        let others = [
            "ALTER", "ADD", "ANALYZE", "CALL", "COMPILE", "DELETE", "KILL", "LOAD", "REMOVE", "STOP", "TRUNCATE", "UNLOAD", "UPDATE", "UPSERT", "USE",
        ]
        if current.kind == .word, others.contains(current.keyword) { return parseOther(current.keyword) }
        throw unexpected()
    }

    /// What Flink creates and drops besides tables and views.
    private static let unknownObjects = ["FUNCTION", "DATABASE", "CATALOG", "MATERIALIZED", "MODEL", "SYSTEM", "CONNECTION"]

    /// Skips to the statement's end.
    private mutating func parseOther(_ words: String) -> StatementSyntax.Kind {
        while current.kind != .end, !isAt(";") { advance() }
        return .other(words)
    }

    private mutating func parseCreate() throws(SQLError) -> StatementSyntax.Kind {
        if isAt("OR") { throw SQLError("CREATE OR REPLACE is not supported", at: current.range, hint: "DROP … IF EXISTS first, then CREATE") }
        let temporary = accept("TEMPORARY")
        if accept("TABLE") { return .createTable(try parseCreateTable(temporary: temporary)) }
        if accept("VIEW") { return .createView(try parseCreateView(temporary: temporary)) }
        for word in Self.unknownObjects where isAt(word) { return parseOther("CREATE " + word) }
        throw unexpected()
    }

    private mutating func parseIfNotExists() throws(SQLError) -> Bool {
        guard accept("IF") else { return false }
        try expect("NOT", "EXISTS")
        return true
    }

    private mutating func parseCreateView(temporary: Bool) throws(SQLError) -> CreateViewSyntax {
        let ifNotExists = try parseIfNotExists()
        let name = try takeObjectName("the view's name")
        let columns = isAt("(") ? try takeNames("a column's name") : []
        let comment = accept("COMMENT") ? try takeString("a comment in quotes").text : nil
        try expect("AS")
        return CreateViewSyntax(
            name: name, temporary: temporary, ifNotExists: ifNotExists, columns: columns, comment: comment, query: try parseQuery())
    }

    private mutating func parseDrop() throws(SQLError) -> StatementSyntax.Kind {
        let temporary = accept("TEMPORARY")
        let view = accept("VIEW")
        if !view, !accept("TABLE") {
            for word in Self.unknownObjects where isAt(word) { return parseOther("DROP " + word) }
            throw unexpected()
        }
        var ifExists = false
        if accept("IF") {
            try expect("EXISTS")
            ifExists = true
        }
        return .drop(DropSyntax(view: view, temporary: temporary, name: try takeObjectName("a name"), ifExists: ifExists))
    }

    private mutating func parseSet() throws(SQLError) -> StatementSyntax.Kind {
        if current.kind == .end || isAt(";") { return .set(nil) }
        if current.kind == .word {
            throw SQLError("unexpected \(current.shown)", at: current.range, expected: ["a key in quotes"], hint: "SET 'key' = 'value'")
        }
        return .set(try parseOption())
    }

    private mutating func parseExplain() throws(SQLError) -> StatementSyntax.Kind {
        var details: [String] = []
        if accept("PLAN") { try expect("FOR") } else {
            let known = ["ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "PLAN_ADVICE"]
            while current.kind == .word, known.contains(current.keyword) {
                details.append(take().keyword)
                guard accept(",") else { break }
            }
        }
        return .explain(details: details, try parseStatement())
    }

    private mutating func parseExecute() throws(SQLError) -> StatementSyntax.Kind {
        if accept("STATEMENT") {
            try expect("SET")
            return .statementSet(try parseStatementSet())
        }
        if acceptRefused("PLAN") { return parseOther("EXECUTE PLAN") }
        if isAt("INSERT") { return .insert(try parseInsert()) }
        if queryStartsHere { return .query(try parseQuery()) }
        throw unexpected()
    }

    /// After STATEMENT SET: `BEGIN insert; … END`, or `; insert; … END`.
    private mutating func parseStatementSet() throws(SQLError) -> [InsertSyntax] {
        let start = previousRange
        if !accept(";") { try expect("BEGIN") }
        var inserts: [InsertSyntax] = []
        while !accept("END") {
            if accept(";") { continue }
            guard isAt("INSERT") else {
                note("INSERT INTO")
                throw unexpected()
            }
            inserts.append(try parseInsert())
            guard isAt(";") || isAt("END") else {
                note("';'")
                throw unexpected()
            }
        }
        guard !inserts.isEmpty else { throw SQLError("a statement set holds at least one INSERT", at: start) }
        return inserts
    }

    private mutating func parseShow() throws(SQLError) -> StatementSyntax.Kind {
        var words: [String] = []
        while current.kind == .word, words.count < 3 {
            words.append(take().keyword)
            if ["TABLE", "VIEW"].contains(words.last!), words.first == "CREATE" { break }
            if words.last == "FROM" || words.last == "IN" { break }
        }
        guard !words.isEmpty else {
            note("TABLES")
            throw unexpected()
        }
        let name: ObjectNameSyntax? = words.count > 1 && current.kind != .end && !isAt(";") ? try takeObjectName("a name") : nil
        return .show(words.joined(separator: " "), name)
    }

    mutating func parseInsert() throws(SQLError) -> InsertSyntax {
        let start = current.range
        try expect("INSERT")
        let overwrite = acceptRefused("OVERWRITE")
        if !overwrite { try expect("INTO") }
        _ = overwrite && accept("TABLE")
        let target = try takeObjectName("a table's name")
        let hints = try parseHints()
        var partition: [(name: NameSyntax, value: ExpressionSyntax)] = []
        if accept("PARTITION") {
            try expect("(")
            repeat {
                let name = try takeName("a partition column")
                try expect("=")
                partition.append((name, try parseExpression()))
            } while accept(",")
            try expect(")")
        }
        var columns: [NameSyntax] = []
        if isAt("("), !isQueryKeyword(ahead(1).keyword), ahead(1).keyword != "(" { columns = try takeNames("a column's name") }
        guard queryStartsHere else {
            for word in ["SELECT", "VALUES", "WITH"] { note(word) }
            throw unexpected()
        }
        let query = try parseQuery()
        return InsertSyntax(
            target: target, hints: hints, overwrite: overwrite, partition: partition, columns: columns, query: query, range: start.through(previousRange))
    }
}
