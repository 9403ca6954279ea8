import AWS

/// The store that a URI names: the one place where kinds of stores are chosen.
///
/// `file:///dir`, `file:/dir`, `/dir` and `dir` (relative to the working directory) are folders of this machine or of a mounted file system.
/// `s3://bucket/folder` (also `s3a:`, `s3n:`, `s3p:`) is Amazon S3 or what speaks its protocol, through the client that `s3` gives;
/// `concurrency`: how many parts of one large object are on their way at once.
/// Throws `.invalidURI` in words for users; opening touches nothing yet, a folder is created by the first put.
package func openStore(uri: String, concurrency: Int = 8, s3: () -> S3Client = { S3Client() }) throws(StoreError) -> any ObjectStore {
    guard let colon = uri.firstIndex(of: ":"), isScheme(uri[..<colon]) else {
        if uri.isEmpty { throw .invalidURI("the storage location is empty; give a folder or file:///folder") }
        return DirectoryStore(root: uri)
    }
    let scheme = uri[..<colon].lowercased()
    var rest = uri[uri.index(after: colon)...]
    switch scheme {
    case "file":
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            if rest.hasPrefix("localhost/") { rest = rest.dropFirst("localhost".count) }
        }
        guard rest.hasPrefix("/") else { throw .invalidURI("\(uri): a file URI has three slashes before an absolute path: file:///folder") }
        return DirectoryStore(root: String(rest))
    case "s3", "s3a", "s3n", "s3p":
        guard let (bucket, prefix) = bucketAndPrefix(rest) else {
            throw .invalidURI("\(uri): an S3 location names a bucket, and perhaps a folder in it: s3://bucket/folder")
        }
        return S3Store(client: s3(), bucket: bucket, prefix: prefix, concurrency: concurrency)
    default:
        throw .invalidURI("\(uri): storage scheme \(scheme): is not known; use a folder (file:///folder) or S3 (s3://bucket/folder)")
    }
}

/// `//bucket/a/b` is `bucket` and `a/b`; slashes that say nothing are left out.
private func bucketAndPrefix(_ rest: Substring) -> (bucket: String, prefix: String)? {
    guard rest.hasPrefix("//") else { return nil }
    let parts = rest.split(separator: "/")
    guard let bucket = parts.first, !rest.hasPrefix("///"), bucket.utf8.count >= 3, !bucket.contains("@"), !bucket.contains(":") else { return nil }
    return (String(bucket), parts.dropFirst().joined(separator: "/"))
}

/// RFC 3986: a letter, then letters, digits, `+`, `-`, `.`.
private func isScheme(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, isLetter(first) else { return false }
    return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E }
}

private func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
