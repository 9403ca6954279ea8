/// The instance's own service (IMDS), version 2 only: a token first, then the question. Also tells of Spot notices.
package struct InstanceMetadata: Sendable {
    private let surroundings: Surroundings

    package init(_ surroundings: Surroundings = .machine) { self.surroundings = surroundings }

    package var isDisabled: Bool { surroundings.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" }

    /// Nil where there is no such service, or the instance has no role.
    func credentials() async throws(AWSError) -> Credentials? {
        guard let token = await token() else { return nil }
        let path = "/latest/meta-data/iam/security-credentials/"
        guard let role = try await get(path, token: token)?.split(whereSeparator: \.isNewline).first.map({ $0.trimmed }), !role.isEmpty else { return nil }
        guard let text = try await get(path + PercentEncoding.encode(role), token: token),
            let found = Credentials(answer: Array(text.utf8), origin: "the instance's role \(role)")
        else {
            throw AWSError(.service, "instance metadata", code: "UnreadableAnswer", "no credentials were given for the instance's role \(role)")
        }
        return found
    }

    func region() async -> String? {
        guard let token = await token() else { return nil }
        return try? await get("/latest/meta-data/placement/region", token: token)?.trimmed
    }

    /// Any other path below `/latest/meta-data/`; nil when there is no such entry.
    package func value(_ path: String) async throws(AWSError) -> String? {
        guard let token = await token() else { return nil }
        return try await get("/latest/meta-data/" + path, token: token)
    }

    /// Several of them, nil where there is no such entry; nil in all when no service answers.
    package func values(_ paths: [String]) async throws(AWSError) -> [String?]? {
        guard let token = await token() else { return nil }
        var values: [String?] = []
        for path in paths { values.append(try await get("/latest/meta-data/" + path, token: token)?.trimmed) }
        return values
    }

    private var endpoint: Endpoint {
        let fallback = Endpoint(isTLS: false, host: "169.254.169.254")
        if let text = surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") { return Endpoint(text) ?? fallback }
        return surroundings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.lowercased() == "ipv6"
            ? Endpoint(isTLS: false, host: "[fd00:ec2::254]") : fallback
    }

    /// Nil when nobody answers within a second: this is no instance.
    private func token() async -> String? {
        if isDisabled { return nil }
        var request = HTTPRequest("PUT", endpoint, path: endpoint.basePath + "/latest/api/token")
        request.headers = [("x-aws-ec2-metadata-token-ttl-seconds", "21600")]
        request.timeout = .seconds(1)
        for _ in 0..<2 {
            if let answer = try? await surroundings.send(withHost(request)) {
                return answer.isSuccess ? String(decoding: answer.body, as: UTF8.self).trimmed : nil
            }
        }
        return nil
    }

    private func get(_ path: String, token: String) async throws(AWSError) -> String? {
        var request = HTTPRequest("GET", endpoint, path: endpoint.basePath + path)
        request.headers = [("x-aws-ec2-metadata-token", token)]
        request.timeout = .seconds(5)
        var call = AWSCall("instance metadata", .sts, region: "", request)
        call.isSigned = false
        call.retries.attempts = 4
        call.alsoGood = [404]
        let answer = try await AWSClient(surroundings: surroundings).send(call)
        return answer.status == 404 ? nil : String(decoding: answer.body, as: UTF8.self)
    }

    private func withHost(_ request: HTTPRequest) -> HTTPRequest {
        var request = request
        request.set("host", request.endpoint.authority)
        return request
    }
}
