import NIOCore

extension S3Client {
    /// The upload's id. Metadata and encryption are decided here, for the object that completing makes.
    package func createMultipartUpload(bucket: String, key: String, metadata: [String: String] = [:]) async throws(AWSError) -> String {
        let answer = try await perform("CreateMultipartUpload", "POST", bucket, key, query: [("uploads", "")]) { request in
            self.describe(&request, metadata)
            request.set("x-amz-checksum-algorithm", "CRC32C")
        }
        guard let root = XML.parse(answer.body), let id = root.text("UploadId"), !id.isEmpty else {
            throw AWSError(
                .service, "S3 CreateMultipartUpload s3://\(bucket)/\(key)", code: "UnreadableAnswer", "the answer has no upload id", status: answer.status,
                mayHaveHappened: true)
        }
        return id
    }

    /// `number` is from 1 to 10,000; a part of the same number is replaced. All but the last have at least 5 MiB.
    /// Throws `.notFound` (`NoSuchUpload`) when the upload was completed or aborted.
    package func uploadPart(bucket: String, key: String, uploadID: String, number: Int, body: ByteBuffer) async throws(AWSError) -> S3Part {
        precondition((1...10_000).contains(number), "part \(number)")
        let crc = Checksum.crc32c(body)
        let query = [(name: "partNumber", value: String(number)), (name: "uploadId", value: uploadID)]
        let answer = try await perform("UploadPart", "PUT", bucket, key, query: query, body: body) { request in
            request.set("x-amz-checksum-crc32c", Checksum.text(crc))
        }
        return S3Part(number: number, etag: try etag(answer, "UploadPart", bucket, key), crc32c: crc, sizeBytes: body.readableBytes)
    }

    package func uploadPart(bucket: String, key: String, uploadID: String, number: Int, body: [UInt8]) async throws(AWSError) -> S3Part {
        try await uploadPart(bucket: bucket, key: key, uploadID: uploadID, number: number, body: ByteBuffer(bytes: body))
    }

    /// Makes the object of exactly these parts, in order of their numbers; its ETag. Throws `.notFound` (`NoSuchUpload`) when the upload is gone, perhaps
    /// because it was completed before, and `.request` (`InvalidPart`) when a part is not the one named.
    package func completeMultipartUpload(
        bucket: String, key: String, uploadID: String, parts: [S3Part], condition: S3Condition = .none
    ) async throws(AWSError) -> String {
        let operation = "S3 CompleteMultipartUpload s3://\(bucket)/\(key)"
        let listed = parts.sorted { $0.number < $1.number }.map { part in
            "<Part><PartNumber>\(part.number)</PartNumber><ETag>&quot;\(XML.escape(part.etag))&quot;</ETag>"
                + "<ChecksumCRC32C>\(Checksum.text(part.crc32c))</ChecksumCRC32C></Part>"
        }.joined()
        let body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(listed)</CompleteMultipartUpload>"
        let answer = try await perform(
            "CompleteMultipartUpload", "POST", bucket, key, query: [("uploadId", uploadID)], body: ByteBuffer(string: body)
        ) { request in
            request.set("content-type", "application/xml")
            request.timeout = .seconds(300)  // S3 may need minutes to put thousands of parts together.
            Self.demand(&request, condition)
        } check: { response in
            Self.hiddenError(response, operation)
        }
        guard let root = XML.parse(answer.body), let etag = root.text("ETag") else {
            throw AWSError(.service, operation, code: "UnreadableAnswer", "the answer has no ETag", status: answer.status, mayHaveHappened: true)
        }
        return unquoted(etag)
    }

    /// The status is sent before the work is done: 200 may be followed by an error.
    private static func hiddenError(_ response: HTTPResponse, _ operation: String) -> AWSError? {
        guard let root = XML.parse(response.body) else {
            return AWSError(
                .service, operation, code: "UnreadableAnswer", "the answer is cut off or no XML", status: response.status, mayHaveHappened: true)
        }
        guard root.name == "Error" else { return nil }
        // Its code decides; by the status of the words it would be a success.
        return ErrorAnswer.error(HTTPResponse(status: 500, headers: response.headers, body: response.body), operation: operation)
    }

    /// Its parts are removed; an upload that does not exist any more is fine.
    package func abortMultipartUpload(bucket: String, key: String, uploadID: String) async throws(AWSError) {
        do throws(AWSError) {
            _ = try await perform("AbortMultipartUpload", "DELETE", bucket, key, query: [("uploadId", uploadID)])
        } catch {
            if error.code != "NoSuchUpload" { throw error }
        }
    }

    /// The parts that the upload has, in order of their numbers. Their checksums are 0 where the service does not give them.
    package func listParts(bucket: String, key: String, uploadID: String) async throws(AWSError) -> [S3Part] {
        var parts: [S3Part] = []
        var marker: String?
        while true {
            var query = [(name: "uploadId", value: uploadID)]
            if let marker { query.append(("part-number-marker", marker)) }
            let root = try await document("ListParts", "GET", bucket, key, query: query, named: "ListPartsResult")
            parts += root.all("Part").compactMap { item in
                guard let number = item.text("PartNumber").flatMap({ Int($0) }), let etag = item.text("ETag") else { return nil }
                return S3Part(
                    number: number, etag: unquoted(etag), crc32c: item.text("ChecksumCRC32C").flatMap { Checksum.value($0) } ?? 0,
                    sizeBytes: item.text("Size").flatMap { Int($0) } ?? 0)
            }
            guard root.text("IsTruncated") == "true", let next = root.text("NextPartNumberMarker"), next != marker else { return parts }
            marker = next
        }
    }
}
