/// Why no TLS came about with a JobManager, for whoever called it; nil when `error`, the HTTP client's words, is about something else.
///
/// The library's words are constants of its source: alerts are the other side's, `CERTIFICATE_VERIFY_FAILED` is our own verdict.
package func tlsProblem(_ error: String, showsCertificate: Bool, truster: String) -> String? {
    let refusals = [
        "ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE_UNKNOWN", "ALERT_CERTIFICATE_EXPIRED", "ALERT_CERTIFICATE_REVOKED",
        "ALERT_UNSUPPORTED_CERTIFICATE", "ALERT_DECRYPT_ERROR", "ALERT_ACCESS_DENIED",
    ]
    if error.contains("ALERT_CERTIFICATE_REQUIRED") || !showsCertificate && error.contains("ALERT_HANDSHAKE_FAILURE") {
        return "it asks for a certificate of the client (security.ssl.rest.authentication-enabled), and none is configured here; "
            + "name one as security.ssl.rest.cert and security.ssl.rest.key, or as security.ssl.rest.keystore"
    }
    if let refusal = refusals.first(where: error.contains) {
        return "it refuses our certificate (security.ssl.rest.cert or keystore; \(refusal)); the JobManager's security.ssl.rest.ca or truststore must vouch for it"
    }
    if error.contains("Couldn't find") {
        return "its certificate is for another host name; use a name that stands in it, or set security.ssl.verify-hostname to false"
    }
    if error.contains("CERTIFICATE_VERIFY_FAILED") || error.contains("unableToValidateCertificate") {
        return "its certificate is not trusted by \(truster); name the authority's as security.ssl.rest.ca, or in security.ssl.rest.truststore"
    }
    if error.contains("WRONG_VERSION_NUMBER") { return "it does not speak TLS; name it as http://" }
    return nil
}
