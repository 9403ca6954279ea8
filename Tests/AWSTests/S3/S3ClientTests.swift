import AWS
import NIOCore
import Testing

struct S3ClientTests {
    private func client(_ world: TestWorld, endpoint: String? = nil, _ change: (inout S3Configuration) -> Void = { _ in }) -> S3Client {
        var configuration = S3Configuration(AWSConfiguration(region: "eu-west-1", endpoint: endpoint, credentials: someCredentials))
        change(&configuration)
        return S3Client(configuration, surroundings: world.surroundings)
    }

    private let stored = HTTPResponse(status: 200, headers: [("etag", "\"tag\"")])

    private func failure(_ call: () async throws(AWSError) -> Void) async -> AWSError? {
        do throws(AWSError) {
            try await call()
            return nil
        } catch {
            return error
        }
    }

    // MARK: Addresses

    @Test func bucketsStandInTheHostsNameWhereThatIsPossible() async throws {
        for (endpoint, bucket, url) in [
            (nil, "bucket", "https://bucket.s3.eu-west-1.amazonaws.com/a/b"), (nil, "my.bucket", "https://s3.eu-west-1.amazonaws.com/my.bucket/a/b"),
            ("http://127.0.0.1:8333", "bucket", "http://127.0.0.1:8333/bucket/a/b"), ("https://minio:9000/", "bucket", "https://minio:9000/bucket/a/b"),
            ("https://objects.example.org", "bucket", "https://bucket.objects.example.org/a/b"), ("http://localhost:1/x", "bucket", "http://localhost:1/x/bucket/a/b"),
        ] {
            let world = TestWorld { (_, _) throws(HTTPFailure) in stored }
            _ = try await client(world, endpoint: endpoint).put(bucket: bucket, key: "a/b", body: [])
            #expect(world.requests[0].url == url)
        }
        let world = TestWorld { (_, _) throws(HTTPFailure) in stored }
        _ = try await client(world) { $0.pathStyle = true }.put(bucket: "bucket", key: "ä +%", body: [])
        #expect(world.requests[0].url == "https://s3.eu-west-1.amazonaws.com/bucket/%C3%A4%20%2B%25")
    }

    @Test func aBucketElsewhereIsFollowedOnceAndRemembered() async throws {
        let world = TestWorld { (request, _) throws(HTTPFailure) in
            request.endpoint.host.contains("us-west-2")
                ? stored : xml(400, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong</Message><Region>us-west-2</Region></Error>")
        }
        let client = client(world)
        for _ in 0..<2 { _ = try await client.put(bucket: "bucket", key: "k", body: []) }
        #expect(world.requests.map(\.endpoint.host) == ["eu-west-1", "us-west-2", "us-west-2"].map { "bucket.s3.\($0).amazonaws.com" })
        #expect(world.requests[1].header("authorization")?.contains("/us-west-2/s3/") == true)
    }

    @Test func anEndpointOfTheWrongRegionIsExplained() async {
        let world = TestWorld { (_, _) throws(HTTPFailure) in xml(301, "<Error><Code>PermanentRedirect</Code><Endpoint>b.s3.x.com</Endpoint></Error>") }
        let error = await failure { () throws(AWSError) in _ = try await client(world).put(bucket: "bucket", key: "k", body: []) }
        #expect(error?.description.contains("set s3.region or s3.endpoint") == true)
    }

    // MARK: Permissions

    @Test func aDenialSaysWhetherTheSameWasEverAllowedInThatFolder() async throws {
        let world = TestWorld { (_, before) throws(HTTPFailure) in before == 0 ? stored : xml(403, "<Error><Code>AccessDenied</Code></Error>") }
        let client = client(world)
        _ = try await client.put(bucket: "bucket", key: "out/a", body: [])
        for (key, wasAllowed) in [("out/b", true), ("other/a", false)] {
            let error = await failure { () throws(AWSError) in _ = try await client.put(bucket: "bucket", key: key, body: []) }
            #expect(error?.kind == .denied && error?.wasAllowed == wasAllowed, "\(key)")
        }
        let read = await failure { () throws(AWSError) in _ = try await client.get(bucket: "bucket", key: "out/a") }
        #expect(read?.wasAllowed == false)
    }

    // MARK: Uploads

    @Test func bodiesCarryTheirChecksumAndAreSignedOnlyWithoutTLS() async throws {
        let world = TestWorld { (_, _) throws(HTTPFailure) in stored }
        let etag = try await client(world).put(bucket: "bucket", key: "k", body: Array("123456789".utf8), condition: .ifNoneMatch, metadata: ["Who": "me"])
        #expect(etag == "tag")
        let request = world.requests[0]
        #expect(request.header("x-amz-checksum-crc32c") == "4waSgw==")  // CRC-32C's check value, 0xE3069283.
        #expect(request.header("x-amz-content-sha256") == "UNSIGNED-PAYLOAD")
        #expect(request.header("if-none-match") == "*")
        #expect(request.header("x-amz-meta-who") == "me")
        _ = try await client(world, endpoint: "http://127.0.0.1:1").put(bucket: "bucket", key: "k", body: Array("abc".utf8), condition: .ifMatch("old"))
        #expect(world.requests[1].header("x-amz-content-sha256") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(world.requests[1].header("if-match") == "\"old\"")
    }

    @Test func encryptionIsAskedForWhereObjectsBegin() async throws {
        let world = TestWorld { (request, _) throws(HTTPFailure) in
            request.method == "POST" ? xml(200, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>") : stored
        }
        let client = client(world) { $0.encryption = .kms(keyID: "key-1") }
        _ = try await client.put(bucket: "bucket", key: "k", body: [])
        _ = try await client.createMultipartUpload(bucket: "bucket", key: "k")
        _ = try await client.uploadPart(bucket: "bucket", key: "k", uploadID: "u", number: 1, body: [])
        #expect(world.requests.map { $0.header("x-amz-server-side-encryption") } == ["aws:kms", "aws:kms", nil])
        #expect(world.requests[0].header("x-amz-server-side-encryption-aws-kms-key-id") == "key-1")
    }

    @Test func completingNamesEveryPartInOrder() async throws {
        let world = TestWorld { (_, _) throws(HTTPFailure) in
            xml(200, "<CompleteMultipartUploadResult><ETag>&quot;whole-2&quot;</ETag></CompleteMultipartUploadResult>")
        }
        let parts = [S3Part(number: 7, etag: "seven", crc32c: 1, sizeBytes: 1), S3Part(number: 2, etag: "two", crc32c: 0xE306_9283, sizeBytes: 1)]
        let etag = try await client(world).completeMultipartUpload(bucket: "bucket", key: "k", uploadID: "u/1", parts: parts, condition: .ifNoneMatch)
        #expect(etag == "whole-2")
        let body = XML.parse([UInt8](world.requests[0].body.readableBytesView))
        #expect(body?.all("Part").map { $0.children.map(\.text) } == [["2", "\"two\"", "4waSgw=="], ["7", "\"seven\"", "AAAAAQ=="]])
        #expect(world.requests[0].encodedQuery == "uploadId=u%2F1")
        #expect(world.requests[0].header("if-none-match") == "*")
    }

    @Test func anErrorBehindStatus200IsAnError() async {
        for (answer, kind, attempts) in [
            ("<Error><Code>InternalError</Code><Message>try again</Message></Error>", AWSError.Kind.service, 10),
            ("<Error><Code>NoSuchUpload</Code></Error>", .notFound, 1), ("<CompleteMultipartUpl", .service, 10), ("   ", .service, 10),
        ] {
            let world = TestWorld { (_, _) throws(HTTPFailure) in xml(200, answer) }
            let error = await failure { () throws(AWSError) in
                _ = try await client(world).completeMultipartUpload(bucket: "bucket", key: "k", uploadID: "u", parts: [])
            }
            #expect(error?.kind == kind, "\(answer)")
            #expect(error?.mayHaveHappened == (kind == .service))
            #expect(world.requests.count == attempts)
        }
    }

    @Test func aPartsFateIsKeptThroughRetries() async {
        let world = TestWorld { (_, before) throws(HTTPFailure) in
            if before == 0 { throw HTTPFailure(.broken, "closed", mayHaveArrived: true) }
            return xml(412, "<Error><Code>PreconditionFailed</Code></Error>")
        }
        let error = await failure { () throws(AWSError) in
            _ = try await client(world).put(bucket: "bucket", key: "k", body: [1], condition: .ifNoneMatch)
        }
        #expect(error?.kind == .conflict)
        #expect(error?.mayHaveHappened == true)
    }

    @Test func conditionsThatMetAnotherRequestAreTriedAgain() async throws {
        let world = TestWorld { (_, before) throws(HTTPFailure) in
            before == 0 ? xml(409, "<Error><Code>ConditionalRequestConflict</Code></Error>") : stored
        }
        #expect(try await client(world).put(bucket: "bucket", key: "k", body: [1], condition: .ifNoneMatch) == "tag")
    }

    // MARK: Reading

    @Test func rangesAreAskedForAndTheWholeSizeIsTold() async throws {
        let world = TestWorld { (_, _) throws(HTTPFailure) in xml(206, "cd", [("etag", "\"t\""), ("content-range", "bytes 2-3/26")]) }
        let object = try await client(world).get(bucket: "bucket", key: "k", range: 2..<4, ifMatch: "t")
        #expect(object.bytes == Array("cd".utf8) && object.sizeBytes == 26 && object.etag == "t")
        #expect(world.requests[0].header("range") == "bytes=2-3")
        #expect(world.requests[0].header("if-match") == "\"t\"")
    }

    @Test func headsTellSizeTagAndMetadata() async throws {
        let world = TestWorld { (request, _) throws(HTTPFailure) in
            request.path == "/none"
                ? HTTPResponse(status: 404) : HTTPResponse(status: 200, headers: [("etag", "\"t\""), ("content-length", "7"), ("x-amz-meta-who", "me")])
        }
        #expect(try await client(world).head(bucket: "bucket", key: "k") == S3Head(sizeBytes: 7, etag: "t", metadata: ["who": "me"]))
        #expect(try await client(world).head(bucket: "bucket", key: "none") == nil)
    }

    @Test func listingsArePagedAndTheirKeysDecoded() async throws {
        let world = TestWorld { (request, before) throws(HTTPFailure) in
            before == 0
                ? xml(200, """
                    <ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>to/ken=</NextContinuationToken><EncodingType>url</EncodingType>\
                    <Contents><Key>a+b%2Bc</Key><Size>1</Size><ETag>"x"</ETag></Contents></ListBucketResult>
                    """)
                : xml(200, """
                    <ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>z&amp;+</Key><Size>2</Size></Contents>\
                    <CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>
                    """)
        }
        let entries = try await client(world).listAll(bucket: "bucket", prefix: "a b/")
        #expect(entries == [S3Entry(key: "a b+c", sizeBytes: 1, etag: "x"), S3Entry(key: "z&+", sizeBytes: 2, etag: "")])
        #expect(world.requests.map(\.encodedQuery) == [
            "encoding-type=url&list-type=2&prefix=a%20b%2F", "continuation-token=to%2Fken%3D&encoding-type=url&list-type=2&prefix=a%20b%2F",
        ])
        #expect(world.requests[0].path == "/")
    }

    @Test func deletingAndAbortingWhatIsGoneIsFine() async throws {
        let gone = TestWorld { (request, _) throws(HTTPFailure) in
            xml(404, "<Error><Code>\(request.query.isEmpty ? "NoSuchKey" : "NoSuchUpload")</Code></Error>")
        }
        try await client(gone).delete(bucket: "bucket", key: "k")
        try await client(gone).abortMultipartUpload(bucket: "bucket", key: "k", uploadID: "u")
        let missing = TestWorld { (_, _) throws(HTTPFailure) in xml(404, "<Error><Code>NoSuchBucket</Code></Error>") }
        let error = await failure { () throws(AWSError) in try await client(missing).delete(bucket: "bucket", key: "k") }
        #expect(error?.description == "S3 DeleteObject s3://bucket/k: NoSuchBucket (404). Create the bucket, or correct its name.")
    }
}
