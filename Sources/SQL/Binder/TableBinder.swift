import Columnar
import Dataflow
import Expressions

extension CreateTableSyntax {
    /// The table that the statement describes, every option and expression checked.
    func bound(connectors: ConnectorCatalogue) throws(SQLError) -> TableDefinition {
        guard !columns.isEmpty else { throw SQLError("a table needs columns", at: name.range) }
        try ScriptLimits.checkColumns(columns.count, at: name.range)
        try refuseDoubles()
        let physical = columns.filter { if case .physical = $0.kind { true } else { false } }.map(\.name.text)
        let connector = try connectors.check(options, columns: physical, at: optionsRange)
        var table = TableDefinition(
            name: name.last.text, columns: [], watermark: nil, primaryKey: [], partitionKeys: [],
            options: Dictionary(uniqueKeysWithValues: options.map { ($0.key, $0.value) }), connector: connector)
        // Computed columns see the columns that are read, wherever these stand, and no other computed ones.
        var read = Scope([])
        for column in columns {
            switch column.kind {
            case .physical(let type):
                read.entries.append(Scope.Entry(table: nil, column: PlanColumn(name: column.name.text, type: try type.bound())))
            case .metadata(let type, let from, _):
                let type = try type.bound()
                try check(column, key: from ?? column.name.text, type, connector)
                read.entries.append(Scope.Entry(table: nil, column: PlanColumn(name: column.name.text, type: type)))
            case .computed: break
            }
        }
        var positions: [Int] = []
        for (position, column) in columns.enumerated() {
            if case .computed = column.kind { continue }
            positions.append(position)
        }
        for column in columns {
            switch column.kind {
            case .physical, .metadata:
                let type = read.entries[try read.position(of: ObjectNameSyntax(parts: [column.name]))].column.type
                var kind = TableDefinition.Column.Kind.physical
                if case .metadata(_, let from, let virtual) = column.kind { kind = .metadata(key: from ?? column.name.text, virtual: virtual) }
                table.columns.append(TableDefinition.Column(name: column.name.text, type: type, kind: kind))
            case .computed(let syntax):
                var binder = ExpressionBinder(scope: read, place: "a computed column")
                let expression = try binder.bind(syntax)
                guard expression.type.kind != .null else {
                    throw SQLError("column '\(column.name.text)' has no type", at: syntax.range, hint: "CAST(NULL AS …)")
                }
                table.columns.append(
                    TableDefinition.Column(
                        name: column.name.text, type: expression.type, kind: .computed(expression.mappingColumns { positions[$0] })))
            }
        }
        table.watermark = try boundWatermark(table)
        for key in primaryKey { table.primaryKey.append(try position(of: key, in: table)) }
        // Key columns hold no NULL.
        for key in table.primaryKey { table.columns[key].type.isNullable = false }
        for key in partitionedBy { table.partitionKeys.append(try position(of: key, in: table)) }
        return table
    }

    /// The column's key is one of the connector's, and its type one that the key's can be cast to.
    private func check(_ column: ColumnSyntax, key: String, _ type: DataType, _ connector: ConnectorOptions) throws(SQLError) {
        guard let metadata = connector.metadata.first(where: { $0.key == key }) else {
            let keys = connector.metadata.map(\.key)
            let there = keys.isEmpty ? "it has none" : "it has " + enumerate(keys.map { "'\($0)'" }, last: "and")
            throw SQLError(
                "connector '\(connector.name)' has no metadata '\(key)'", at: column.name.range, hint: [nearNameHint(key, among: keys), there].compactMap { $0 }.joined(separator: " "))
        }
        switch (metadata.type.kind, type.kind) {
        case (.timestampLTZ, .timestampLTZ(...3)), (.timestampLTZ, .timestamp(...3)): break
        case (let from, let to) where from == to || from.isCharacter && to.isCharacter: break
        default: throw SQLError("metadata '\(key)' is \(metadata.type.kind), the column \(type.kind)", at: column.name.range)
        }
    }

    private func refuseDoubles() throws(SQLError) {
        var seen: Set<String> = []
        for column in columns where !seen.insert(column.name.text).inserted {
            throw SQLError("column '\(column.name.text)' stands twice", at: column.name.range)
        }
        seen = []
        for option in options where !seen.insert(option.key).inserted { throw SQLError("option '\(option.key)' stands twice", at: option.keyRange) }
    }

    private func position(of name: NameSyntax, in table: TableDefinition) throws(SQLError) -> Int {
        guard let position = table.columns.firstIndex(where: { $0.name == name.text }) else {
            throw SQLError("column '\(name.text)' not found", at: name.range, hint: nearNameHint(name.text, among: table.columns.map(\.name)))
        }
        switch table.columns[position].kind {
        case .physical: break
        case .metadata: throw SQLError("'\(name.text)' is a METADATA column", at: name.range)
        case .computed: throw SQLError("'\(name.text)' is a computed column", at: name.range)
        }
        return position
    }

    private func boundWatermark(_ table: TableDefinition) throws(SQLError) -> TableDefinition.Watermark? {
        guard let watermark = watermarks.first else { return nil }
        if watermarks.count > 1 { throw SQLError("a table has at most one watermark", at: watermarks[1].range) }
        let scope = Scope(table.columns.map { PlanColumn(name: $0.name, type: $0.type) }, table: nil)
        let column = try scope.position(of: watermark.column)
        let type = table.columns[column].type
        switch type.kind {
        case .timestamp(...3), .timestampLTZ(...3): break
        default:
            throw SQLError(
                "the time column of a watermark is TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 to 3, '\(watermark.column.text)' is \(type.kind)",
                at: watermark.column.range,
                hint: type.kind.isCharacter || type.kind == .bigint ? "convert it in a computed column: ts AS TO_TIMESTAMP(…)" : nil)
        }
        var binder = ExpressionBinder(scope: scope, place: "WATERMARK")
        let expression = try binder.bind(watermark.expression)
        switch (type.kind, expression.type.kind) {
        case (.timestamp, .timestamp(...3)), (.timestampLTZ, .timestampLTZ(...3)): break
        default:
            throw SQLError("the watermark is \(expression.type.kind), its time column \(type.kind)", at: watermark.expression.range)
        }
        return TableDefinition.Watermark(column: column, expression: expression)
    }
}
