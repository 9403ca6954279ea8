/// Credentials from an agent beside the container: EKS Pod Identity (`AWS_CONTAINER_CREDENTIALS_FULL_URI` with a token file) and ECS.
struct ContainerEndpoint: Sendable {
    private static let ecs = "http://169.254.170.2"
    /// Hosts that may be asked without TLS, beside loopback: the agents of ECS and EKS.
    private static let agents: Set<String> = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "[::1]"]

    let surroundings: Surroundings
    private let uri: String

    /// Nil when the environment does not speak of it.
    init?(_ surroundings: Surroundings) {
        self.surroundings = surroundings
        if let relative = surroundings.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            uri = Self.ecs + relative
        } else if let full = surroundings.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            uri = full
        } else {
            return nil
        }
    }

    func credentials() async throws(AWSError) -> Credentials {
        let operation = "container credentials"
        guard let endpoint = Endpoint(uri), endpoint.isTLS || Self.agents.contains(endpoint.host) || endpoint.host.hasPrefix("127.") else {
            throw AWSError(.configuration, operation, code: "BadURI", "\(uri) is neither https nor an agent on this machine")
        }
        var server = endpoint
        server.basePath = ""
        let parts = endpoint.basePath.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var request = HTTPRequest("GET", server, path: parts[0].isEmpty ? "/" : String(parts[0]))
        if parts.count == 2 {
            request.query = parts[1].split(separator: "&").map { pair in
                let halves = pair.split(separator: "=", maxSplits: 1).map { PercentEncoding.decode(String($0)) }
                return (halves.first ?? "", halves.count > 1 ? halves[1] : "")
            }
        }
        request.timeout = .seconds(5)
        if let file = surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            guard let token = surroundings.file(file) else {
                throw AWSError(.credentials, operation, code: "NoToken", "the token file \(file) cannot be read")
            }
            request.set("authorization", String(decoding: token, as: UTF8.self).trimmed)
        } else if let token = surroundings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            request.set("authorization", token)
        }
        let client = AWSClient(surroundings: surroundings)
        var call = AWSCall(operation, .sts, region: "", request)
        call.isSigned = false
        call.retries.attempts = 4
        let answer = try await client.send(call)
        guard let found = Credentials(answer: answer.body, origin: "the container endpoint") else {
            throw AWSError(.service, operation, code: "UnreadableAnswer", "\(server) gave no credentials", status: answer.status)
        }
        return found
    }
}

extension Credentials {
    /// The JSON of agents and of IMDS. Nil when it is no such thing.
    init?(answer: [UInt8], origin: String) {
        guard let json = JSON(answer), let key = json["AccessKeyId"]?.text, let secret = json["SecretAccessKey"]?.text else { return nil }
        self.init(
            accessKey: key, secretKey: secret, sessionToken: json["Token"]?.text, expires: json["Expiration"]?.text.flatMap { UnixTime(iso: $0) }, origin: origin)
    }
}
