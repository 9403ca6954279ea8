extension Parser {
    /// After CREATE [TEMPORARY] TABLE.
    mutating func parseCreateTable(temporary: Bool) throws(SQLError) -> CreateTableSyntax {
        var ifNotExists = false
        if accept("IF") {
            try expect("NOT", "EXISTS")
            ifNotExists = true
        }
        var table = CreateTableSyntax(name: try takeObjectName("the table's name"), temporary: temporary, ifNotExists: ifNotExists)
        table.optionsRange = table.name.range
        if accept("(") {
            repeat { try parseElement(of: &table) } while accept(",")
            try expect(")")
        }
        if accept("COMMENT") { table.comment = try takeString("a comment in quotes").text }
        if isAt("DISTRIBUTED") { throw SQLError("DISTRIBUTED BY is not supported", at: current.range) }
        if accept("PARTITIONED") {
            try expect("BY")
            table.partitionedBy = try takeNames("a column's name")
        }
        if accept("WITH") {
            table.optionsRange = previousRange
            table.options = try parseOptions()
        }
        if isAt("LIKE") { throw SQLError("CREATE TABLE … LIKE is not supported", at: current.range, hint: "write the columns and options out") }
        if isAt("AS") { throw SQLError("CREATE TABLE … AS is not supported", at: current.range, hint: "create the table, then INSERT INTO it") }
        return table
    }

    private mutating func parseElement(of table: inout CreateTableSyntax) throws(SQLError) {
        let start = current.range
        if accept("WATERMARK") {
            try expect("FOR")
            let column = try takeObjectName("the time column's name")
            try expect("AS")
            let expression = try parseExpression()
            table.watermarks.append(WatermarkSyntax(column: column, expression: expression, range: start.through(previousRange)))
            return
        }
        var constraint = false
        if isAt("CONSTRAINT"), ahead(2).keyword == "PRIMARY" || ahead(2).keyword == "UNIQUE" {
            advance()
            _ = try takeName("the constraint's name")
            constraint = true
        }
        if isAt("UNIQUE") { throw SQLError("UNIQUE is not supported", at: current.range, hint: "PRIMARY KEY (…) NOT ENFORCED") }
        if accept("PRIMARY") {
            try expect("KEY")
            let columns = try takeNames("a column's name")
            try expectNotEnforced()
            try setPrimaryKey(columns, of: &table, at: start)
            return
        }
        if constraint { throw unexpected() }
        try parseColumn(of: &table)
    }

    private mutating func expectNotEnforced() throws(SQLError) {
        if accept("NOT", "ENFORCED") { return }
        throw SQLError(
            "a primary key is not checked, so it must say so", at: previousRange, expected: ["NOT ENFORCED"],
            hint: isAt("ENFORCED") ? "Flink does not own the data and cannot enforce keys" : nil)
    }

    private func setPrimaryKey(_ columns: [NameSyntax], of table: inout CreateTableSyntax, at range: SourceRange) throws(SQLError) {
        guard table.primaryKey.isEmpty else { throw SQLError("a table has at most one primary key", at: range) }
        table.primaryKey = columns
    }

    private mutating func parseColumn(of table: inout CreateTableSyntax) throws(SQLError) {
        let name = try takeName("a column's name")
        let kind: ColumnSyntax.Kind
        if accept("AS") {
            kind = .computed(try parseExpression())
        } else {
            let type = try parseType()
            if accept("METADATA") {
                let from: String? = accept("FROM") ? try takeString("the metadata key in quotes").text : nil
                kind = .metadata(type, from: from, virtual: accept("VIRTUAL"))
            } else {
                kind = .physical(type)
                if accept("CONSTRAINT") { _ = try takeName("the constraint's name") }
                if isAt("PRIMARY") {
                    let start = take().range
                    try expect("KEY")
                    try expectNotEnforced()
                    try setPrimaryKey([name], of: &table, at: start)
                }
            }
        }
        let comment = accept("COMMENT") ? try takeString("a comment in quotes").text : nil
        table.columns.append(ColumnSyntax(name: name, kind: kind, comment: comment))
    }

    /// `('key' = 'value', …)`, perhaps empty.
    mutating func parseOptions() throws(SQLError) -> [OptionSyntax] {
        try expect("(")
        var options: [OptionSyntax] = []
        if accept(")") { return options }
        repeat { options.append(try parseOption()) } while accept(",")
        try expect(")")
        return options
    }

    mutating func parseOption() throws(SQLError) -> OptionSyntax {
        let key = try takeString("a key in quotes")
        try expect("=")
        let value = try takeString("a value in quotes")
        return OptionSyntax(key: key.text, value: value.text, keyRange: key.range, valueRange: value.range)
    }

    /// `/*+ OPTIONS('k' = 'v'), BROADCAST(a, b) */`, or nothing.
    mutating func parseHints() throws(SQLError) -> [HintSyntax] {
        guard current.kind == .hintStart else { return [] }
        advance()
        var hints: [HintSyntax] = []
        repeat {
            let name = try takeName("a hint's name")
            var options: [OptionSyntax] = []
            if accept("(") {
                repeat { options.append(try parseHintOption()) } while accept(",")
                try expect(")")
            }
            hints.append(HintSyntax(name: name, options: options))
        } while accept(",") || current.kind == .word
        note("'*/'")
        guard current.kind == .hintEnd else { throw unexpected() }
        advance()
        return hints
    }

    private mutating func parseHintOption() throws(SQLError) -> OptionSyntax {
        if current.kind == .string, ahead(1).keyword == "=" { return try parseOption() }
        let value: (text: String, range: SourceRange)
        if current.kind == .string || current.kind == .number {
            let token = take()
            value = (token.text, token.range)
        } else {
            let name = try takeObjectName("a hint's argument")
            value = (name.text, name.range)
        }
        return OptionSyntax(key: "", value: value.text, keyRange: value.range, valueRange: value.range)
    }
}
