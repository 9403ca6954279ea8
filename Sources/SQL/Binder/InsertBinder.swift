import Columnar
import Dataflow
import Expressions

/// An INSERT with its query bound and cast to the table's columns.
struct SinkPlan: Equatable {
    /// Columns as the table's writable ones, in order.
    var input: Plan
    var table: TableDefinition
    var options: [String: String]
    /// Where the target is named.
    var range: SourceRange

    /// Only plans in their final form show whether they take rows back.
    func refuseChanges() throws(SQLError) {
        guard !table.connector.writesChanges, let producer = input.updateProducer else { return }
        throw SQLError(
            "Table sink '\(Catalog.name).\(Catalog.database).\(table.name)' doesn't support consuming update changes which is produced by node \(producer)",
            at: range, hint: "connector '\(table.connector.name)' can only append; group by windows, or write to a sink that takes changes")
    }
}

extension QueryBinder {
    mutating func bind(_ insert: InsertSyntax) throws(SQLError) -> SinkPlan {
        let table = try target(of: insert)
        if insert.overwrite { throw SQLError("INSERT OVERWRITE is not supported: a stream has no end to replace the table at", at: insert.range) }
        for column in table.columns {
            guard case .metadata(let key, virtual: false) = column.kind else { continue }
            throw SQLError(
                "connector '\(table.connector.name)' cannot write the metadata '\(key)' of column '\(column.name)'", at: insert.range, hint: "declare it … METADATA VIRTUAL")
        }
        let query = try bind(insert.query)
        let writable = table.writable
        var projections: [Expression?] = writable.map { _ in nil }
        func slot(_ name: NameSyntax) throws(SQLError) -> Int {
            guard let slot = writable.firstIndex(where: { table.columns[$0].name == name.text }) else {
                let names = writable.map { table.columns[$0].name }
                throw SQLError("table '\(table.name)' has no column '\(name.text)' to write", at: name.range, hint: nearNameHint(name.text, among: names))
            }
            return slot
        }
        for (name, value) in insert.partition {
            var binder = ExpressionBinder(scope: Scope([]), place: "PARTITION")
            let position = try slot(name)
            projections[position] = try cast(try binder.bind(value), to: table.columns[writable[position]], "value", value.range)
        }
        var slots: [Int] = []
        for name in insert.columns { slots.append(try slot(name)) }
        if insert.columns.isEmpty { slots = projections.indices.filter { projections[$0] == nil } }
        guard slots.count == query.columns.count else {
            let shown = query.columns.map { "\($0.name): \($0.type.kind)" }.joined(separator: ", ")
            let wanted = slots.map { "\(table.columns[writable[$0]].name): \(table.columns[writable[$0]].type.kind)" }.joined(separator: ", ")
            throw SQLError(
                "Column types of query result and sink for '\(table.name)' do not match: different number of columns", at: insert.query.range,
                hint: "query: [\(shown)]\nsink: [\(wanted)]")
        }
        for (column, slot) in slots.enumerated() {
            guard projections[slot] == nil else {
                throw SQLError("column '\(table.columns[writable[slot]].name)' is written twice", at: insert.columns[column].range)
            }
            projections[slot] = try cast(query.references[column], to: table.columns[writable[slot]], query.columns[column].name, insert.query.range)
        }
        let complete = zip(projections, writable).map { $0 ?? .literal(.null, type: table.columns[$1].type.nullable(true)) }
        let names = writable.map { table.columns[$0].name }
        var options = table.options
        for hint in insert.hints where hint.name.text.uppercased() == "OPTIONS" {
            for option in hint.options { options[option.key] = option.value }
        }
        return SinkPlan(input: query.calc(complete, names: names), table: table, options: options, range: insert.target.range)
    }

    private func target(of insert: InsertSyntax) throws(SQLError) -> TableDefinition {
        guard case .table(let table) = try catalog.expectEntry(insert.target) else {
            throw SQLError("'\(insert.target.text)' is a view: only tables can be written", at: insert.target.range)
        }
        guard table.connector.canWrite else {
            throw SQLError("connector '\(table.connector.name)' of table '\(table.name)' cannot be written to", at: insert.target.range)
        }
        return table
    }

    /// Flink's implicit casts: what widens, and what differs only in length or digits.
    private func cast(_ value: Expression, to column: TableDefinition.Column, _ name: String, _ range: SourceRange) throws(SQLError) -> Expression {
        guard value.type.kind.castsImplicitly(to: column.type.kind) else {
            throw SQLError(
                "Column types of query result and sink do not match: incompatible types for sink column '\(column.name)'", at: range,
                hint: "query column '\(name)' is \(value.type.kind), the sink's is \(column.type.kind); write a CAST if that is meant")
        }
        return value.coerced(to: column.type.kind)
    }
}

extension TypeKind {
    /// Source: Flink 2.x, `LogicalTypeCasts.supportsImplicitCast`.
    func castsImplicitly(to target: TypeKind) -> Bool {
        if self == target || self == .null { return true }
        switch (self, target) {
        case (.char, .char), (.char, .varchar), (.varchar, .varchar), (.varchar, .char): return true
        case (.binary, _), (.varbinary, _): return target.isBinary
        case (.tinyint, .smallint), (.tinyint, .integer), (.tinyint, .bigint), (.smallint, .integer), (.smallint, .bigint), (.integer, .bigint): return true
        case (_, .decimal), (_, .float), (_, .double):
            // Each number type goes into the ones after it: integers, DECIMAL, FLOAT, DOUBLE.
            let order: (TypeKind) -> Int = { kind in
                switch kind { case .decimal: 1; case .float: 2; case .double: 3; default: 0 }
            }
            return isNumeric && order(self) <= order(target)
        case (.date, .timestamp), (.timestamp, .timestamp), (.timestampLTZ, .timestampLTZ), (.timestamp, .timestampLTZ), (.timestampLTZ, .timestamp),
            (.time, .time), (.timestamp, .date), (.timestampLTZ, .date), (.timestamp, .time), (.timestampLTZ, .time), (.date, .timestampLTZ):
            return true
        default: return false
        }
    }
}

extension Plan {
    /// The operator whose results may change later, as Flink's plans write it; nil when rows only ever come.
    var updateProducer: String? {
        switch self {
        case .scan, .rows, .windowAggregate: nil
        case .calc(let calc): calc.input.updateProducer
        case .window(let window): window.input.updateProducer
        case .aggregate: title
        case .union(let inputs, _): inputs.lazy.compactMap(\.updateProducer).first
        }
    }
}
