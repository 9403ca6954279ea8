/// A role of IAM Identity Center: the token that `aws sso login` left in `~/.aws/sso/cache` is turned into credentials. A token that has expired is
/// not renewed here; people log in.
struct SingleSignOn: Sendable {
    private let surroundings: Surroundings
    private let profile: String
    private let account: String
    private let role: String
    private let region: String
    private let tokenFile: String

    /// Nil when the profile does not speak of it.
    init?(_ values: [String: String], of profile: String, _ files: ProfileFiles, _ surroundings: Surroundings) throws(AWSError) {
        let session = values["sso_session"]
        guard session != nil || values["sso_start_url"] != nil else { return nil }
        let settings = session.map { files.session($0) ?? [:] } ?? values
        func needed(_ name: String, _ values: [String: String]) throws(AWSError) -> String {
            if let value = values[name] { return value }
            throw AWSError(.credentials, "credentials", code: "BadProfile", "profile \(profile): \(name) is missing\(session.map { ", or its [sso-session \($0)] is" } ?? "")")
        }
        self.surroundings = surroundings
        self.profile = profile
        account = try needed("sso_account_id", values)
        role = try needed("sso_role_name", values)
        region = try needed("sso_region", settings)
        var named = session
        if named == nil { named = try needed("sso_start_url", settings) }
        let hash = Digest.sha1(named ?? "")
        let digits = Array("0123456789abcdef")
        tokenFile = (files.home ?? "") + "/.aws/sso/cache/" + String(hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }) + ".json"
    }

    func credentials() async throws(AWSError) -> Credentials {
        let operation = "SSO GetRoleCredentials"
        let remedy = "`aws sso login --profile \(profile)` makes a new one"
        guard let json = surroundings.file(tokenFile).flatMap({ JSON($0) }), let token = json["accessToken"]?.text else {
            throw AWSError(.credentials, operation, code: "NoToken", "there is no token at \(tokenFile); \(remedy)")
        }
        guard let expires = json["expiresAt"]?.text.flatMap({ UnixTime(iso: $0.split(separator: "UTC").joined(separator: "Z")) }), surroundings.now() < expires else {
            throw AWSError(.credentials, operation, code: "ExpiredToken", "the token at \(tokenFile) has expired; \(remedy)")
        }
        guard let endpoint = Endpoint(surroundings.variable("AWS_ENDPOINT_URL_SSO") ?? "https://portal.sso.\(region).amazonaws.com") else {
            throw AWSError(.configuration, operation, code: "BadURI", "AWS_ENDPOINT_URL_SSO is no URL")
        }
        var request = HTTPRequest("GET", endpoint, path: endpoint.basePath + "/federation/credentials")
        request.query = [("account_id", account), ("role_name", role)]
        request.set("x-amz-sso_bearer_token", token)
        request.timeout = .seconds(10)
        var call = AWSCall(operation, .sts, region: region, request)
        call.isSigned = false
        call.retries.attempts = 4
        let answer: HTTPResponse
        do throws(AWSError) { answer = try await AWSClient(surroundings: surroundings).send(call) } catch {
            guard error.kind == .denied || error.kind == .credentials || error.code == "UnauthorizedException" else { throw error }
            throw AWSError(.credentials, operation, code: error.code, "\(error.message) (role \(role) of account \(account)); if the session has ended, \(remedy)", status: error.status)
        }
        guard let given = JSON(answer.body)?["roleCredentials"], let key = given["accessKeyId"]?.text, let secret = given["secretAccessKey"]?.text,
            case .number(let text)? = given["expiration"], let milliseconds = Int64(text)
        else { throw AWSError(.service, operation, code: "UnreadableAnswer", "the answer holds no credentials", status: answer.status) }
        return Credentials(
            accessKey: key, secretKey: secret, sessionToken: given["sessionToken"]?.text, expires: UnixTime(seconds: milliseconds / 1000),
            origin: "single sign-on, role \(role) of profile \(profile)")
    }
}
