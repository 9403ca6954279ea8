import REST
import Testing

struct AdmissionTests {
    private let loopback = BrowserGuard(isLoopback: true, names: ["localhost", "Flink.Example"])

    @Test func pagesOfOthersWriteNothing() {
        for origin in ["http://evil.com", "http://localhost", "http://localhost:3000", "null", "", "file://localhost:8081"] {
            #expect(loopback.refusal(isWriting: true, host: "localhost:8081", origin: origin)?.contains("rest.authentication.token") == true, "\(origin)")
            #expect(loopback.refusal(isWriting: false, host: "localhost:8081", origin: origin) == nil, "\(origin)")
        }
        // No Host to compare with.
        #expect(loopback.refusal(isWriting: true, host: nil, origin: "null") != nil)
    }

    @Test func theDashboardAndProgramsWrite() {
        #expect(loopback.refusal(isWriting: true, host: "localhost:8081", origin: "http://localhost:8081") == nil)
        #expect(loopback.refusal(isWriting: true, host: "LOCALHOST:443", origin: "https://localhost") == nil)
        #expect(loopback.refusal(isWriting: true, host: "[::1]:8081", origin: "http://[::1]:8081") == nil)
        #expect(loopback.refusal(isWriting: true, host: "127.0.0.1:40123", origin: nil) == nil)
    }

    @Test func aNameThatWasMadeToPointHereIsRefused() {
        for host in ["evil.com", "evil.com:8081", "127.0.0.1.evil.com", "1.2.3", "1.2.3.+4", "localhost.evil.com", ""] {
            #expect(loopback.refusal(isWriting: false, host: host, origin: nil)?.contains("rest.address") == true, "\(host)")
        }
        for host in ["localhost", "localhost.:8081", "127.0.0.1:8081", "[::1]:8081", "10.1.2.3", "flink.example:8081"] {
            #expect(loopback.refusal(isWriting: false, host: host, origin: nil) == nil, "\(host)")
        }
        // A name of Docker's or Kubernetes's: nothing is written there without a token.
        #expect(BrowserGuard(isLoopback: false, names: []).refusal(isWriting: false, host: "jobmanager:8081", origin: nil) == nil)
    }

    @Test func tokensAreToldApart() {
        #expect(BearerToken.refusal(of: "Bearer s3cret", token: "s3cret") == nil)
        #expect(BearerToken.refusal(of: "bearer s3cret", token: "s3cret") == nil)
        for wrong in ["Bearer s3cre", "Bearer s3crets", "Bearer S3cret", "Bearer "] { #expect(BearerToken.refusal(of: wrong, token: "s3cret") == "wrong token") }
        for none in [nil, "", "s3cret", "Basic s3cret"] { #expect(BearerToken.refusal(of: none, token: "s3cret")?.hasPrefix("a token is needed") == true) }
    }
}
