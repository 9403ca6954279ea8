import Glibc
import NIOSSL
import Transport

/// A line about a certificate that is out of its time; nil: all is well. `now`: seconds since the epoch.
package func certificateWarning(_ tls: TLSConfiguration, scope: String, now: Int) -> String? {
    guard case .certificate(let certificate)? = tls.certificateChain.first else { return nil }
    return certificateWarning(scope: scope, from: certificate.notValidBefore, until: certificate.notValidAfter, now: now)
}

/// The same of the certificate that this process shows to the cluster's others.
func certificateWarning(_ credentials: TLSCredentials, now: Int) -> String? {
    certificateWarning(scope: "security.ssl.internal", from: credentials.validFrom, until: credentials.validUntil, now: now)
}

/// Times: seconds since the epoch.
package func certificateWarning(scope: String, from: Int, until: Int, now: Int) -> String? {
    if until < now { return "\(scope): this process' certificate expired at \(stamp(until)): others refuse it until it is renewed, and the process restarted" }
    if from > now { return "\(scope): this process' certificate is valid only from \(stamp(from)) on: others refuse it until then" }
    return nil
}

private func stamp(_ seconds: Int) -> String {
    var (seconds, parts) = (time_t(seconds), tm())
    gmtime_r(&seconds, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S UTC", &parts)
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
