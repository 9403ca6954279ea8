/// One statement of a script.
package struct StatementSyntax {
    indirect enum Kind {
        case createTable(CreateTableSyntax)
        case createView(CreateViewSyntax)
        case drop(DropSyntax)
        /// Without key and value: list all.
        case set(OptionSyntax?)
        /// Without a key: all.
        case reset(String?)
        case insert(InsertSyntax)
        case statementSet([InsertSyntax])
        case query(QuerySyntax)
        /// The words between EXPLAIN and the statement, such as `PLAN FOR` or `ESTIMATED_COST`.
        case explain(details: [String], StatementSyntax)
        /// `SHOW TABLES`: the words after SHOW, in upper case.
        case show(String, ObjectNameSyntax?)
        case describe(ObjectNameSyntax)
        /// A statement of Flink's that has no meaning here; refused by name when it is run.
        case other(String)
    }

    let kind: Kind
    package let range: SourceRange
}

struct CreateTableSyntax {
    var name: ObjectNameSyntax
    var temporary = false
    var ifNotExists = false
    var columns: [ColumnSyntax] = []
    var watermarks: [WatermarkSyntax] = []
    /// Empty without PRIMARY KEY.
    var primaryKey: [NameSyntax] = []
    var comment: String?
    var partitionedBy: [NameSyntax] = []
    var options: [OptionSyntax] = []
    /// `WITH`, or the table's name when there is no WITH; for errors about options that are missing.
    var optionsRange = SourceRange(0, 0)
}

struct ColumnSyntax {
    enum Kind {
        case physical(TypeSyntax)
        case computed(ExpressionSyntax)
        /// `from` nil when the key is the column's own name.
        case metadata(TypeSyntax, from: String?, virtual: Bool)
    }

    let name: NameSyntax
    let kind: Kind
    let comment: String?
}

struct WatermarkSyntax {
    let column: ObjectNameSyntax
    let expression: ExpressionSyntax
    let range: SourceRange
}

struct CreateViewSyntax {
    let name: ObjectNameSyntax
    let temporary: Bool
    let ifNotExists: Bool
    let columns: [NameSyntax]
    let comment: String?
    let query: QuerySyntax
}

struct DropSyntax {
    let view: Bool
    let temporary: Bool
    let name: ObjectNameSyntax
    let ifExists: Bool
}

struct InsertSyntax {
    let target: ObjectNameSyntax
    let hints: [HintSyntax]
    let overwrite: Bool
    /// `PARTITION (dt = '…')`.
    let partition: [(name: NameSyntax, value: ExpressionSyntax)]
    /// Empty when not written: then all of the table's, in order.
    let columns: [NameSyntax]
    let query: QuerySyntax
    let range: SourceRange
}
