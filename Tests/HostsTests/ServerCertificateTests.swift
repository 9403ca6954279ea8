import Dataflow
import Hosts
import Settings
import Testing

struct ServerCertificateTests {
    @Test func aCertificateOutOfItsTimeIsTold() {
        func warning(at now: Int) -> String? { certificateWarning(scope: "security.ssl.rest", from: 1_000_000_000, until: 1_100_000_000, now: now) }
        #expect(warning(at: 1_050_000_000) == nil)
        #expect(warning(at: 1_100_000_001)?.hasPrefix("security.ssl.rest: this process' certificate expired at 2004-11-09 11:33:20 UTC") == true)
        #expect(warning(at: 999_999_999)?.contains("valid only from 2001-09-09 01:46:40 UTC on") == true)
    }

    @Test func storesOfOtherTypesAreRefusedByTheNameOfTheKey() throws {
        var settings = [
            "security.ssl.rest.enabled": "true", "security.ssl.rest.keystore": "/nowhere/rest.jks", "security.ssl.rest.keystore-password": "secret",
            "security.ssl.rest.keystore-type": "JKS",
        ]
        let java = try Configuration(values: settings)
        do throws(StreamError) {
            _ = try restTLS(java)
            Issue.record("a Java key store is taken")
        } catch {
            #expect(error.kind == .user)
            #expect(error.message.hasPrefix("security.ssl.rest.keystore-type: 'JKS' is not read"))
            #expect(error.message.contains("keytool -importkeystore -srckeystore /nowhere/rest.jks"))
        }
        settings["security.ssl.rest.keystore-type"] = "pkcs12"
        let standard = try Configuration(values: settings)
        do throws(StreamError) {
            _ = try restTLS(standard)
            Issue.record("a file that is not there is taken")
        } catch {
            #expect(!error.message.contains("keystore-type"))
        }
    }
}
