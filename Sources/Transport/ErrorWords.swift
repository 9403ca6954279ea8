import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// An error in a few words for people; NIO's and BoringSSL's own descriptions are lines of internals.
func words(_ error: any Error) -> String {
    switch error {
    case let error as TransportError: error.description
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
        if let first = error.connectionErrors.first { words(first.error) } else { "the host name has no address" }
    case ChannelError.connectTimeout(let limit): "no answer within \(limit.nanoseconds / 1_000_000) ms"
    case let error as NIOSSLError: "TLS: \(words(tls: error))"
    default: "\(error)"
    }
}

private func words(tls error: NIOSSLError) -> String {
    let text = "\(error)"
    let known = [
        ("CERTIFICATE_VERIFY_FAILED", "the peer's certificate is not trusted here"),
        ("UNKNOWN_CA", "the peer does not trust our certificate"),
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "the peer showed no certificate"),
        ("CERTIFICATE_REQUIRED", "the peer wants a certificate and got none"),
        ("WRONG_VERSION_NUMBER", "the peer does not speak TLS"),
        ("HTTP_REQUEST", "the peer speaks HTTP without TLS"),
    ]
    if let (_, words) = known.first(where: { contains(text, $0.0) }) { return words }
    return error == .uncleanShutdown ? "the peer closed the connection during the handshake" : "handshake failed: \(text)"
}

private func contains(_ text: String, _ part: String) -> Bool {
    text.utf8.indices.contains { text.utf8[$0...].starts(with: part.utf8) }
}
