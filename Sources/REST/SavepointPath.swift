/// Where savepoints go and where they are, as Flink writes it.
package enum SavepointPath {
    /// Nil for none, as in Flink: the configured one. A relative one would mean another folder on each machine.
    package static func directory(_ text: String?) throws(Refusal) -> String? {
        guard let text, !text.isEmpty else { return nil }
        if text.hasPrefix("/") || hasScheme(text) { return text }
        throw Refusal(.badRequest, "\(text): the folder of a savepoint must be absolute or have a scheme: /folder, file:///folder or s3://bucket/folder")
    }

    /// `file:/folder` for a folder of this machine; others have a scheme already.
    package static func location(_ path: String) -> String {
        if path.hasPrefix("file:///") { return "file:" + path.dropFirst("file://".count) }
        return path.hasPrefix("/") ? "file:" + path : path
    }

    private static func hasScheme(_ text: String) -> Bool {
        guard let end = text.firstIndex(of: ":"), end > text.startIndex else { return false }
        return text[..<end].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }
}
