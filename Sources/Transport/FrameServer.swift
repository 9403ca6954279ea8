import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Listens, greets, and hands over connections that speak our protocol.
package final class FrameServer: Sendable {
    private let channel: any Channel

    /// The port that is listened on, chosen by the system where 0 was asked for.
    package let port: Int

    private init(channel: any Channel) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
    }

    /// `accept` is called on the new connection's event loop, before its first frame. `log` gets a line for what never became a connection: refusals, failed
    /// TLS handshakes, strangers; not for probes that connect and close. Throws `TransportError`.
    package static func bind(
        group: any EventLoopGroup, host: String, port: Int, tls: TLSCredentials? = nil, role: UInt8, options: TransportOptions = TransportOptions(),
        log: @escaping @Sendable (String) -> Void, accept: @escaping @Sendable (FrameConnection) -> FrameHandler
    ) -> EventLoopFuture<FrameServer> {
        ignoreSIGPIPE()
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.breakAfterSilence(options)
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandlers([FirstByteHandler(), NIOSSLServerHandler(context: tls.server)]) }
                    try pipeline.addHandler(FrameChannelHandler(side: .server(log: log), role: role, options: options, accept: accept))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.recvAllocator, value: readBuffers)
            .bind(host: host, port: port)
            .map(FrameServer.init(channel:))
            .flatMapErrorThrowing { throw TransportError.failed("cannot listen on \(host):\(port): \(words($0))") }
    }

    /// Stops listening; open connections stay.
    package func close() { channel.close(promise: nil) }
}

/// Connects and greets. Fails with `TransportError`, in words, within `options.handshakeTimeout`. `accept` as for `FrameServer.bind`; it is called before
/// the future is fulfilled.
package func connect(
    group: any EventLoopGroup, host: String, port: Int, tls: TLSCredentials? = nil, role: UInt8, options: TransportOptions = TransportOptions(),
    accept: @escaping @Sendable (FrameConnection) -> FrameHandler
) -> EventLoopFuture<FrameConnection> {
    ignoreSIGPIPE()
    let loop = group.next()
    let opened = loop.makePromise(of: FrameConnection.self)
    ClientBootstrap(group: loop)
        .connectTimeout(options.handshakeTimeout)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.breakAfterSilence(options)
                let pipeline = channel.pipeline.syncOperations
                if let tls { try pipeline.addHandler(NIOSSLClientHandler(context: tls.client, serverHostname: nil)) }
                try pipeline.addHandler(FrameChannelHandler(side: .client(opened), role: role, options: options, accept: accept))
            }
        }
        .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        .channelOption(.socketOption(.so_keepalive), value: 1)
        .channelOption(.recvAllocator, value: readBuffers)
        .connect(host: host, port: port)
        .whenFailure { opened.fail(TransportError.failed("cannot connect to \(host):\(port): \(words($0))")) }
    return opened.futureResult
}

extension Channel {
    /// On the event loop, before the connection is used.
    fileprivate func breakAfterSilence(_ options: TransportOptions) throws {
        guard let limit = options.silenceTimeout, let settings = syncOptions else { return }
        let seconds = Int(max(limit.nanoseconds / 1_000_000_000, 2))
        // Probes cover the second half: one a second from the middle on.
        try settings.setOption(.tcpOption(.init(rawValue: TCP_KEEPIDLE)), value: max(seconds / 2, 1))
        try settings.setOption(.tcpOption(.init(rawValue: TCP_KEEPINTVL)), value: 1)
        try settings.setOption(.tcpOption(.init(rawValue: TCP_KEEPCNT)), value: max(seconds - seconds / 2, 1))
        try settings.setOption(.tcpOption(.init(rawValue: TCP_USER_TIMEOUT)), value: seconds * 1000)
    }
}

/// Grows with what a connection brings; idle ones cost little.
private let readBuffers = AdaptiveRecvByteBufferAllocator(minimum: 4 << 10, initial: 64 << 10, maximum: 128 << 10)
