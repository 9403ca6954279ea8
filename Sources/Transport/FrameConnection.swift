import NIOCore
import Synchronization

/// An open connection after its greeting. `send` and `close` may be called from any thread.
///
/// Frames are queued under a short lock; the first one wakes the event loop, those that follow before it has run ride along: one write and one flush
/// for all of them.
package final class FrameConnection: Sendable {
    /// Unique in this process.
    package let id: UInt64
    /// The other end, `10.0.0.7:40122`.
    package let peer: String
    /// What the other end said it is.
    package let peerRole: UInt8

    private let channel: any Channel
    private let options: TransportOptions
    private let outbox = Mutex(Outbox())

    private struct Outbox {
        var frames: [Frame] = []
        var pendingBytes = 0
        var isDrainScheduled = false
        var closing: CloseReason?
    }

    private struct Frame {
        let header: [UInt8]
        let body: Body

        enum Body {
            case bytes([UInt8])
            case buffer(ByteBuffer)
        }

        var payloadBytes: Int {
            switch body {
            case .bytes(let bytes): header.count + bytes.count
            case .buffer(let buffer): header.count + buffer.readableBytes
            }
        }
    }

    /// Bodies from this size are handed on as they are; smaller ones are copied together.
    private static let copyLimitBytes = 32 << 10
    private static let chunkBytes = 256 << 10
    private static let lastID = Atomic<UInt64>(0)

    init(channel: any Channel, peerRole: UInt8, options: TransportOptions) {
        self.channel = channel
        self.peerRole = peerRole
        self.options = options
        id = Self.lastID.wrappingAdd(1, ordering: .relaxed).newValue
        peer = describe(channel.remoteAddress)
    }

    /// The loop on which this connection's `FrameHandler` is called.
    package var eventLoop: any EventLoop { channel.eventLoop }

    /// Bytes handed to `send` that the kernel has not taken yet.
    package var pendingBytes: Int { outbox.withLock { $0.pendingBytes } }

    /// One frame. The array is shared, not copied, until it is written.
    package func send(_ payload: [UInt8]) { send(Frame(header: payload, body: .bytes([]))) }

    /// One frame of both parts. The body is shared, not copied, until it is written.
    package func send(header: [UInt8], body: [UInt8]) { send(Frame(header: header, body: .bytes(body))) }

    /// One frame of both parts. A large body is written from where it lies.
    package func send(header: [UInt8], body: ByteBuffer) { send(Frame(header: header, body: .buffer(body))) }

    /// Sends what was handed over before, then closes. `onClosed` will say `.here(reason)`.
    package func close(reason: String) {
        let isFirst = outbox.withLock { outbox in
            if outbox.closing != nil { return false }
            outbox.closing = .here(reason)
            return true
        }
        guard isFirst else { return }
        channel.eventLoop.execute {
            self.drain()
            self.channel.closeAfterFlush(within: self.options.lingerTimeout)
        }
    }

    /// It is closed or about to be: nothing that still comes is of interest.
    package var isClosing: Bool { outbox.withLock { $0.closing != nil } }

    /// What ended the connection: the first reason given here, else `observed`.
    func closed(_ observed: CloseReason) -> CloseReason {
        outbox.withLock { outbox in
            let reason = outbox.closing ?? observed
            outbox.closing = reason
            outbox.frames = []
            return reason
        }
    }

    private func send(_ frame: Frame) {
        let size = frame.payloadBytes
        enum Next { case nothing, drain, abandon }
        let next = outbox.withLock { outbox -> Next in
            if outbox.closing != nil { return .nothing }
            if size > options.frameLimitBytes {
                outbox.closing = .overflow("a frame of \(size) bytes was to be sent, the limit is \(options.frameLimitBytes)")
                return .abandon
            }
            outbox.pendingBytes += FrameDecoder.headerBytes + size
            if outbox.pendingBytes > options.pendingLimitBytes {
                outbox.closing = .overflow("the peer does not take what is sent: \(outbox.pendingBytes) bytes wait, the limit is \(options.pendingLimitBytes)")
                return .abandon
            }
            outbox.frames.append(frame)
            if outbox.isDrainScheduled { return .nothing }
            outbox.isDrainScheduled = true
            return .drain
        }
        switch next {
        case .nothing: break
        case .drain: channel.eventLoop.execute { self.drain() }
        case .abandon: channel.close(promise: nil)
        }
    }

    /// On the event loop.
    private func drain() {
        let frames = outbox.withLock { outbox in
            outbox.isDrainScheduled = false
            let frames = outbox.frames
            outbox.frames = []
            return frames
        }
        if frames.isEmpty { return }
        let totalBytes = frames.reduce(0) { $0 + FrameDecoder.headerBytes + $1.payloadBytes }
        var chunk = channel.allocator.buffer(capacity: min(totalBytes, Self.chunkBytes))
        for frame in frames {
            if chunk.readableBytes >= Self.chunkBytes { write(&chunk) }
            chunk.writeInteger(UInt32(frame.payloadBytes), endianness: .little)
            chunk.writeBytes(frame.header)
            switch frame.body {
            case .bytes(let bytes): chunk.writeBytes(bytes)
            case .buffer(let buffer) where buffer.readableBytes < Self.copyLimitBytes: chunk.writeImmutableBuffer(buffer)
            case .buffer(var buffer):
                write(&chunk)
                write(&buffer)
            }
        }
        write(&chunk)
        channel.flush()
    }

    private func write(_ buffer: inout ByteBuffer) {
        let size = buffer.readableBytes
        if size == 0 { return }
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in self.outbox.withLock { $0.pendingBytes -= size } }
        channel.write(buffer, promise: written)
        buffer = channel.allocator.buffer(capacity: 0)
    }
}

extension Channel {
    /// On the event loop. Closes when everything written so far is with the kernel, or when the time is over.
    func closeAfterFlush(within limit: TimeAmount) {
        let late = eventLoop.scheduleTask(in: limit) { self.close(promise: nil) }
        writeAndFlush(allocator.buffer(capacity: 0)).whenComplete { _ in
            late.cancel()
            self.close(promise: nil)
        }
    }
}

func describe(_ address: SocketAddress?) -> String {
    guard let address else { return "unknown peer" }
    guard let ip = address.ipAddress, let port = address.port else { return address.description }
    return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
}
