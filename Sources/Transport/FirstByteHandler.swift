import Glibc
import NIOCore
import NIOSSL

/// In front of TLS on a server: a peer that goes away without a single byte was a probe, and its broken handshake is nobody's error.
final class FirstByteHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private var hasRead = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasRead = true
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !hasRead { context.pipeline.fireErrorCaught(NIOSSLError.uncleanShutdown) }
        context.fireChannelInactive()
    }
}

/// A write to a connection that is gone is an error code, not the end of the process.
func ignoreSIGPIPE() { _ = sigpipeIgnored }

private let sigpipeIgnored: Bool = {
    signal(SIGPIPE, SIG_IGN)
    return true
}()
