import NIOCore

/// The two calls of STS that give temporary credentials.
struct SecurityTokens: Sendable {
    let surroundings: Surroundings
    let region: String?
    /// Whose `endpoint_url` counts.
    let profile: String

    /// Unsigned: the token is the proof.
    func assumeRoleWithWebIdentity(_ role: String, session: String, token: String, origin: String) async throws(AWSError) -> Credentials {
        try await credentials(
            "AssumeRoleWithWebIdentity", [("RoleArn", role), ("RoleSessionName", session), ("WebIdentityToken", token)], signedBy: nil, origin: origin)
    }

    func assumeRole(
        _ role: String, session: String?, externalID: String?, with base: Credentials, origin: String
    ) async throws(AWSError) -> Credentials {
        var parameters = [("RoleArn", role), ("RoleSessionName", session ?? defaultSession(surroundings))]
        if let externalID { parameters.append(("ExternalId", externalID)) }
        return try await credentials("AssumeRole", parameters, signedBy: base, origin: origin)
    }

    private func credentials(
        _ action: String, _ parameters: [(String, String)], signedBy base: Credentials?, origin: String
    ) async throws(AWSError) -> Credentials {
        var configuration = AWSConfiguration(region: region, credentials: base, profile: profile)
        configuration.retries.attempts = 5
        let client = AWSClient(configuration, surroundings: surroundings)
        let form = ([("Action", action), ("Version", "2011-06-15")] + parameters)
            .map { "\($0.0)=\(PercentEncoding.encode($0.1))" }.joined(separator: "&")
        let target = try client.stsEndpoint(region: region)
        var request = HTTPRequest("POST", target, path: target.basePath + "/", body: ByteBuffer(string: form))
        request.headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]
        request.timeout = .seconds(10)
        let operation = "STS \(action)"
        var call = AWSCall(operation, .sts, region: region ?? "us-east-1", request)
        call.isSigned = base != nil
        call.retries = configuration.retries
        let answer = try await client.send(call)
        guard let root = XML.parse(answer.body), let given = root.first(action + "Result")?.first("Credentials"),
            let key = given.text("AccessKeyId"), let secret = given.text("SecretAccessKey"), let token = given.text("SessionToken"),
            let expiration = given.text("Expiration").flatMap({ UnixTime(iso: $0) })
        else {
            throw AWSError(.service, operation, code: "UnreadableAnswer", "the answer holds no credentials", status: answer.status)
        }
        return Credentials(accessKey: key, secretKey: secret, sessionToken: token, expires: expiration, origin: origin)
    }
}

extension AWSClient {
    /// Regional where a region is known, else the global one.
    fileprivate func stsEndpoint(region: String?) throws(AWSError) -> Endpoint {
        if hasOwnEndpoint(.sts) || region != nil { return try endpoint(.sts, region: region ?? "us-east-1") }
        return Endpoint(host: "sts.amazonaws.com")
    }
}

/// A name that CloudTrail shows.
func defaultSession(_ surroundings: Surroundings) -> String { "swiftwater-\(surroundings.now().seconds)" }

/// IRSA: a token that Kubernetes keeps fresh in a file, and the role that it may assume.
struct WebIdentity: Sendable {
    let surroundings: Surroundings
    let tokenFile: String
    let role: String
    let session: String?

    init(_ surroundings: Surroundings, tokenFile: String, role: String, session: String?) {
        (self.surroundings, self.tokenFile, self.role, self.session) = (surroundings, tokenFile, role, session)
    }

    /// Nil when the environment does not speak of it.
    init?(_ surroundings: Surroundings) {
        guard let file = surroundings.variable("AWS_WEB_IDENTITY_TOKEN_FILE"), let role = surroundings.variable("AWS_ROLE_ARN") else { return nil }
        self.init(surroundings, tokenFile: file, role: role, session: surroundings.variable("AWS_ROLE_SESSION_NAME"))
    }

    /// The file is read each time: its token changes.
    func credentials(sts: SecurityTokens) async throws(AWSError) -> Credentials {
        guard let token = surroundings.file(tokenFile).map({ String(decoding: $0, as: UTF8.self).trimmed }), !token.isEmpty else {
            throw AWSError(.credentials, "STS AssumeRoleWithWebIdentity", code: "NoToken", "the token file \(tokenFile) cannot be read or is empty")
        }
        return try await sts.assumeRoleWithWebIdentity(role, session: session ?? defaultSession(surroundings), token: token, origin: "web identity \(role)")
    }
}
