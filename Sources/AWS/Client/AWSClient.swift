import NIOCore
import Synchronization

/// Calls to AWS: endpoint, credentials, signature, retries, and errors in words. One per configuration, shared by everything that has it.
package final class AWSClient: Sendable {
    package let configuration: AWSConfiguration
    let surroundings: Surroundings
    let credentials: CredentialCache
    private let chain: CredentialChain
    let state = Mutex(State())

    struct State {
        var tokens = RetryTokens()
        /// What this machine's clock lacks to the services', in seconds.
        var clockOffset: Int64 = 0
        var region: String?
        /// Hosts (with ports) that have answered.
        var contacted: Set<String> = []
        /// `AWSCall.action`s that were carried out.
        var allowed: Set<String> = []
        /// As they were found when first asked for.
        var endpoints: [EndpointUse: Endpoint] = [:]
    }

    struct EndpointUse: Hashable {
        var service: AWSService
        var region: String
    }

    /// What has been asked so far.
    package let requests = Atomic<Int>(0)
    package let retries = Atomic<Int>(0)
    package let throttles = Atomic<Int>(0)

    package init(_ configuration: AWSConfiguration = AWSConfiguration(), surroundings: Surroundings = .machine) {
        self.configuration = configuration
        self.surroundings = surroundings
        let chain = CredentialChain(surroundings, profile: configuration.profile, region: configuration.region)
        self.chain = chain
        credentials = CredentialCache(fixed: configuration.credentials, surroundings: surroundings) { () async throws(AWSError) in
            try await chain.credentials()
        }
    }

    // MARK: What services stand on

    /// A call of AWS JSON 1.1 (`target` is `Kinesis_20131202.GetRecords`); the answer's body. `executor`: as `HTTPRequest.executor`.
    package func call(
        service: AWSService, target: String, on resource: String = "", body: [UInt8], timeout: Duration = .seconds(30), retries: RetryPolicy? = nil,
        from executor: LoopExecutor? = nil
    ) async throws(AWSError) -> [UInt8] {
        var call = try await jsonCall(service: service, target: target, on: resource, body: body, timeout: timeout)
        call.request.executor = executor
        call.retries = retries ?? configuration.retries
        return try await send(call).body
    }

    /// What this machine's clock lacks to the service's, in seconds, as the Date of an answer to that call says; 0: nothing, or it is not said.
    package func clockOffset(service: AWSService, target: String, on resource: String = "", body: [UInt8]) async throws(AWSError) -> Int64 {
        let answer = try await send(try await jsonCall(service: service, target: target, on: resource, body: body, timeout: .seconds(30)))
        guard let theirs = answer.header("date").flatMap({ UnixTime(http: $0) }) else { return 0 }
        let offset = theirs.seconds - surroundings.now().seconds
        // Both are cut to seconds, and the answer took a while.
        return abs(offset) < 3 ? 0 : offset
    }

    /// As `call`, for an answer without an end of its own (event streams): the body as it comes in. Retried until the answer has begun.
    /// `lane`: as `HTTPRequest.lane`.
    package func stream(
        service: AWSService, target: String, on resource: String = "", body: [UInt8], timeout: Duration = .seconds(30), retries: RetryPolicy? = nil, lane: Int = 0
    ) async throws(AWSError) -> ByteChunks {
        var call = try await jsonCall(service: service, target: target, on: resource, body: body, timeout: timeout)
        call.request.lane = lane
        call.retries = retries ?? configuration.retries
        return try await open(call).body
    }

    /// Where the service is, as configured or in the region.
    package func endpoint(_ service: AWSService, region: String) throws(AWSError) -> Endpoint {
        let use = EndpointUse(service: service, region: region)
        if let known = state.withLock({ $0.endpoints[use] }) { return known }
        let endpoint = try findEndpoint(use)
        state.withLock { $0.endpoints[use] = endpoint }
        return endpoint
    }

    private func findEndpoint(_ use: EndpointUse) throws(AWSError) -> Endpoint {
        let service = use.service
        guard let (text, source) = configuredEndpoint(service) else { return service.endpoint(region: use.region) }
        guard let endpoint = Endpoint(text) else {
            // What stands before an @ may be a password.
            let shown = text.contains("@") ? "…@" + text.split(separator: "@").last! : text[...]
            throw AWSError(.configuration, service.words, code: "InvalidEndpoint", "\(source) is not a URL such as https://host:port: \(shown)")
        }
        return endpoint
    }

    /// True when the service is not at its public address.
    package func hasOwnEndpoint(_ service: AWSService) -> Bool { configuredEndpoint(service) != nil }

    /// Asked for once. A configured endpoint needs none: `us-east-1` then.
    package func region(for service: AWSService) async throws(AWSError) -> String {
        if let region = configuration.region ?? state.withLock({ $0.region }) { return region }
        var found = chain.configuredRegion()
        if found == nil, !hasOwnEndpoint(service) { found = await chain.instanceRegion() }
        guard let region = found ?? (hasOwnEndpoint(service) || service == .s3 ? "us-east-1" : nil) else {
            throw AWSError(
                .configuration, service.words, code: "NoRegion", "no region is known: set the option aws.region, the variable AWS_REGION, or region in the profile")
        }
        state.withLock { $0.region = region }
        return region
    }

    private func configuredEndpoint(_ service: AWSService) -> (text: String, source: String)? {
        if let text = configuration.endpoint { return (text, "the configured endpoint") }
        for name in [service.endpointVariable, "AWS_ENDPOINT_URL"] {
            if let text = surroundings.variable(name) { return (text, name) }
        }
        return chain.profileEndpoint().map { ($0, "endpoint_url of the profile") }
    }

    /// `resource`: what permission is given for.
    private func jsonCall(service: AWSService, target: String, on resource: String, body: [UInt8], timeout: Duration) async throws(AWSError) -> AWSCall {
        let region = try await region(for: service)
        let endpoint = try endpoint(service, region: region)
        var request = HTTPRequest("POST", endpoint, path: endpoint.basePath + "/", body: ByteBuffer(bytes: body))
        request.headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)]
        request.timeout = timeout
        var call = AWSCall("\(service.words) \(target.split(separator: ".").last ?? "")", service, region: region, request)
        call.action = "\(target) \(resource)"
        return call
    }
}
