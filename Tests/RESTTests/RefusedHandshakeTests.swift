import REST
import Testing

struct RefusedHandshakeTests {
    private func reason(_ name: String) -> String { "sslError([Error: 268435612 error:1000009c:SSL routines:OPENSSL_internal:\(name) at ssl/file.cc:123])" }

    @Test func reasonsAreToldInWords() {
        func words(_ name: String, end: Int? = nil) -> String? { RefusedHandshakes.words(reason(name), certificateEnd: end, now: 1_000) }
        #expect(words("PEER_DID_NOT_RETURN_A_CERTIFICATE")?.hasPrefix("it showed no certificate") == true)
        #expect(words("CERTIFICATE_VERIFY_FAILED", end: 2_000)?.contains("security.ssl.rest.ca") == true)
        #expect(words("CERTIFICATE_VERIFY_FAILED")?.contains("security.ssl.rest.ca") == true)
        #expect(words("CERTIFICATE_VERIFY_FAILED", end: 999) == "its certificate has expired")
        #expect(words("HTTP_REQUEST")?.contains("HTTP without TLS") == true)
        #expect(words("TLSV1_ALERT_UNKNOWN_CA") == "it does not trust this server's certificate")
        #expect(words("BAD_DECRYPT") == "the handshake failed (BAD_DECRYPT)")
        #expect(RefusedHandshakes.words("syscallError", certificateEnd: nil, now: 0) == "the handshake failed")
    }

    @Test func whoeverJustGoesAwayIsNotTold() {
        #expect(RefusedHandshakes.words("sslError([Error:  EOF during handshake])", certificateEnd: nil, now: 0) == nil)
    }

    @Test func aLineAMinuteSaysHowManyThereWere() {
        var line = RareLine()
        let start = ContinuousClock.now
        let lines = (0..<130).compactMap { second in line.take(at: start + .seconds(second)).map { [second, $0] } }
        #expect(lines == [[0, 1], [60, 60], [120, 60]])
    }
}
