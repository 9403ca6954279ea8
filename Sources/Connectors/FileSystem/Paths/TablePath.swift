import Dataflow

/// Where a table's files lie: the `path` option.
package enum TablePath: Hashable, Sendable {
    /// A path of this machine.
    case folder(String)
    /// A key, or what keys of a folder begin with, without a slash at its end; empty: the whole bucket.
    case bucket(String, key: String)

    init(_ options: Options) throws(StreamError) { try self.init(try options.required("path")) }

    /// `s3://bucket/key`, `s3a://…` as Hadoop has it, or whatever `FilePath.local` reads.
    package init(_ text: String) throws(StreamError) {
        guard let scheme = SinkSpec.bucketSchemes.first(where: { text.hasPrefix($0) }) else {
            self = .folder(try FilePath.local(text))
            return
        }
        let parts = text.dropFirst(scheme.count).split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty else { throw StreamError(.user, retry: false, "path \(text): the bucket's name is missing") }
        var key = parts.count > 1 ? parts[1] : ""
        while key.hasSuffix("/") { key.removeLast() }
        while key.hasPrefix("/") { key.removeFirst() }
        self = .bucket(String(name), key: String(key))
    }
}
