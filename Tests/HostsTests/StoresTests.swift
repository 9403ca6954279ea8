import Hosts
import Testing

@Suite struct StoresTests {
    /// A savepoint's folder is tried before the job hears of it.
    @Test func whereNothingCanBeWrittenIsSaidBefore() throws {
        let stores = Stores()
        let unknown = try #require(stores.problem(writingTo: "hdfs://name/folder"))
        #expect(unknown.kind == .user && unknown.message.contains("hdfs"))
        #expect(stores.problem(writingTo: "/proc/nowhere") != nil)
    }
}
