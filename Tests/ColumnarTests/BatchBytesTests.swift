import Testing
import Columnar

/// A batch's bytes: there and back, every cut, and bytes that were never a batch.
@Suite struct BatchBytesTests {
    private static let types: [DataType] = [
        .boolean, .tinyint, .smallint, .integer, .bigint, .float, .double, .decimal(precision: 20, scale: 2), .string, .bytes, .timestamp(3), .date,
    ].map { DataType($0) }

    private func randomBatch(_ rows: Int, seed: UInt64, nulls: Bool, kinds: Bool) -> Batch {
        var random = SplitMix(seed: seed)
        let cells = (0..<rows).map { _ in
            Self.types.map { type -> Value in
                if nulls, random.next() % 4 == 0 { return .null }
                let word = random.next()
                switch type.kind.physical {
                case .bool: return .boolean(word & 1 == 1)
                case .int8: return .integer(Int64(Int8(truncatingIfNeeded: word)))
                case .int16: return .integer(Int64(Int16(truncatingIfNeeded: word)))
                case .int32: return .integer(Int64(Int32(truncatingIfNeeded: word)))
                case .int64: return .integer(Int64(bitPattern: word))
                case .int128: return .decimal(Int128(word) << 32)
                case .float32: return .double(Double(Int16(truncatingIfNeeded: word)))
                case .float64: return .double(Double(Int64(bitPattern: word)))
                case .bytes: return .bytes((0..<Int(word % 40)).map { UInt8(truncatingIfNeeded: $0) })
                }
            }
        }
        let rowKinds = (0..<rows).map { RowKind.allCases[$0 % 4] }
        return Batch.of(Self.types, cells, kinds: kinds ? rowKinds : nil)
    }

    private func bytes(_ batch: Batch) -> [UInt8] {
        var writer = ByteWriter()
        batch.encode(into: &writer)
        return writer.bytes
    }

    private func decode(_ bytes: [UInt8]) throws -> Batch {
        try ByteReader.reading(bytes) { reader throws(MalformedBytes) in
            let batch = try Batch.decode(Self.types, from: &reader)
            try reader.end()
            return batch
        }
    }

    @Test(arguments: [0, 1, 63, 64, 65, 130]) func batchesComeBack(rows: Int) throws {
        for (nulls, kinds) in [(false, false), (true, false), (true, true)] {
            let batch = randomBatch(rows, seed: UInt64(rows), nulls: nulls, kinds: kinds)
            let back = try decode(bytes(batch))
            #expect(back.rows == batch.rows)
            #expect((0..<rows).map(back.kind) == (0..<rows).map(batch.kind))
        }
    }

    @Test func everyCutIsRefused() {
        let whole = bytes(randomBatch(5, seed: 1, nulls: true, kinds: true))
        for length in 0..<whole.count { #expect(throws: MalformedBytes.self) { try decode(Array(whole[..<length])) } }
        #expect(throws: MalformedBytes.self) { try decode(whole + [0]) }
    }

    @Test func changedAndRandomBytesNeverCrash() {
        var random = SplitMix(seed: 5)
        let whole = bytes(randomBatch(9, seed: 2, nulls: true, kinds: true))
        for _ in 0..<3_000 {
            var changed = whole
            for _ in 0...Int(random.next() % 3) { changed[Int(random.next() % UInt64(changed.count))] = UInt8(truncatingIfNeeded: random.next()) }
            // What decodes can be read everywhere.
            if let batch = try? decode(changed) { #expect(batch.rows.count == batch.count) }
            let noise = (0..<Int(random.next() % 200)).map { _ in UInt8(truncatingIfNeeded: random.next() & random.next()) }
            if let batch = try? decode(noise) { #expect(batch.rows.count == batch.count) }
        }
    }

    @Test func gatheringAndJoiningKeepRows() {
        let batch = randomBatch(150, seed: 3, nulls: true, kinds: true)
        let indices = (0..<150).filter { $0 % 3 != 1 }
        let taken = indices.map(Int32.init).withUnsafeBufferPointer { batch.gather($0) }
        #expect(taken.rows == indices.map { batch.rows[$0] })
        #expect(taken.columns.map(\.nullCount) == taken.columns.map { column in (0..<column.count).filter { column.isNull($0) }.count })
        let joined = Batch.concatenate([batch.slice(0..<64), batch.slice(64..<65), batch.slice(65..<150)])
        #expect(joined.rows == batch.rows)
        #expect((0..<150).map(joined.kind) == (0..<150).map(batch.kind))
    }
}
