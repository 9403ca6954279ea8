/// A relative path such as `jobs/4f2a/chk-17/manifest`: components between single slashes, at most 1,024 bytes in all and 255 in one.
///
/// No component is empty, `.` or `..`, none holds a NUL byte, and the names that `DirectoryStore` keeps for itself (`.tmp-…`, `.locks`) are refused, so
/// that a key means the same object in every kind of store.
package struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    package static let lengthLimitBytes = 1024
    private static let componentLimitBytes = 255

    package let path: String

    /// Throws `.invalidKey` with what is wrong.
    package init(_ path: String) throws(StoreError) {
        if let problem = Self.problem(in: path) { throw .invalidKey("\"\(path)\": \(problem)") }
        self.path = path
    }

    /// `self/name`; `name` may hold slashes of its own.
    package func appending(_ name: String) throws(StoreError) -> ObjectKey {
        try ObjectKey(path + "/" + name)
    }

    package var description: String { path }

    /// The order of the UTF-8 bytes, as object stores list.
    package static func < (a: ObjectKey, b: ObjectKey) -> Bool {
        a.path.utf8.lexicographicallyPrecedes(b.path.utf8)
    }

    private static func problem(in path: String) -> String? {
        let bytes = path.utf8
        if bytes.isEmpty { return "a key is not empty" }
        if bytes.count > lengthLimitBytes { return "a key has at most \(lengthLimitBytes) bytes, this one has \(bytes.count)" }
        if bytes.first == UInt8(ascii: "/") { return "a key is relative" }
        for part in path.split(separator: "/", omittingEmptySubsequences: false) {
            if part.isEmpty { return "it has an empty component" }
            if part == "." || part == ".." { return "components . and .. are not allowed" }
            if part.utf8.count > componentLimitBytes { return "a component has at most \(componentLimitBytes) bytes" }
            if part.utf8.contains(0) { return "it contains a NUL byte" }
            if isReserved(part) { return "the name \(part) is reserved" }
        }
        return nil
    }

    /// Names that `DirectoryStore` uses beside the objects.
    static func isReserved(_ component: some StringProtocol) -> Bool {
        component.hasPrefix(".tmp-") || component == ".locks"
    }
}
