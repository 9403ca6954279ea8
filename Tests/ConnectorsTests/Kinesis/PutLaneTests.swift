import AWS
import Connectors
import Dataflow
import Synchronization
import Testing

struct PutLaneTests {
    /// A stream that refuses what it is told to, by the number of the record in all that was ever asked of it.
    private final class Stream: Sendable {
        private struct State {
            var asked = 0
            var records: [String] = []
            var requests: [Int] = []
        }
        private let state = Mutex(State())
        private let refusing: Set<Int>

        init(refusing: Set<Int> = []) { self.refusing = refusing }

        func put(_ entries: [KinesisEntry]) -> [String?] {
            state.withLock { state in
                state.requests.append(entries.count)
                return entries.map { entry in
                    defer { state.asked += 1 }
                    if refusing.contains(state.asked) { return "ProvisionedThroughputExceededException: slow down" }
                    state.records.append(entry.partitionKey + String(decoding: entry.data, as: UTF8.self))
                    return nil
                }
            }
        }

        var records: [String] { state.withLock { $0.records } }
        var requests: [Int] { state.withLock { $0.requests } }
    }

    private func lane(_ stream: Stream, keepsOrder: Bool = true, _ change: (inout PutLane.Limits) -> Void = { _ in }) -> PutLane {
        var limits = PutLane.Limits(keepsOrder: keepsOrder)
        change(&limits)
        return PutLane(limits, pause: { _ in }, put: { (entries: [KinesisEntry]) async throws(StreamError) in stream.put(entries) })
    }

    private func entries(_ words: String) -> [KinesisEntry] {
        words.split(separator: " ").map { KinesisEntry(data: Array($0.dropFirst().utf8), partitionKey: String($0.prefix(1))) }
    }

    @Test func nothingIsPutBeforeARequestIsFullOrFlushed() async throws {
        let stream = Stream()
        let lane = lane(stream) { $0.records = 3 }
        lane.add(entries("a1 b1"))
        #expect(stream.requests == [])
        lane.add(entries("c1 d1"))
        try await lane.finished(through: lane.flush())
        #expect(stream.records == ["a1", "b1", "c1", "d1"])
        #expect(stream.requests == [3, 1])
    }

    @Test func aRefusedRecordTakesThoseOfItsKeyBehindItAlong() async throws {
        let stream = Stream(refusing: [1])
        let lane = lane(stream)
        lane.add(entries("a1 b1 a2 b2 b3"))
        try await lane.finished(through: lane.flush())
        #expect(stream.records == ["a1", "a2", "b2", "b3", "b1", "b2", "b3"], "read in order, the last of each key is the newest")
        #expect(stream.requests == [5, 3])
    }

    @Test func withoutOrderOnlyTheRefusedOnesAreRepeated() async throws {
        let stream = Stream(refusing: [0, 2, 5])
        let lane = lane(stream, keepsOrder: false)
        lane.add(entries("a1 a2 a3 a4"))
        try await lane.finished(through: lane.flush())
        #expect(stream.records == ["a2", "a4", "a1", "a3"])
    }

    @Test func whatWasRefusedGoesInFrontOfWhatCameLater() async throws {
        let stream = Stream(refusing: [0])
        let lane = lane(stream) { $0.records = 2 }
        lane.add(entries("a1 b1 a2 b2"))
        try await lane.finished(through: lane.flush())
        #expect(stream.records.filter { $0.hasPrefix("a") } == ["a1", "a2"])
    }

    @Test func requestsStayWithinTheirBytes() async throws {
        let stream = Stream()
        let lane = lane(stream) { $0.bytes = 6 }
        lane.add(entries("a12 b12 c12 d123456789"))
        try await lane.finished(through: lane.flush())
        #expect(stream.requests == [2, 1, 1])
    }

    @Test func aFailedRequestIsToldToEveryoneWhoWaits() async throws {
        let failure = StreamError(.externalSystem, retry: true, "no")
        let lane = PutLane(PutLane.Limits(keepsOrder: true), pause: { _ in }, put: { (_: [KinesisEntry]) async throws(StreamError) in throw failure })
        lane.add(entries("a1"))
        await #expect(throws: failure) { try await lane.finished(through: lane.flush()) }
        #expect(lane.failure == failure)
        await #expect(throws: failure) { try await lane.room() }
    }
}
