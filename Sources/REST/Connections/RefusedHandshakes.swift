import Glibc
import Hosts
import NIOCore
import NIOSSL
import Synchronization

/// Tells of TLS clients that are refused, a line a minute.
package final class RefusedHandshakes: Sendable {
    private let log: Log
    private let line = Mutex(RareLine())

    package init(_ log: Log) { self.log = log }

    /// Anything but a handshake that failed is none of its business.
    func note(_ error: any Error, from peer: SocketAddress?, _ pipeline: ChannelPipeline.SynchronousOperations) {
        guard case NIOSSLError.handshakeFailed(let reason)? = error as? NIOSSLError else { return }
        let text = "\(reason)"
        // Only a connection that is not torn down yet has one.
        let certificateEnd = text.contains("CERTIFICATE_VERIFY_FAILED") ? (try? pipeline.nioSSL_peerCertificate())?.notValidAfter : nil
        guard let words = RefusedHandshakes.words(text, certificateEnd: certificateEnd, now: time(nil)),
            let count = line.withLock({ $0.take(at: .now) })
        else { return }
        let others = count > 1 ? "; \(count) were since the last such line" : ""
        log(.warning, "RESTServer", "A TLS client at \(peer?.ipAddress ?? "an unknown address") was refused: \(words)\(others)")
    }

    /// `reason`: the TLS library's. `certificateEnd`: of the client's certificate, and `now`: seconds since the epoch. Nil when the client just went away, as
    /// whoever only looks whether somebody listens.
    package static func words(_ reason: String, certificateEnd: Int?, now: Int) -> String? {
        if reason.contains("EOF during") { return nil }
        let isExpired = certificateEnd.map { $0 < now } ?? false
        let known = [
            ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "it showed no certificate, which security.ssl.rest.authentication-enabled wants"),
            (
                "CERTIFICATE_VERIFY_FAILED",
                isExpired ? "its certificate has expired" : "its certificate is none that security.ssl.rest.ca (or truststore) vouches for"
            ),
            ("ALERT_CERTIFICATE_EXPIRED", "it finds this server's certificate expired"),
            ("ALERT_UNKNOWN_CA", "it does not trust this server's certificate"), ("ALERT_CERTIFICATE_UNKNOWN", "it does not trust this server's certificate"),
            ("ALERT_BAD_CERTIFICATE", "it does not trust this server's certificate"),
            ("HTTP_REQUEST", "it speaks HTTP without TLS; here is https"), ("HTTPS_PROXY_REQUEST", "it takes this server for a proxy, without TLS"),
            ("WRONG_VERSION_NUMBER", "it does not speak TLS"), ("UNSUPPORTED_PROTOCOL", "it speaks no TLS from version 1.2 on"),
            ("NO_SHARED_CIPHER", "it has no cipher in common with this server"),
        ]
        if let (_, words) = known.first(where: { reason.contains($0.0) }) { return words }
        // `…:SSL routines:OPENSSL_internal:NAME at file:line`
        guard let start = reason.firstRange(of: "OPENSSL_internal:") else { return "the handshake failed" }
        return "the handshake failed (\(reason[start.upperBound...].prefix { $0 != " " }))"
    }
}
