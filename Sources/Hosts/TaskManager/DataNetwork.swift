import Columnar
import Dataflow
import JobControl
import NIOCore
import NIOPosix
import Synchronization
import Transport
import Wire

/// The connections between TaskManagers. Each TaskManager opens one to every other it sends something to, elements or credits; what it
/// hears comes on the ones that others opened. The first frame of a connection is the opener's worker id.
package final class DataNetwork: Sendable {
    package let channels = ChannelTable()
    /// Where other TaskManagers connect.
    package let port: UInt16

    private let worker: WorkerID
    private let group: any EventLoopGroup
    private let tls: TLSCredentials?
    private let log: Log
    private let server = Mutex<FrameServer?>(nil)
    private let peers = Mutex<[WorkerID: FrameConnection]>([:])
    private let lost = Mutex<(@Sendable (WorkerID, String) -> Void)?>(nil)

    package init(worker: WorkerID, group: any EventLoopGroup, host: String, port: Int, tls: TLSCredentials?, log: Log) throws(StreamError) {
        self.worker = worker
        self.group = group
        self.tls = tls
        self.log = log
        let receiver = Receiver(channels: channels, log: log)
        do {
            let server = try FrameServer.bind(
                group: group, host: host, port: port, tls: tls, role: Role.data,
                log: { log(.warning, "DataNetwork", $0) }, accept: { receiver.accept($0) }
            ).wait()
            self.port = UInt16(server.port)
            self.server.withLock { $0 = server }
        } catch {
            throw StreamError(.externalSystem, retry: false, "\(error)")
        }
        receiver.onLost { [weak self] worker, reason in self?.peerLost(worker, reason) }
    }

    /// Called on any thread when a connection from or to another TaskManager breaks.
    package func onPeerLost(_ body: @escaping @Sendable (WorkerID, String) -> Void) { lost.withLock { $0 = body } }

    /// The connection to a TaskManager, opened when there is none. Waits; not for event loops.
    package func link(to worker: WorkerID, host: String, port: UInt16) throws(StreamError) -> any Link {
        if let open = peers.withLock({ $0[worker] }) { return FrameLink(connection: open) }
        do {
            let connection = try connect(
                group: group, host: host, port: Int(port), tls: tls, role: Role.data,
                accept: { [self] connection in
                    FrameHandler(
                        onFrame: { _ in connection.close(reason: "data connections are one-way") },
                        onClosed: { [self] reason in
                            let wasOpen = peers.withLock { peers in
                                guard peers[worker]?.id == connection.id else { return false }
                                peers[worker] = nil
                                return true
                            }
                            if wasOpen { peerLost(worker, reason.description) }
                        })
                }
            ).wait()
            connection.send(Array(self.worker.description.utf8))
            return FrameLink(
                connection: peers.withLock { peers in
                    // Two deployments may open at once: the first one stays, the other is closed without a word.
                    if let first = peers[worker] {
                        connection.close(reason: "opened twice")
                        return first
                    }
                    peers[worker] = connection
                    return connection
                })
        } catch {
            throw StreamError(.connection, retry: true, "no data connection to TaskManager \(worker) at \(host):\(port): \(error)")
        }
    }

    package func close() {
        server.withLock { $0?.close() }
        for connection in peers.withLock({ $0.values.map { $0 } }) { connection.close(reason: "the TaskManager ends") }
    }

    private func peerLost(_ worker: WorkerID, _ reason: String) {
        lost.withLock { $0 }?(worker, reason)
    }
}

/// What arrives on connections that others opened.
private final class Receiver: Sendable {
    private let channels: ChannelTable
    private let log: Log
    private let lost = Mutex<(@Sendable (WorkerID, String) -> Void)?>(nil)

    init(channels: ChannelTable, log: Log) {
        self.channels = channels
        self.log = log
    }

    func onLost(_ body: @escaping @Sendable (WorkerID, String) -> Void) { lost.withLock { $0 = body } }

    func accept(_ connection: FrameConnection) -> FrameHandler {
        // Touched on the connection's event loop only.
        let opener = NIOLoopBound<Opener>(Opener(), eventLoop: connection.eventLoop)
        return FrameHandler(
            onFrame: { [self] frame in
                guard opener.value.worker != nil else {
                    opener.value.worker = WorkerID(String(buffer: frame))
                    return
                }
                receive(frame, on: connection)
            },
            onClosed: { [self] reason in
                guard let worker = opener.value.worker else { return }
                lost.withLock { $0 }?(worker, reason.description)
            })
    }

    private final class Opener { var worker: WorkerID? }

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
            case nil: break  // A channel of an older attempt.
            }
        } catch {
            log(.warning, "DataNetwork", "\(connection.peer) sent bytes that cannot be read, its connection is closed: \(error)")
            connection.close(reason: "unreadable bytes: \(error)")
        }
    }
}
