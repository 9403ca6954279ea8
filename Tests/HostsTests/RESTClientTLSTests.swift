import Dataflow
import Hosts
import Settings
import Testing

/// How a client of the REST API is configured, and what it says when no TLS comes about.
@Suite struct RESTClientTLSTests {
    private func problem(_ settings: [String: String]) throws -> String {
        let keys = Dictionary(uniqueKeysWithValues: settings.map { ("security.ssl.rest." + $0.key, $0.value) })
        let configuration = try Configuration(values: keys)
        do throws(StreamError) { _ = try restClientTLS(configuration) } catch { return error.message }
        return "none"
    }

    @Test func aFileThatIsNotThereIsNamedWithItsKey() throws {
        for key in ["ca", "truststore", "keystore"] {
            #expect(try problem([key: "/nowhere/file"]) == "security.ssl.rest.\(key): /nowhere/file: No such file or directory")
        }
        #expect(try problem(["cert": "/nowhere/cert", "key": "/nowhere/key"]) == "security.ssl.rest.cert: /nowhere/cert: No such file or directory")
    }

    @Test func halfACertificateIsRefused() throws {
        #expect(try problem(["cert": "/nowhere/cert"]) == "security.ssl.rest.cert is set, but security.ssl.rest.key is not")
        #expect(try problem(["key": "/nowhere/key"]).contains("needs security.ssl.rest.cert or security.ssl.rest.keystore, which is not set"))
        #expect(try problem(["cert.fingerprint": "00:11"]).contains("is not supported"))
    }

    @Test func whoRefusesWhomIsToldApart() {
        func words(_ error: String, showsCertificate: Bool = true) -> String {
            tlsProblem("handshakeFailed(NIOSSL.BoringSSLError.sslError([Error: 1 error:1:SSL routines:OPENSSL_internal:\(error) at tls.cc:1]))",
                showsCertificate: showsCertificate, truster: "this system's authorities") ?? "nothing"
        }
        #expect(words("CERTIFICATE_VERIFY_FAILED").hasPrefix("its certificate is not trusted by this system's authorities"))
        for (error, showsCertificate) in [("TLSV1_ALERT_CERTIFICATE_REQUIRED", false), ("SSLV3_ALERT_HANDSHAKE_FAILURE", false)] {
            #expect(words(error, showsCertificate: showsCertificate).hasPrefix("it asks for a certificate of the client"))
        }
        for error in ["TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_EXPIRED"] {
            #expect(words(error).hasPrefix("it refuses our certificate"))
        }
        #expect(words("WRONG_VERSION_NUMBER").hasPrefix("it does not speak TLS"))
        #expect(words("NO_SHARED_CIPHER") == "nothing")
        #expect(tlsProblem("HTTPClientError.connectTimeout", showsCertificate: false, truster: "nobody") == nil)
    }
}
