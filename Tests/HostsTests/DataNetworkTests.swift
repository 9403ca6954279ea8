import Dataflow
import Hosts
import NIOCore
import NIOPosix
import Testing
import Transport

@Suite struct DataNetworkTests {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let job = JobID(high: 1, low: 2)

    private func network(_ name: String) throws -> DataNetwork {
        try DataNetwork(
            worker: WorkerID(name), group: group, host: "127.0.0.1", port: 0, tls: nil, options: TransportOptions(), log: Log.none)
    }

    private func purpose(_ peer: String, _ attempt: UInt32) -> DataNetwork.Purpose { .init(peer: WorkerID(peer), job: job, attempt: attempt) }

    private func number(_ link: any Link) -> UInt64? { (link as? FrameLink)?.connection.id }

    @Test func plannedChangesGoOnWithWhatIsOpenAndARestartDoesNot() async throws {
        let (a, b) = (try network("a"), try network("b"))
        let first = number(try a.link(to: purpose("b", 1), host: "127.0.0.1", port: b.port))
        for attempt in 2...20 as ClosedRange<UInt32> {
            #expect(number(try a.link(to: purpose("b", attempt), earlier: true, host: "127.0.0.1", port: b.port)) == first)
        }
        #expect(number(try a.link(to: purpose("b", 21), host: "127.0.0.1", port: b.port)) != first)
        a.close()
        b.close()
        try await group.shutdownGracefully()
    }

    @Test func whatIsClosedWithAWordIsNoLossAndWhatBreaksIsOne() async throws {
        let (a, b) = (try network("a"), try network("b"))
        let (losses, lost) = AsyncStream.makeStream(of: DataNetwork.Purpose.self)
        b.onLost { purpose, _ in lost.yield(purpose) }
        let first = number(try a.link(to: purpose("b", 1), host: "127.0.0.1", port: b.port))
        a.close(job: job, except: [WorkerID("b")])
        #expect(number(try a.link(to: purpose("b", 2), earlier: true, host: "127.0.0.1", port: b.port)) == first)
        a.close(job: job, except: [WorkerID("c")])
        let second = number(try a.link(to: purpose("b", 3), earlier: true, host: "127.0.0.1", port: b.port))
        #expect(second != first)
        a.close()
        for await purpose in losses {
            #expect(purpose == self.purpose("a", 3))
            break
        }
        b.close()
        try await group.shutdownGracefully()
    }
}
