/// Finds credentials where every AWS tool looks, in this order: environment, web identity (IRSA), shared profile files, container endpoint (EKS Pod
/// Identity, ECS), instance (IMDSv2). The first place that is set up decides: if it fails, that is the answer.
struct CredentialChain: Sendable {
    let surroundings: Surroundings
    let files: ProfileFiles
    let region: String?
    private let profile: String?
    private let profileIsNamed: Bool

    init(_ surroundings: Surroundings, profile: String?, region: String?) {
        self.surroundings = surroundings
        self.profile = profile
        self.region = region
        files = ProfileFiles(surroundings, profile: profile)
        profileIsNamed = profile != nil || surroundings.variable("AWS_PROFILE") != nil
    }

    /// Reads the files again: whoever rotates keys there expects it.
    func credentials() async throws(AWSError) -> Credentials {
        try await CredentialChain(surroundings, profile: profile, region: region).find()
    }

    private func find() async throws(AWSError) -> Credentials {
        if let found = environment() { return found }
        if surroundings.variable("AWS_ACCESS_KEY_ID") != nil, surroundings.variable("AWS_SECRET_ACCESS_KEY") == nil {
            throw AWSError(.credentials, "credentials", code: "HalfCredentials", "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY")
        }
        if let identity = WebIdentity(surroundings) { return try await identity.credentials(sts: stsClient()) }
        if let found = try await profile(files.selected, seen: []) { return found }
        if profileIsNamed, files[files.selected] == nil {
            throw AWSError(.credentials, "credentials", code: "NoSuchProfile", "there is no profile \(files.selected) in the shared configuration files")
        }
        if let container = ContainerEndpoint(surroundings) { return try await container.credentials() }
        let instance = InstanceMetadata(surroundings)
        if let found = try await instance.credentials() { return found }
        throw AWSError(
            .credentials, "credentials", code: "NoCredentials",
            "none were found in the environment (AWS_ACCESS_KEY_ID), as web identity (AWS_WEB_IDENTITY_TOKEN_FILE), in profile \(files.selected) of the shared "
                + "files, at a container endpoint, or from the instance (\(instance.isDisabled ? "disabled" : "IMDS does not answer"))")
    }

    /// Environment or profile; nil when neither says.
    func configuredRegion() -> String? {
        region ?? surroundings.variable("AWS_REGION") ?? surroundings.variable("AWS_DEFAULT_REGION") ?? files.value("region")
    }

    func instanceRegion() async -> String? { await InstanceMetadata(surroundings).region() }

    func profileEndpoint() -> String? { files.value("endpoint_url") }

    private func environment() -> Credentials? {
        guard let key = surroundings.variable("AWS_ACCESS_KEY_ID"), let secret = surroundings.variable("AWS_SECRET_ACCESS_KEY") else { return nil }
        return Credentials(accessKey: key, secretKey: secret, sessionToken: surroundings.variable("AWS_SESSION_TOKEN"), origin: "the environment")
    }

    private func stsClient() -> SecurityTokens { SecurityTokens(surroundings: surroundings, region: configuredRegion(), profile: files.selected) }

    /// Nil when the profile does not exist or says nothing about credentials.
    private func profile(_ name: String, seen: Set<String>) async throws(AWSError) -> Credentials? {
        guard let values = files[name] else { return nil }
        let origin = "profile \(name)"
        func broken(_ words: String) -> AWSError { AWSError(.credentials, "credentials", code: "BadProfile", "\(origin): \(words)") }
        if let role = values["role_arn"], !seen.contains(name) {
            if let file = values["web_identity_token_file"] {
                let identity = WebIdentity(surroundings, tokenFile: file, role: role, session: values["role_session_name"])
                return try await identity.credentials(sts: stsClient())
            }
            var base: Credentials?
            if let source = values["source_profile"] {
                // A profile may name itself: its own keys then.
                base = try await profile(source, seen: seen.union([name]))
            } else {
                switch values["credential_source"] {
                case "Environment": base = environment()
                case "Ec2InstanceMetadata": base = try await InstanceMetadata(surroundings).credentials()
                case "EcsContainer": base = try await ContainerEndpoint(surroundings)?.credentials()
                default: throw broken("role_arn needs source_profile, credential_source or web_identity_token_file")
                }
            }
            guard let base else { throw broken("nothing gives the credentials to assume \(role) with") }
            return try await stsClient().assumeRole(
                role, session: values["role_session_name"], externalID: values["external_id"], with: base, origin: origin)
        }
        if let key = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] {
            return Credentials(accessKey: key, secretKey: secret, sessionToken: values["aws_session_token"], origin: origin)
        }
        if let login = try SingleSignOn(values, of: name, files, surroundings) { return try await login.credentials() }
        if let command = values["credential_process"] { return try await CredentialProcess(command: command, profile: name, surroundings).credentials() }
        if seen.contains(name) { throw broken("its source_profile leads back to it") }
        return nil
    }
}
