import AWS
import NIOCore
import Testing

struct CredentialTests {
    // MARK: Secrets

    @Test func nothingPrintedShowsASecret() {
        let credentials = Credentials(accessKey: "AKIDEXAMPLE", secretKey: "the-secret", sessionToken: "the-token", origin: "the environment")
        var dumped = ""
        dump(AWSConfiguration(region: "r", credentials: credentials), to: &dumped)
        let configuration = S3Configuration(AWSConfiguration(credentials: credentials))
        for text in ["\(credentials)", String(reflecting: credentials), dumped, "\(configuration)", String(reflecting: configuration), "\([credentials])"] {
            #expect(!text.contains("the-secret") && !text.contains("the-token"), "\(text)")
        }
        #expect("\(credentials)" == "credentials AKID… from the environment")
    }

    // MARK: The chain

    /// The access key with which a call of S3 is signed, and the token.
    private func used(_ world: TestWorld, _ configuration: AWSConfiguration = AWSConfiguration(region: "eu-west-1")) async throws(AWSError) -> [String] {
        let client = S3Client(S3Configuration(configuration), surroundings: world.surroundings)
        _ = try await client.head(bucket: "bucket", key: "key")
        return signed(world.requests.last!)
    }

    private func signed(_ request: HTTPRequest) -> [String] {
        let key = request.header("authorization").map { String($0.split(separator: "=")[1].prefix { $0 != "/" }) } ?? "unsigned"
        return [key] + (request.header("x-amz-security-token").map { [$0] } ?? [])
    }

    private let found = HTTPResponse(status: 200, headers: [("etag", "\"e\"")])

    private func sts(_ action: String, key: String, expires: String = "2027-01-15T09:00:00Z") -> HTTPResponse {
        xml(200, """
            <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(action)Result><Credentials><AccessKeyId>\(key)</AccessKeyId>\
            <SecretAccessKey>s</SecretAccessKey><SessionToken>t/\(key)</SessionToken><Expiration>\(expires)</Expiration></Credentials></\(action)Result></\(action)Response>
            """)
    }

    @Test func aProgramMayGiveThem() async throws {
        let files = ["/h/.aws/config": "[default]\ncredential_process = \"/opt/a b\" give\n[profile broken]\ncredential_process = no\n"]
        let print = #"{"Version": 1, "AccessKeyId": "PROC", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2027-01-15T09:00:00+00:00"}"#
        let world = TestWorld(variables: ["HOME": "/h"], files: files, commands: [#""/opt/a b" give"#: print]) { (_, _) throws(HTTPFailure) in self.found }
        #expect(try await used(world) == ["PROC", "t"])
        let broken = TestWorld(variables: ["HOME": "/h", "AWS_PROFILE": "broken"], files: files)
        let error = await #expect(throws: AWSError.self) { try await used(broken) }
        #expect(error?.kind == .credentials && error?.message.contains("exit code 3") == true)
        // What it prints may be a secret.
        let odd = TestWorld(variables: ["HOME": "/h"], files: files, commands: [#""/opt/a b" give"#: #"{"SecretAccessKey": "the-secret""#])
        let words = await #expect(throws: AWSError.self) { try await used(odd) }
        #expect(words.map { !"\($0)".contains("the-secret") } == true)
    }

    @Test func commandsAreRun() async {
        let result = await Surroundings.machine.run("printf 'a b'; exit 0")
        #expect(result.code == 0 && result.output == Array("a b".utf8))
        #expect(await Surroundings.machine.run("exit 7").code == 7)
    }

    @Test func aLoginOfSingleSignOnServesUntilItExpires() async throws {
        let config = "[default]\nsso_session = work\nsso_account_id = 12\nsso_role_name = reader\n[sso-session work]\nsso_region = eu-central-1\nsso_start_url = https://x\n"
        // SHA-1 of "work".
        let cache = "/h/.aws/sso/cache/e274eeff768c6396088ec6eb091f4bf4d47ab1e0.json"
        let token = #"{"accessToken": "the-token", "expiresAt": "2027-01-15T09:00:00Z"}"#
        let answer = #"{"roleCredentials": {"accessKeyId": "SSO", "secretAccessKey": "s", "sessionToken": "t", "expiration": 1800003600000}}"#
        let world = TestWorld(variables: ["HOME": "/h"], files: ["/h/.aws/config": config, cache: token]) { (_, before) throws(HTTPFailure) in
            before == 0 ? xml(200, answer) : self.found
        }
        #expect(try await used(world) == ["SSO", "t"])
        let request = world.requests[0]
        #expect(request.url == "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials?account_id=12&role_name=reader")
        #expect(request.header("x-amz-sso_bearer_token") == "the-token" && request.header("authorization") == nil)
        let late = TestWorld(variables: ["HOME": "/h"], files: ["/h/.aws/config": config, cache: token])
        late.pass(seconds: 10_000)
        let error = await #expect(throws: AWSError.self) { try await used(late) }
        #expect(error?.message.contains("aws sso login") == true && late.requests.isEmpty)
    }

    @Test func theEnvironmentComesFirst() async throws {
        let world = TestWorld(variables: [
            "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn",
        ]) { (_, _) throws(HTTPFailure) in self.found }
        #expect(try await used(world) == ["ENV", "t"])
        #expect(world.requests.count == 1)
    }

    @Test func webIdentityIsUnsignedAndItsTokenIsReadFromTheFile() async throws {
        let world = TestWorld(
            variables: ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r", "AWS_ROLE_SESSION_NAME": "me", "AWS_REGION": "eu-west-1"],
            files: ["/token": "e.y.J\n"]
        ) { (request, before) throws(HTTPFailure) in before == 0 ? sts("AssumeRoleWithWebIdentity", key: "WEB") : found }
        #expect(try await used(world) == ["WEB", "t/WEB"])
        let request = world.requests[0]
        #expect(request.url == "https://sts.eu-west-1.amazonaws.com/")
        #expect(request.header("authorization") == nil)
        #expect(String(buffer: request.body)
            == "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me&WebIdentityToken=e.y.J")
    }

    @Test func aMissingTokenFileIsSaidByName() async {
        let world = TestWorld(variables: ["AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token", "AWS_ROLE_ARN": "arn"])
        await #expect { try await used(world) } throws: { "\($0)".contains("/var/run/token") }
    }

    @Test func profilesOfBothFiles() async throws {
        let files = [
            "/home/me/.aws/config": """
                # comment
                [default]
                region = us-east-2
                [profile analytics]
                region = ap-south-1 ; here
                aws_access_key_id = CONFIG
                aws_secret_access_key = s
                s3 =
                  addressing_style = path
                [sso-session x]
                region = nowhere
                """,
            "/home/me/.aws/credentials": "[default]\naws_access_key_id=DEFAULT\naws_secret_access_key=s\n[analytics]\naws_access_key_id = CREDENTIALS\naws_secret_access_key = s\n",
        ]
        let plain = TestWorld(variables: ["HOME": "/home/me"], files: files) { (_, _) throws(HTTPFailure) in self.found }
        #expect(try await used(plain, AWSConfiguration()) == ["DEFAULT"])
        #expect(plain.requests[0].endpoint.host == "bucket.s3.us-east-2.amazonaws.com")
        let named = TestWorld(variables: ["HOME": "/home/me", "AWS_PROFILE": "analytics"], files: files) { (_, _) throws(HTTPFailure) in self.found }
        #expect(try await used(named, AWSConfiguration()) == ["CREDENTIALS"])
        #expect(named.requests[0].endpoint.host == "bucket.s3.ap-south-1.amazonaws.com")
        let wrong = TestWorld(variables: ["HOME": "/home/me", "AWS_PROFILE": "analytic"], files: files)
        await #expect { try await used(wrong) } throws: { "\($0)".contains("no profile analytic") }
    }

    @Test func aRoleIsAssumedWithTheSourceProfile() async throws {
        let world = TestWorld(
            variables: ["AWS_CONFIG_FILE": "/c", "AWS_PROFILE": "job"],
            files: ["/c": "[profile job]\nrole_arn = arn:r\nsource_profile = base\nexternal_id = x\n[profile base]\naws_access_key_id = BASE\naws_secret_access_key = s\n"]
        ) { (_, before) throws(HTTPFailure) in before == 0 ? sts("AssumeRole", key: "ROLE") : found }
        #expect(try await used(world) == ["ROLE", "t/ROLE"])
        #expect(signed(world.requests[0]) == ["BASE"])
        #expect(String(buffer: world.requests[0].body).contains("ExternalId=x"))
    }

    @Test func profilesInACircleAreRefused() async {
        let world = TestWorld(
            variables: ["AWS_CONFIG_FILE": "/c"],
            files: ["/c": "[default]\nrole_arn = a\nsource_profile = b\n[profile b]\nrole_arn = b\nsource_profile = default\n"])
        await #expect { try await used(world) } throws: { "\($0)".contains("leads back") }
    }

    private let agentAnswer = #"{"AccessKeyId":"POD","SecretAccessKey":"s","Token":"t","Expiration":"2027-01-15T09:00:00Z","AccountId":"1"}"#

    @Test func podIdentityShowsTheTokenOfItsFile() async throws {
        let world = TestWorld(
            variables: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token"],
            files: ["/token": "ey.token\n"]
        ) { (_, before) throws(HTTPFailure) in before == 0 ? xml(200, agentAnswer) : found }
        #expect(try await used(world) == ["POD", "t"])
        #expect(world.requests[0].url == "http://169.254.170.23/v1/credentials")
        #expect(world.requests[0].header("authorization") == "ey.token")
    }

    @Test func ecsIsAskedAtItsAddress() async throws {
        let world = TestWorld(variables: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials?id=a%20b"]) { (_, before) throws(HTTPFailure) in
            before == 0 ? xml(200, agentAnswer) : found
        }
        #expect(try await used(world) == ["POD", "t"])
        #expect(world.requests[0].url == "http://169.254.170.2/v2/credentials?id=a%20b")
    }

    @Test func tokensAreNotSentToStrangersWithoutTLS() async {
        let world = TestWorld(variables: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/c", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret"])
        await #expect { try await used(world) } throws: { "\($0)".contains("neither https nor an agent") }
        #expect(world.requests.isEmpty)
    }

    @Test func theInstanceIsAskedWithAToken() async throws {
        let world = TestWorld { (request, _) throws(HTTPFailure) in
            switch (request.method, request.path) {
            case ("PUT", "/latest/api/token"): xml(200, "imds-token")
            case (_, "/latest/meta-data/placement/region"): xml(200, "eu-north-1")
            case (_, "/latest/meta-data/iam/security-credentials/"): xml(200, "my role\n")
            case (_, "/latest/meta-data/iam/security-credentials/my%20role"): xml(200, agentAnswer)
            default: found
            }
        }
        #expect(try await used(world, AWSConfiguration()) == ["POD", "t"])
        #expect(world.requests.last?.endpoint.host == "bucket.s3.eu-north-1.amazonaws.com")
        let questions = world.requests.filter { $0.path.hasPrefix("/latest/meta-data") }
        #expect(questions.count == 3 && questions.allSatisfy { $0.header("x-aws-ec2-metadata-token") == "imds-token" })
    }

    @Test func withoutAnyTheErrorNamesEveryPlace() async {
        let world = TestWorld(variables: ["AWS_EC2_METADATA_DISABLED": "true"])
        await #expect { try await used(world) } throws: { error in
            ["S3 HeadObject s3://bucket/key", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "profile default", "container", "disabled"].allSatisfy {
                "\(error)".contains($0)
            }
        }
        #expect(world.requests.isEmpty)
    }

    // MARK: Renewal

    private let webIdentity = ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn", "AWS_REGION": "eu-west-1"]

    /// The clock of a world begins at 2027-01-15 08:00:00; the credentials live for an hour.
    @Test func theyAreRenewedBeforeTheyExpireAndOldOnesServeWhileRenewalFails() async throws {
        let world = TestWorld(variables: webIdentity, files: ["/token": "x"]) { (request, before) throws(HTTPFailure) in
            guard request.endpoint.host.hasPrefix("sts") else { return found }
            if before == 0 { return sts("AssumeRoleWithWebIdentity", key: "FIRST") }
            if before < 6 { return xml(400, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code></Error></ErrorResponse>") }
            return sts("AssumeRoleWithWebIdentity", key: "SECOND", expires: "2027-01-15T10:00:00Z")
        }
        let client = S3Client(S3Configuration(AWSConfiguration(region: "eu-west-1")), surroundings: world.surroundings)
        func key() async throws(AWSError) -> String {
            _ = try await client.head(bucket: "bucket", key: "key")
            return signed(world.requests.last!)[0]
        }
        #expect(try await key() == "FIRST")
        world.pass(seconds: 54 * 60)
        #expect(try await key() == "FIRST")
        #expect(world.requests.count == 3)  // STS was asked once.
        world.pass(seconds: 2 * 60)
        #expect(try await key() == "FIRST")  // Asked, and refused.
        #expect(try await key() == "FIRST")  // Not asked again so soon.
        #expect(world.requests.count == 6)
        world.pass(seconds: 31)
        #expect(try await key() == "SECOND")
    }

    @Test func expiredOnesWithoutNewerOnesAreAnError() async throws {
        let world = TestWorld(variables: webIdentity, files: ["/token": "x"]) { (request, before) throws(HTTPFailure) in
            guard request.endpoint.host.hasPrefix("sts") else { return found }
            return before == 0
                ? sts("AssumeRoleWithWebIdentity", key: "FIRST") : xml(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
        }
        let client = S3Client(S3Configuration(AWSConfiguration(region: "eu-west-1")), surroundings: world.surroundings)
        _ = try await client.head(bucket: "bucket", key: "key")
        world.pass(seconds: 3601)
        await #expect { try await client.head(bucket: "bucket", key: "key") } throws: {
            "\($0)".hasPrefix("S3 HeadObject s3://bucket/key: STS AssumeRoleWithWebIdentity: AccessDenied (403)")
        }
    }

    @Test func manyWhoAskAtOnceShareOneRequest() async throws {
        let world = TestWorld(variables: webIdentity, files: ["/token": "x"]) { (request, _) throws(HTTPFailure) in
            request.endpoint.host.hasPrefix("sts") ? sts("AssumeRoleWithWebIdentity", key: "ONE") : found
        }
        let client = S3Client(S3Configuration(AWSConfiguration(region: "eu-west-1")), surroundings: world.surroundings)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<50 { group.addTask { _ = try? await client.head(bucket: "bucket", key: "\(number)") } }
        }
        #expect(world.requests.filter { $0.endpoint.host.hasPrefix("sts") }.count == 1)
        #expect(world.requests.count == 51)
    }

    @Test func credentialsThatAServiceCallsExpiredAreReplaced() async throws {
        let world = TestWorld(variables: webIdentity, files: ["/token": "x"]) { (request, before) throws(HTTPFailure) in
            switch before {
            case 0: sts("AssumeRoleWithWebIdentity", key: "FIRST")
            case 1: xml(400, "<Error><Code>ExpiredToken</Code></Error>")
            case 2: sts("AssumeRoleWithWebIdentity", key: "SECOND")
            default: found
            }
        }
        #expect(try await used(world) == ["SECOND", "t/SECOND"])
    }

    @Test func keysThatAreRotatedInTheirFileAreReadAgain() async throws {
        func keys(_ key: String) -> String { "[default]\naws_access_key_id = \(key)\naws_secret_access_key = s\n" }
        let world = TestWorld(variables: ["HOME": "/h"], files: ["/h/.aws/credentials": keys("OLD")]) { (request, before) throws(HTTPFailure) in
            before == 1 ? xml(400, "<Error><Code>ExpiredToken</Code></Error>") : self.found
        }
        let client = S3Client(S3Configuration(AWSConfiguration(region: "eu-west-1")), surroundings: world.surroundings)
        _ = try await client.head(bucket: "bucket", key: "key")
        #expect(signed(world.requests.last!) == ["OLD"])
        world.write("/h/.aws/credentials", keys("NEW"))
        _ = try await client.get(bucket: "bucket", key: "key")
        #expect(signed(world.requests.last!) == ["NEW"])
    }

    @Test func aKeyWithoutItsSecretIsSaid() async {
        let error = await #expect(throws: AWSError.self) { try await used(TestWorld(variables: ["AWS_ACCESS_KEY_ID": "A"])) }
        #expect(error?.message.contains("without AWS_SECRET_ACCESS_KEY") == true)
    }
}
