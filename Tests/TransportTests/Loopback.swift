import NIOCore
import NIOPosix
import Synchronization

import Transport

/// What happened at one end, in order; tests wait for it.
final class Recorder: Sendable {
    enum Event: Equatable, Sendable {
        case opened(peerRole: UInt8)
        case frame([UInt8])
        case closed(CloseReason)
        case logged(String)
    }

    private struct State {
        var events: [Event] = []
        var connections: [FrameConnection] = []
        var unreadable: [UInt8]?
        var waiting: (count: Int, promise: CheckedContinuation<Void, Never>)?
    }

    private let state = Mutex(State())

    func record(_ event: Event, _ connection: FrameConnection? = nil) {
        let ready = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.events.append(event)
            if let connection { state.connections.append(connection) }
            guard let waiting = state.waiting, state.events.count >= waiting.count else { return nil }
            state.waiting = nil
            return waiting.promise
        }
        ready?.resume()
    }

    /// The first `count` events, as soon as they have happened.
    func events(_ count: Int) async -> [Event] {
        await withCheckedContinuation { promise in
            let isReady = state.withLock { state in
                if state.events.count >= count { return true }
                state.waiting = (count, promise)
                return false
            }
            if isReady { promise.resume() }
        }
        return state.withLock { Array($0.events.prefix(count)) }
    }

    var connection: FrameConnection { state.withLock { $0.connections[0] } }
    var all: [Event] { state.withLock { $0.events } }

    func accept(_ connection: FrameConnection) -> FrameHandler {
        record(.opened(peerRole: connection.peerRole), connection)
        return FrameHandler(
            onFrame: { frame in
                let bytes = Array(frame.readableBytesView)
                self.record(.frame(bytes))
                if self.state.withLock({ $0.unreadable == bytes }) { connection.close(reason: "unreadable") }
            },
            onClosed: { self.record(.closed($0)) })
    }

    /// Treats this frame as one that cannot be read.
    func closes(on frame: [UInt8]) { state.withLock { $0.unreadable = frame } }

    func log(_ line: String) { record(.logged(line)) }
}

/// A server on a loopback port, and what happened there. Roles: the server is 1, clients are 2.
struct Loopback {
    let server: FrameServer
    let recorder = Recorder()
    private let tls: TLSCredentials?

    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// The limits on time are the product's; here only the order of events counts, on machines as busy as they like to be.
    static var patient: TransportOptions {
        var options = TransportOptions()
        options.handshakeTimeout = .minutes(5)
        options.lingerTimeout = .minutes(5)
        return options
    }

    init(options: TransportOptions = patient, tls: TLSCredentials? = nil) async throws {
        self.tls = tls
        server = try await FrameServer.bind(
            group: Self.group, host: "127.0.0.1", port: 0, tls: tls, role: 1, options: options, log: recorder.log, accept: recorder.accept
        ).get()
    }

    func connect(_ recorder: Recorder, options: TransportOptions = patient, tls: TLSCredentials? = nil) async throws -> FrameConnection {
        try await Transport.connect(
            group: Self.group, host: "127.0.0.1", port: server.port, tls: tls ?? self.tls, role: 2, options: options, accept: recorder.accept
        ).get()
    }

    /// A plain socket, for saying what our client would not.
    func connectRaw() async throws -> any Channel {
        try await ClientBootstrap(group: Self.group).connect(host: "127.0.0.1", port: server.port).get()
    }
}

extension Loopback {
    /// Accepts and says nothing.
    static func silentServer() async throws -> any Channel {
        try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
    }
}
