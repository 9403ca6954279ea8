import Columnar
import Dataflow
import JobControl
import NIOCore
import NIOPosix
import Synchronization
import Transport
import Wire

/// The connections between TaskManagers. For each job a TaskManager opens one to every other that it sends something to, elements or
/// credits; what it hears comes on the ones that others opened.
///
/// A deployment opens its own: jobs deployed at once do not meet, a restart never goes on with a connection that fell silent, and a
/// TaskManager that came back under its old name is reached where it is now. Planned changes go on with what is open, and close what leads to
/// those who have left. The first frame says who opened it and for what; an empty frame is the last one: nothing of the job is sent there
/// any more, so that the end which follows is no loss.
package final class DataNetwork: Sendable {
    /// What a connection is for.
    package struct Purpose: Hashable, Sendable {
        /// The other end.
        package var peer: WorkerID
        package var job: JobID
        /// The one that opened it: a deployment's, or a planned change's after it.
        package var attempt: UInt32

        package init(peer: WorkerID, job: JobID, attempt: UInt32) {
            self.peer = peer
            self.job = job
            self.attempt = attempt
        }
    }

    package typealias Lost = @Sendable (Purpose, String) -> Void

    package let channels = ChannelTable()
    /// Where other TaskManagers connect.
    package let port: UInt16

    private let worker: WorkerID
    private let group: any EventLoopGroup
    private let tls: TLSCredentials?
    private let options: TransportOptions
    private let log: Log
    private let server = Mutex<FrameServer?>(nil)
    private let open = Mutex<[Purpose: FrameConnection]>([:])
    private let lost = Mutex<Lost?>(nil)

    package init(
        worker: WorkerID, group: any EventLoopGroup, host: String, port: Int, tls: TLSCredentials?, options: TransportOptions, log: Log,
        desk: InspectionDesk? = nil
    ) throws(StreamError) {
        self.worker = worker
        self.group = group
        self.tls = tls
        self.options = options
        self.log = log
        let receiver = Receiver(channels: channels, log: log)
        do {
            let server = try FrameServer.bind(
                group: group, host: host, port: port, tls: tls, role: Role.data, options: options,
                log: { log(.warning, "DataNetwork", $0) }, accept: { connection in
                    if let desk, connection.peerRole == Role.inspection { return desk.accept(connection) }
                    return receiver.accept(connection)
                }
            ).wait()
            self.port = UInt16(server.port)
            self.server.withLock { $0 = server }
        } catch {
            throw StreamError(.externalSystem, retry: false, "\(error)")
        }
        receiver.onLost { [weak self] purpose, reason in self?.tellLost(purpose, reason) }
    }

    /// Called on any thread when a connection from or to another TaskManager breaks.
    package func onLost(_ body: @escaping Lost) { lost.withLock { $0 = body } }

    /// The connection of an attempt to a TaskManager, opened when there is none. Waits; not for event loops.
    ///
    /// - Parameter earlier: one that an earlier attempt of the job opened and did not close will do.
    package func link(to purpose: Purpose, earlier: Bool = false, host: String, port: UInt16) throws(StreamError) -> any Link {
        try opening(to: purpose, earlier: earlier, host: host, port: port).wait()
    }

    /// As `link`, without waiting: so several connections are opened at once. Each must be waited for, also when another one fails: before that
    /// nobody knows whose it is, and nobody closes it.
    package func opening(to purpose: Purpose, earlier: Bool, host: String, port: UInt16) -> Opening {
        if let held = held(for: purpose, earlier: earlier) { return Opening(state: .held(held)) }
        let connection = connect(
            group: group, host: host, port: Int(port), tls: tls, role: Role.data, options: options,
            accept: { [self] connection in
                FrameHandler(
                    onFrame: { _ in connection.close(reason: "data connections are one-way") },
                    onClosed: { [self] reason in
                        let wasOpen = open.withLock { open in
                            guard open[purpose]?.id == connection.id else { return false }
                            open[purpose] = nil
                            return true
                        }
                        if wasOpen { tellLost(purpose, reason.description) }
                    })
            })
        return Opening(state: .connecting(connection, network: self, purpose, address: "\(host):\(port)"))
    }

    /// A connection that is there, or on its way.
    package struct Opening {
        fileprivate enum State {
            case held(FrameConnection)
            case connecting(EventLoopFuture<FrameConnection>, network: DataNetwork, Purpose, address: String)
        }

        fileprivate let state: State

        package func wait() throws(StreamError) -> any Link {
            switch state {
            case .held(let held): return FrameLink(connection: held)
            case .connecting(let connection, let network, let purpose, let address):
                do { return FrameLink(connection: try network.keep(try connection.wait(), for: purpose)) } catch {
                    throw StreamError(.connection, retry: true, "no data connection to TaskManager \(purpose.peer) at \(address): \(error)", unreachable: purpose.peer)
                }
            }
        }
    }

    private func keep(_ connection: FrameConnection, for purpose: Purpose) throws -> FrameConnection {
        let (held, isFirst) = open.withLock { open in
            if let first = open[purpose] { return (first, false) }
            // Only the connection that is kept says whose it is: the end of one that said nothing concerns nobody.
            connection.send(Purpose(peer: worker, job: purpose.job, attempt: purpose.attempt).encode())
            open[purpose] = connection
            return (connection, true)
        }
        if !isFirst { connection.close(reason: "opened twice") }
        // It may have ended before it was kept, unseen.
        if held.isClosing {
            open.withLock { if $0[purpose]?.id == held.id { $0[purpose] = nil } }
            throw TransportError.failed("it ended at once")
        }
        return held
    }

    private func held(for purpose: Purpose, earlier: Bool) -> FrameConnection? {
        open.withLock { open in
            if let held = open[purpose] { return held }
            guard earlier else { return nil }
            let known = open.filter { $0.key.job == purpose.job && $0.key.peer == purpose.peer && !$0.value.isClosing }
            return known.max { $0.key.attempt < $1.key.attempt }?.value
        }
    }

    /// A planned change is over: nothing of the job is sent to others than these any more.
    package func close(job: JobID, except peers: Set<WorkerID>) { end("the job is not there any more") { $0.job == job && !peers.contains($0.peer) } }

    /// No task of the job up to this attempt runs here any more.
    package func close(job: JobID, attemptsUpTo attempt: UInt32) { end("the attempt is over") { $0.job == job && $0.attempt <= attempt } }

    private func end(_ reason: String, _ isOver: (Purpose) -> Bool) {
        let over = open.withLock { open in
            let over = open.filter { isOver($0.key) }
            for purpose in over.keys { open[purpose] = nil }
            return over.values.map { $0 }
        }
        for connection in over {
            connection.send([])
            connection.close(reason: reason)
        }
    }

    package func close() {
        server.withLock { $0?.close() }
        for connection in open.withLock({ $0.values.map { $0 } }) { connection.close(reason: "the TaskManager ends") }
    }

    private func tellLost(_ purpose: Purpose, _ reason: String) {
        lost.withLock { $0 }?(purpose, reason)
    }
}

extension DataNetwork.Purpose {
    /// The first frame of a connection: the opener, and what it opened it for.
    fileprivate func encode() -> [UInt8] {
        var writer = ByteWriter()
        writer.put(peer.description)
        writer.put(job)
        writer.put(attempt)
        return writer.bytes
    }

    fileprivate init(from bytes: [UInt8]) throws(MalformedBytes) {
        self = try ByteReader.reading(bytes) { (reader: inout ByteReader) throws(MalformedBytes) in
            let purpose = DataNetwork.Purpose(peer: WorkerID(try reader.string()), job: try reader.job(), attempt: try reader.number())
            try reader.end()
            return purpose
        }
    }
}

/// What arrives on connections that others opened.
private final class Receiver: Sendable {
    private let channels: ChannelTable
    private let log: Log
    private let lost = Mutex<DataNetwork.Lost?>(nil)

    init(channels: ChannelTable, log: Log) {
        self.channels = channels
        self.log = log
    }

    func onLost(_ body: @escaping DataNetwork.Lost) { lost.withLock { $0 = body } }

    func accept(_ connection: FrameConnection) -> FrameHandler {
        // Touched on the connection's event loop only.
        let opener = NIOLoopBound<Opener>(Opener(), eventLoop: connection.eventLoop)
        return FrameHandler(
            onFrame: { [self] frame in
                if opener.value.purpose == nil {
                    begin(opener.value, frame, connection)
                } else if frame.readableBytes == 0 {
                    opener.value.isOver = true
                } else {
                    receive(frame, on: connection)
                }
            },
            onClosed: { [self] reason in
                guard let purpose = opener.value.purpose, !opener.value.isOver else { return }
                lost.withLock { $0 }?(purpose, reason.description)
            })
    }

    private final class Opener {
        var purpose: DataNetwork.Purpose?
        var isOver = false
    }

    private func begin(_ opener: Opener, _ frame: ByteBuffer, _ connection: FrameConnection) {
        do throws(MalformedBytes) { opener.purpose = try DataNetwork.Purpose(from: Array(frame.readableBytesView)) } catch {
            refuse(connection, error)
        }
    }

    private func refuse(_ connection: FrameConnection, _ error: any Error) {
        log(.warning, "DataNetwork", "\(connection.peer) sent bytes that cannot be read, its connection is closed: \(error)")
        connection.close(reason: "unreadable bytes: \(error)")
    }

    private func receive(_ frame: ByteBuffer, on connection: FrameConnection) {
        do {
            let message = try frame.withUnsafeReadableBytes { raw in
                try DataMessage.decode(raw, types: { [channels] in channels.receiving($0)?.types })
            }
            switch message {
            case .element(let channel, let sequence, let element)?:
                guard let end = channels.receiving(channel) else { return }
                end.slot.post(.command(end.task, .element(channel, sequence: sequence, element)))
            case .credit(let channel, let batches)?:
                guard let end = channels.sending(channel) else { return }
                end.slot.post(.command(end.task, .credit(channel, batches: batches)))
            case .state(let parcel)?: channels.slot(of: parcel.to)?.post(.command(parcel.to, .state(parcel)))
            case nil: break  // A channel of an older attempt.
            }
        } catch {
            refuse(connection, error)
        }
    }
}
