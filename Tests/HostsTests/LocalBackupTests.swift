import Dataflow
import Hosts
import Testing

@Suite struct LocalBackupTests {
    private let job = JobID(high: 1, low: 2)
    private let other = JobID(high: 3, low: 4)

    private func object(_ key: String, _ bytes: [UInt8], checksum: UInt32 = 7) -> Manifest.StateObject {
        Manifest.StateObject(key: key, bytes: bytes.count, checksum: checksum, subtasks: [])
    }

    private let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * 7) }

    @Test func whatWasKeptIsReadBackUntilALaterCheckpointIsComplete() throws {
        let backup = LocalBackup(folder: ".", limit: 1 << 20)
        let (first, second) = (object("j/chk-1/a", bytes), object("j/chk-2/a", bytes))
        #expect(backup.keep(first, bytes, of: job, checkpoint: 1) == nil)
        #expect(backup.keep(second, bytes, of: job, checkpoint: 2) == nil)
        #expect(try backup.copy(of: first)?.read(70_001..<70_100) == Array(bytes[70_001..<70_100]))
        backup.drop(job, before: 2)
        #expect(backup.copy(of: first) == nil)
        #expect(try backup.copy(of: second)?.read(0..<bytes.count) == bytes)
        backup.drop(job)
        #expect(backup.bytes == 0)
    }

    @Test func anotherObjectOfThatNameIsNotTaken() {
        let backup = LocalBackup(folder: ".", limit: 1 << 20)
        #expect(backup.keep(object("a", bytes), bytes, of: job, checkpoint: 1) == nil)
        #expect(backup.copy(of: object("a", bytes, checksum: 8)) == nil)
        #expect(backup.copy(of: object("a", Array(bytes.dropLast()))) == nil)
    }

    @Test func readingBeyondTheEndIsAnError() {
        let backup = LocalBackup(folder: ".", limit: 1 << 20)
        #expect(backup.keep(object("a", bytes), bytes, of: job, checkpoint: 1) == nil)
        #expect(throws: StreamError.self) { try backup.copy(of: object("a", bytes))?.read(99_990..<100_001) }
    }

    @Test func itsSizeIsBoundedAndAFolderThatIsNotThereIsBorne() {
        let backup = LocalBackup(folder: ".", limit: 150_000)
        #expect(backup.keep(object("a", bytes), bytes, of: job, checkpoint: 1) == nil)
        #expect(backup.keep(object("b", bytes), bytes, of: other, checkpoint: 1) != nil)
        backup.drop(job)
        #expect(backup.keep(object("b", bytes), bytes, of: other, checkpoint: 2) == nil)
        #expect(backup.bytes == bytes.count)
        #expect(LocalBackup(folder: "/there/is/none", limit: 1 << 20).keep(object("a", bytes), bytes, of: job, checkpoint: 1) != nil)
    }
}
