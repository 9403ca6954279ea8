/// A program that prints credentials: `credential_process` of a profile.
/// Source: "Process credential provider", AWS SDKs and Tools Reference Guide.
struct CredentialProcess: Sendable {
    private let command: String
    private let profile: String
    private let surroundings: Surroundings

    init(command: String, profile: String, _ surroundings: Surroundings) {
        (self.command, self.profile, self.surroundings) = (command, profile, surroundings)
    }

    /// What the program prints is never shown: it may hold a secret, also when it cannot be read.
    func credentials() async throws(AWSError) -> Credentials {
        func broken(_ words: String) -> AWSError {
            AWSError(.credentials, "credentials", code: "CredentialProcess", "credential_process of profile \(profile) \(words)")
        }
        let (code, output) = await surroundings.run(command)
        guard code == 0 else { throw broken("ended with exit code \(code); it was: \(command)") }
        guard let json = JSON(output), let key = json["AccessKeyId"]?.text, let secret = json["SecretAccessKey"]?.text else {
            throw broken("printed no JSON with AccessKeyId and SecretAccessKey")
        }
        guard json["Version"] == .number("1") else { throw broken("speaks another version than 1") }
        var expires: UnixTime?
        if let text = json["Expiration"]?.text {
            guard let time = UnixTime(iso: text) else { throw broken("gave an Expiration that is no time in UTC: \(text)") }
            expires = time
        }
        return Credentials(accessKey: key, secretKey: secret, sessionToken: json["SessionToken"]?.text, expires: expires, origin: "credential_process of profile \(profile)")
    }
}
