import Columnar
import Dataflow
import Expressions

/// A created table: its columns in order, its watermark and options.
struct TableDefinition: Equatable {
    struct Column: Equatable {
        enum Kind: Equatable {
            /// Read from and written to the outside.
            case physical
            /// Over the table's columns, of which it reads only physical and metadata ones.
            case computed(Expression)
            /// Read (and, unless virtual, written) beside the row under this key.
            case metadata(key: String, virtual: Bool)
        }

        var name: String
        var type: DataType
        var kind: Kind
    }

    struct Watermark: Equatable {
        /// Position of the event-time column.
        var column: Int
        /// Over the table's columns; of the time column's type.
        var expression: Expression
    }

    var name: String
    var columns: [Column]
    var watermark: Watermark?
    var primaryKey: [Int]
    var partitionKeys: [Int]
    var options: [String: String]
    var connector: ConnectorOptions

    /// Positions of the columns that INSERT writes.
    var writable: [Int] {
        columns.indices.filter { position in
            switch columns[position].kind {
            case .physical, .metadata(_, virtual: false): true
            case .computed, .metadata: false
            }
        }
    }
}
