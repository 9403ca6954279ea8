import Glibc
import NIOCore
import Testing
import Transport

/// With certificates made by the `openssl` command; without it, one printed line.
@Suite struct TLSTests {
    @Test func theClustersOwnCertificatesLetEachOtherIn() async throws {
        guard let files = CertificateFolder() else { return }
        let authority = TLSSettings.Trust.pem(path: files.path("ca.pem"))
        let truststore = TLSSettings.Trust.pkcs12(path: files.path("trust.p12"), password: files.password)
        // The last is Flink's documented way: one self-signed certificate, whose store is keystore and truststore in one.
        for settings in [
            TLSSettings(identity: files.identity("node"), trust: authority), TLSSettings(identity: files.store("node"), trust: authority),
            TLSSettings(identity: files.identity("node"), trust: truststore), TLSSettings(identity: files.store("node"), trust: truststore),
            TLSSettings(identity: files.store("stranger"), trust: .pkcs12(path: files.path("stranger.p12"), password: files.password)),
        ] {
            let credentials = try TLSCredentials(settings)
            #expect(credentials.validUntil - credentials.validFrom == 2 * 86_400)
            let (loopback, client) = (try await Loopback(tls: credentials), Recorder())
            let connection = try await loopback.connect(client)
            connection.send([1, 2, 3])
            connection.send([UInt8](repeating: 7, count: 300_000))
            connection.close(reason: "done")
            let areWhole = await loopback.recorder.events(4) == [
                .opened(peerRole: 2), .frame([1, 2, 3]), .frame([UInt8](repeating: 7, count: 300_000)), .closed(.byPeer),
            ]
            #expect(areWhole, "\(settings.identity)")
        }
    }

    @Test func aStrangersCertificateIsRefusedByBothSides() async throws {
        guard let files = CertificateFolder() else { return }
        let ours = TLSSettings(identity: files.identity("node"), trust: .pem(path: files.path("ca.pem")))
        var stranger = ours
        stranger.identity = files.identity("stranger")
        var stray = ours
        stray.trust = .pem(path: files.path("stranger.pem"))
        let (notTrustedHere, notTrustedThere) = ("TLS: the peer's certificate is not trusted here", "TLS: the peer does not trust our certificate")
        var store = ours
        store.trust = .pkcs12(path: files.path("trust.p12"), password: files.password)
        for (server, client, words) in [(ours, stranger, notTrustedHere), (store, stranger, notTrustedHere), (stranger, ours, notTrustedThere), (ours, stray, notTrustedThere)] {
            let loopback = try await Loopback(tls: try TLSCredentials(server))
            let credentials = try TLSCredentials(client)
            let recorder = Recorder()
            await #expect(throws: TransportError.self) { _ = try await loopback.connect(recorder, tls: credentials) }
            guard case .logged(let line) = await loopback.recorder.events(1)[0] else { return #expect(Bool(false), "a stranger came in") }
            #expect(line.hasSuffix(words), "\(line)")
            #expect(recorder.all.isEmpty)
        }
    }

    @Test func plainBytesAndProbesOnATLSPortAreHarmless() async throws {
        guard let files = CertificateFolder() else { return }
        let credentials = try TLSCredentials(TLSSettings(identity: files.identity("node"), trust: .pem(path: files.path("ca.pem"))))
        let loopback = try await Loopback(tls: credentials)
        try await loopback.connectRaw().close().get()
        let plain = try await loopback.connectRaw()
        try await plain.writeAndFlush(Hello(version: TransportOptions().version, role: 7).bytes)
        try await plain.closeFuture.get()
        guard case .logged(let line) = await loopback.recorder.events(1)[0] else { return #expect(Bool(false), "plain bytes came in") }
        #expect(line.hasSuffix("TLS: the peer does not speak TLS"), "\(line)")
        _ = try await loopback.connect(Recorder())
        #expect(await loopback.recorder.events(2).last == .opened(peerRole: 2))
    }

    @Test func storesAreCheckedBeforeTheyAreOpened() throws {
        guard let files = CertificateFolder() else { return }
        func problem(_ settings: TLSSettings) -> String {
            do throws(TLSError) { _ = try TLSCredentials(settings) } catch { return error.description }
            return "none"
        }
        let ours = TLSSettings(identity: files.identity("node"), trust: .pem(path: files.path("ca.pem")))
        var settings = ours
        settings.identity = .pkcs12(path: files.path("node.p12"), password: "wrong")
        #expect(problem(settings).contains("is the password right?"))
        settings.identity = .pkcs12(path: files.path("node.pem"), password: nil)
        #expect(problem(settings).contains("not a PKCS#12 store"))
        settings.identity = .pem(certificate: files.path("node.pem"), key: files.path("stranger.key"), keyPassword: nil)
        #expect(problem(settings).contains("do not go together"))
        settings.identity = .pem(certificate: files.path("absent.pem"), key: files.path("node.key"), keyPassword: nil)
        #expect(problem(settings).contains("No such file"))

        settings = ours
        settings.trust = .pkcs12(path: files.path("node.p12"), password: files.password)
        #expect(problem(settings) == "none")
        settings.trust = .pkcs12(path: files.path("trust.p12"), password: "wrong")
        #expect(problem(settings).contains("is the password right?"))
        files.write("torn.p12", [0x30, 0x82, 0x04])
        settings.trust = .pkcs12(path: files.path("torn.p12"), password: files.password)
        #expect(problem(settings).contains("openssl pkcs12 -in \(files.path("torn.p12")) -nokeys"))
        settings = ours
        settings.identity = .pkcs12(path: files.path("trust.p12"), password: files.password)
        #expect(problem(settings).contains("holds no private key"))
        settings = ours

        files.write("old.jks", [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2])
        settings.trust = .pkcs12(path: files.path("old.jks"), password: files.password)
        #expect(problem(settings).contains("keytool -importkeystore -srckeystore \(files.path("old.jks")) -destkeystore"))
        #expect(!problem(settings).contains(files.password))
    }
}

/// What a REST client is configured from, down to the password that opens nothing.
@Suite struct ClientTLSTests {
    private func problem(_ identity: TLSSettings.Identity?, _ trust: TLSSettings.Trust?) -> String {
        do throws(TLSError) { _ = try clientTLS(identity, trust: trust, verifiesName: true) } catch { return error.description }
        return "none"
    }

    @Test func storesOfCertificatesOpenWithoutACertificateOfOnesOwn() throws {
        guard let files = CertificateFolder() else { return }
        let store = files.path("trust.p12")
        let client = try clientTLS(nil, trust: .pkcs12(path: store, password: files.password), verifiesName: true)
        let authority = try clientTLS(nil, trust: .pem(path: files.path("ca.pem")), verifiesName: true)
        #expect(client.trustRoots == authority.trustRoots && client.certificateChain.isEmpty && client.privateKey == nil)
        #expect(problem(nil, .pkcs12(path: store, password: "wrong")).contains("is the password right?"))
        let shown = try clientTLS(files.store("node"), trust: .pkcs12(path: store, password: files.password), verifiesName: false)
        #expect(shown.trustRoots == authority.trustRoots && !shown.certificateChain.isEmpty && shown.privateKey != nil)
    }

    @Test func aKeysPasswordIsMissingOrWrongInDifferentWords() throws {
        guard let files = CertificateFolder() else { return }
        func identity(_ key: String, _ password: String?) -> TLSSettings.Identity {
            .pem(certificate: files.path("node.pem"), key: files.path(key), keyPassword: password)
        }
        #expect(problem(identity("sealed.key", files.password), nil) == "none")
        #expect(problem(identity("sealed.key", nil), nil).hasSuffix("sealed.key: the private key wants a password (key-password)"))
        #expect(problem(identity("sealed.key", "wrong"), nil).hasSuffix("sealed.key: the password does not open the private key (key-password)"))
        #expect(problem(identity("node.pem", nil), nil).hasSuffix("node.pem: no private key in PEM form"))
        #expect(problem(identity("absent.key", nil), nil).hasSuffix("absent.key: No such file or directory"))
    }
}

/// An authority, a certificate of it for `node`, and a `stranger` that signed itself. Removed with the object.
final class CertificateFolder: Sendable {
    let password = "changeit"
    private let folder: String

    init?() {
        var template = Array("/tmp/swiftwater-tls-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { preconditionFailure("no temporary folder") }
        folder = String(cString: made)
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        let commands = [
            "req -x509 \(key) -keyout ca.key -out ca.pem -subj /CN=ca",
            "req \(key) -keyout node.key -out node.csr -subj /CN=node",
            "x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out node.pem",
            "req -x509 \(key) -keyout stranger.key -out stranger.pem -subj /CN=stranger",
            "pkcs8 -topk8 -in node.key -passout pass:\(password) -out sealed.key",
            "pkcs12 -export -in node.pem -inkey node.key -certfile ca.pem -passout pass:\(password) -out node.p12",
            "pkcs12 -export -in stranger.pem -inkey stranger.key -passout pass:\(password) -out stranger.p12",
            "pkcs12 -export -nokeys -in ca.pem -passout pass:\(password) -out trust.p12",
        ]
        for command in commands where system("cd \(folder) && openssl \(command) >/dev/null 2>&1") != 0 {
            print("skipped: the openssl command is missing or failed at: \(command)")
            return nil
        }
    }

    deinit { system("rm -r \(folder)") }

    func path(_ name: String) -> String { folder + "/" + name }
    func identity(_ name: String) -> TLSSettings.Identity { .pem(certificate: path(name + ".pem"), key: path(name + ".key"), keyPassword: nil) }
    func store(_ name: String) -> TLSSettings.Identity { .pkcs12(path: path(name + ".p12"), password: password) }

    func write(_ name: String, _ bytes: [UInt8]) {
        guard let file = fopen(path(name), "w") else { preconditionFailure("cannot write \(name)") }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }
}
