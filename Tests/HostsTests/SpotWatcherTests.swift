import AWS
import Hosts
import NIOCore
import Settings
import Synchronization
import Testing

@Suite struct SpotWatcherTests {
    /// A metadata service that is a function of the path and of how often that path was asked for; 404 where it answers nil.
    private final class World: Sendable {
        let asked = Mutex<[String: Int]>([:])
        let slept = Mutex(0)
        let decisions = Mutex<[SpotNotices.Decision]>([])
        let answer: @Sendable (String, Int) -> String?
        let isThere: Bool

        init(isThere: Bool = true, _ answer: @escaping @Sendable (String, Int) -> String?) {
            self.answer = answer
            self.isThere = isThere
        }

        /// Ends whoever sleeps for the 20th time.
        func surroundings(_ variables: [String: String] = [:]) -> Surroundings {
            Surroundings(
                variable: { variables[$0] }, file: { _ in nil },
                open: { (request: HTTPRequest) async throws(HTTPFailure) in
                    guard self.isThere else { throw HTTPFailure(.connect, "no route", mayHaveArrived: false) }
                    let before = self.asked.withLock { asked in
                        asked[request.path, default: 0] += 1
                        return asked[request.path, default: 1] - 1
                    }
                    if request.method == "PUT" { return Self.response(200, "token") }
                    guard request.header("x-aws-ec2-metadata-token") == "token" else { return Self.response(401, "") }
                    return self.answer(String(request.path.dropFirst("/latest/meta-data/".count)), before).map { Self.response(200, $0) } ?? Self.response(404, "")
                },
                now: { UnixTime(seconds: 1_800_000_000) }, elapsed: { .seconds(self.slept.withLock { $0 }) },
                sleep: { pause in
                    let seconds = self.slept.withLock { slept in
                        slept += Int(pause.components.seconds)
                        return slept
                    }
                    if seconds >= 100 { withUnsafeCurrentTask { $0?.cancel() } }
                },
                random: { 0.5 })
        }

        func watch(_ mode: String, _ variables: [String: String] = [:]) async throws {
            let watcher = SpotWatcher(
                try Configuration.load(folder: "/nowhere", dynamic: ["taskmanager.spot.watch=\(mode)"]), surroundings: surroundings(variables), log: Log.none)
            await Task { await watcher.watch { decision in self.decisions.withLock { $0.append(decision) } } }.value
        }

        private static func response(_ status: Int, _ text: String) -> HTTPAnswer {
            let rest = Mutex<ByteBuffer?>(text.isEmpty ? nil : ByteBuffer(string: text))
            return HTTPAnswer(status: status, headers: [], body: ByteChunks { () async throws(HTTPFailure) in rest.withLock { $0.take() } })
        }
    }

    private static let notice = #"{"action": "terminate", "time": "2027-01-15T08:02:00Z"}"#

    @Test(arguments: ["auto", "true"]) func aNoticeComesThrough(mode: String) async throws {
        let world = World { path, before in
            path == "instance-life-cycle" ? "spot" : path == "spot/instance-action" && before >= 3 ? Self.notice : nil
        }
        try await world.watch(mode)
        let decisions = world.decisions.withLock { $0 }
        #expect(decisions == [.leave(reason: "Spot notice: EC2 will terminate this instance at 2027-01-15T08:02:00Z", within: .seconds(105))])
    }

    @Test func onOtherMachinesNobodyWatches() async throws {
        let nowhere = World(isThere: false) { _, _ in nil }
        try await nowhere.watch("auto")
        let onDemand = World { path, _ in path == "instance-life-cycle" ? "on-demand" : Self.notice }
        try await onDemand.watch("auto")
        let disabled = World { _, _ in Self.notice }
        try await disabled.watch("true", ["AWS_EC2_METADATA_DISABLED": "true"])
        for world in [nowhere, onDemand, disabled] {
            #expect(world.decisions.withLock { $0 } == [])
            #expect(world.slept.withLock { $0 } < 100, "it has ended by itself")
        }
    }

    @Test func anAbsentServiceIsAskedAgainWhereItIsWanted() async throws {
        let world = World(isThere: false) { _, _ in nil }
        try await world.watch("true")
        #expect(world.slept.withLock { $0 } >= 100)
    }
}
