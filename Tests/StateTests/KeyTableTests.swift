import Columnar
import Dataflow
import State
import Testing

@Suite struct KeyTableTests {
    private static func ids(_ table: KeyTable, _ columns: [Column], hash: ((Int) -> UInt64)? = nil) throws -> [Int32] {
        let count = columns[0].count
        var hashes = [UInt64](repeating: 0, count: count), ids = [Int32](repeating: 0, count: count)
        KeyHash.hashes(columns, count: count, into: &hashes)
        if let hash { hashes = (0..<count).map(hash) }
        try table.intern(columns, hashes: hashes, rows: RowList(first: count), into: &ids)
        return ids
    }

    @Test func equalKeysShareAnIdInOrderOfFirstAppearance() throws {
        let table = KeyTable(types: [DataType(.string), DataType(.double)])
        let names: [Value] = [.string("a"), .null, .string("a"), .string("a"), .null, .string("")]
        let reals: [Value] = [.double(0), .double(.nan), .double(-0.0), .double(1), .double(.nan), .null]
        #expect(try Self.ids(table, [Column.of(DataType(.string), names), Column.of(DataType(.double), reals)]) == [0, 1, 0, 2, 1, 3])
        #expect(table.count == 4)
        #expect(table.columns()[0].value(1) == .null)
    }

    @Test func differentKeysWithTheSameHashAreKeptApart() throws {
        let table = KeyTable(types: [DataType(.bigint)])
        let column = Column.of(DataType(.bigint), (0..<200).map { .integer(Int64($0 % 50)) })
        #expect(try Self.ids(table, [column]) { _ in 42 } == (0..<200).map { Int32($0 % 50) })
        #expect(try Self.ids(table, [column]) { _ in 42 } == (0..<200).map { Int32($0 % 50) })
    }

    @Test func growsAndFindsEveryKeyAgain() throws {
        let table = KeyTable(types: [DataType(.string)])
        let column = Column.of(DataType(.string), (0..<20_000).map { .string("key number \($0 % 10_000)") })
        let ids = try Self.ids(table, [column])
        #expect(ids == (0..<20_000).map { Int32($0 % 10_000) })
        let view = table.columns()[0]
        #expect((0..<10_000).allSatisfy { view.value($0) == column.value($0) })
    }

    @Test func aViewDoesNotSeeLaterKeys() throws {
        let table = KeyTable(types: [DataType(.integer)])
        _ = try Self.ids(table, [Column.of(DataType(.integer), [.integer(1), .null])])
        let view = table.columns()[0]
        _ = try Self.ids(table, [Column.of(DataType(.integer), (0..<100).map { .integer($0) })])
        #expect(view.count == 2 && view.value(0) == .integer(1) && view.value(1) == .null)
    }

    @Test func lookingUpAddsNothing() throws {
        let table = KeyTable(types: [DataType(.bigint)])
        let column = Column.of(DataType(.bigint), [.integer(7), .integer(8)])
        _ = try Self.ids(table, [column.copied(0..<1)])
        var hashes = [UInt64](repeating: 0, count: 2), ids: [Int32] = [0, 0]
        KeyHash.hashes([column], count: 2, into: &hashes)
        table.find([column], hashes: hashes, rows: RowList(first: 2), into: &ids)
        #expect(ids == [0, -1])
        #expect(table.count == 1)
    }
}
