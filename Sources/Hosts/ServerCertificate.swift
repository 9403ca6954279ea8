import Dataflow
import Glibc
import NIOSSL
import Settings

/// Refuses stores whose configuration says that they have another form than the one that is read.
func checkType(_ key: ConfigKey<String?>, of store: ConfigKey<String?>, at path: String, _ configuration: Configuration) throws(StreamError) {
    guard let type = configuration.get(key), !["pkcs12", "pkcs#12"].contains(type.lowercased()) else { return }
    throw StreamError(
        .user, retry: false,
        "\(key.name): '\(type)' is not read, only PKCS12: convert the store (keytool -importkeystore -srckeystore \(path) -destkeystore \(path).p12 "
            + "-deststoretype PKCS12), name the new file as \(store.name), and set \(key.name) to PKCS12")
}

/// A line about a server's certificate that is out of its time; nil: all is well. `now`: seconds since the epoch.
package func certificateWarning(_ tls: TLSConfiguration, scope: String, now: Int) -> String? {
    guard case .certificate(let certificate)? = tls.certificateChain.first else { return nil }
    return certificateWarning(scope: scope, from: certificate.notValidBefore, until: certificate.notValidAfter, now: now)
}

/// Times: seconds since the epoch.
package func certificateWarning(scope: String, from: Int, until: Int, now: Int) -> String? {
    if until < now { return "\(scope): the server's certificate expired at \(stamp(until)): clients refuse it until it is renewed, and this process restarted" }
    if from > now { return "\(scope): the server's certificate is valid only from \(stamp(from)) on: clients refuse it until then" }
    return nil
}

private func stamp(_ seconds: Int) -> String {
    var (seconds, parts) = (time_t(seconds), tm())
    gmtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S UTC", &parts)
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
