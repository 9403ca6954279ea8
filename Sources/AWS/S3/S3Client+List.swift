extension S3Client {
    /// One page of the keys that begin with `prefix`, at most 1,000. `continuing`: `next` of the page before.
    package func list(
        bucket: String, prefix: String, delimiter: String? = nil, startAfter: String? = nil, continuing: String? = nil
    ) async throws(AWSError) -> S3Page {
        var query = [(name: "list-type", value: "2"), (name: "prefix", value: prefix), (name: "encoding-type", value: "url")]
        if let delimiter { query.append(("delimiter", delimiter)) }
        if let startAfter { query.append(("start-after", startAfter)) }
        if let continuing { query.append(("continuation-token", continuing)) }
        let root = try await document("ListObjectsV2", "GET", bucket, nil, query: query, named: "ListBucketResult")
        let isEncoded = root.text("EncodingType") == "url"
        func text(_ text: String) -> String { isEncoded ? formDecoded(text) : text }
        return S3Page(
            entries: root.all("Contents").compactMap { item in
                guard let key = item.text("Key"), let size = item.text("Size").flatMap({ Int($0) }) else { return nil }
                return S3Entry(key: text(key), sizeBytes: size, etag: unquoted(item.text("ETag") ?? ""))
            },
            commonPrefixes: root.all("CommonPrefixes").compactMap { $0.text("Prefix").map(text) },
            next: root.text("IsTruncated") == "true" ? root.text("NextContinuationToken") : nil)
    }

    /// Every key that begins with `prefix`, sorted by its bytes.
    package func listAll(bucket: String, prefix: String) async throws(AWSError) -> [S3Entry] {
        var entries: [S3Entry] = []
        var next: String?
        repeat {
            let page = try await list(bucket: bucket, prefix: prefix, continuing: next)
            entries += page.entries
            next = page.next
        } while next != nil
        return entries
    }

    /// Uploads that were neither completed nor aborted, of keys that begin with `prefix`.
    package func listMultipartUploads(bucket: String, prefix: String) async throws(AWSError) -> [S3Upload] {
        var uploads: [S3Upload] = []
        var markers: [(name: String, value: String)] = []
        while true {
            let query = [(name: "uploads", value: ""), (name: "prefix", value: prefix), (name: "encoding-type", value: "url")] + markers
            let root = try await document("ListMultipartUploads", "GET", bucket, nil, query: query, named: "ListMultipartUploadsResult")
            let isEncoded = root.text("EncodingType") == "url"
            uploads += root.all("Upload").compactMap { item in
                guard let key = item.text("Key"), let id = item.text("UploadId") else { return nil }
                return S3Upload(key: isEncoded ? formDecoded(key) : key, uploadID: id, initiated: item.text("Initiated") ?? "")
            }
            guard root.text("IsTruncated") == "true", let key = root.text("NextKeyMarker"), let id = root.text("NextUploadIdMarker") else { return uploads }
            markers = [("key-marker", isEncoded ? formDecoded(key) : key), ("upload-id-marker", id)]
        }
    }

    /// The answer's XML, whose root must have this name.
    func document(
        _ name: String, _ method: String, _ bucket: String, _ key: String?, query: [(name: String, value: String)], named root: String
    ) async throws(AWSError) -> XML {
        let answer = try await perform(name, method, bucket, key, query: query)
        guard let document = XML.parse(answer.body), document.name == root else {
            throw AWSError(.service, "S3 \(name) s3://\(bucket)", code: "UnreadableAnswer", "the answer is no \(root)", status: answer.status)
        }
        return document
    }
}

/// `encoding-type=url` writes a space as `+`.
private func formDecoded(_ text: String) -> String {
    PercentEncoding.decode(String(text.map { $0 == "+" ? " " : $0 }))
}
