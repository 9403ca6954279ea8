/// What a row does to the table that a stream describes. Raw values are the wire's.
package enum RowKind: UInt8, Sendable, CaseIterable {
    case insert = 0, updateBefore = 1, updateAfter = 2, delete = 3

    /// `+I`, `-U`, `+U`, `-D`, as Flink prints them.
    package var symbol: String {
        switch self {
        case .insert: "+I"
        case .updateBefore: "-U"
        case .updateAfter: "+U"
        case .delete: "-D"
        }
    }

    /// Whether the row adds to the table (`+I`, `+U`) or takes from it.
    @inlinable package var isAdd: Bool { self == .insert || self == .updateAfter }
}
