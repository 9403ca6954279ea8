import AWS
import NIOCore
import Testing

/// AWS's own vectors: the signature test suite (`aws-sig-v4-test-suite`) and the examples of "Authenticating Requests", Amazon S3 API Reference.
struct SigV4Tests {
    private func authorization(_ request: HTTPRequest, payloadHash: String? = nil) -> String? {
        var request = request
        let hash = payloadHash ?? Hex.encode(request.body.withUnsafeReadableBytes { Digest.sha256($0) })
        SigV4.sign(&request, someCredentials, region: "us-east-1", service: "service", payloadHash: hash, at: UnixTime(iso: "2015-08-30T12:36:00Z")!)
        return request.header("authorization")
    }

    private let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
    private let example = Endpoint(host: "example.amazonaws.com")

    @Test func getVanilla() {
        #expect(authorization(HTTPRequest("GET", example)) == scope
            + "SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
    }

    @Test func getVanillaQueryOrderKeyCase() {
        let request = HTTPRequest("GET", example, query: [("Param2", "value2"), ("Param1", "value1")])
        #expect(authorization(request) == scope
            + "SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")
    }

    @Test func getVanillaEmptyQueryKey() {
        let request = HTTPRequest("GET", example, query: [("Param1", "value1")])
        #expect(authorization(request) == scope
            + "SignedHeaders=host;x-amz-date, Signature=a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb")
    }

    @Test func postVanilla() {
        #expect(authorization(HTTPRequest("POST", example)) == scope
            + "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")
    }

    @Test func getHeaderValueTrim() {
        let request = HTTPRequest("GET", example, headers: [("my-header1", " value1"), ("my-header2", " \"a   b   c\"")])
        #expect(authorization(request) == scope
            + "SignedHeaders=host;my-header1;my-header2;x-amz-date, Signature=acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736")
    }

    // MARK: S3's examples, 2013-05-24

    private let s3Credentials = Credentials(accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", origin: "the test")

    private func s3Signature(_ request: HTTPRequest) -> String? {
        var request = request
        let hash = Hex.encode(request.body.withUnsafeReadableBytes { Digest.sha256($0) })
        request.set("x-amz-content-sha256", hash)
        SigV4.sign(&request, s3Credentials, region: "us-east-1", service: "s3", payloadHash: hash, at: UnixTime(iso: "2013-05-24T00:00:00Z")!)
        return request.header("authorization")?.split(separator: "=").last.map(String.init)
    }

    private let bucket = Endpoint(host: "examplebucket.s3.amazonaws.com")

    @Test func s3GetObjectWithRange() {
        let request = HTTPRequest("GET", bucket, path: "/test.txt", headers: [("range", "bytes=0-9")])
        #expect(s3Signature(request) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func s3PutObjectWithOddKey() {
        var request = HTTPRequest("PUT", bucket, path: "/" + PercentEncoding.encode("test$file.text", keeping: "/"))
        request.headers = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")]
        request.body = ByteBuffer(string: "Welcome to Amazon S3.")
        #expect(s3Signature(request) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func s3GetBucketLifecycle() {
        #expect(s3Signature(HTTPRequest("GET", bucket, query: [("lifecycle", "")])) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test func s3ListObjects() {
        let request = HTTPRequest("GET", bucket, query: [("max-keys", "2"), ("prefix", "J")])
        #expect(s3Signature(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test func sessionTokensAreSigned() {
        var request = HTTPRequest("GET", example)
        let temporary = Credentials(accessKey: "ASIA", secretKey: "s", sessionToken: "the token", origin: "the test")
        SigV4.sign(&request, temporary, region: "us-east-1", service: "s3", payloadHash: "x", at: UnixTime(seconds: 0))
        #expect(request.header("x-amz-security-token") == "the token")
        #expect(request.header("authorization")?.contains("host;x-amz-date;x-amz-security-token") == true)
    }
}
