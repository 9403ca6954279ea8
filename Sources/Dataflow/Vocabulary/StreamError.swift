/// What went wrong, who can mend it, whether trying again may help, and where it happened.
package struct StreamError: Error, Hashable, Codable, Sendable, CustomStringConvertible {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        /// The user's data, SQL or options.
        case user
        /// A store, a broker, a disk.
        case externalSystem
        /// A peer or a link went away.
        case connection
        /// A bound of memory was reached.
        case memory
        /// A promise of our own is broken.
        case `internal`
    }

    package let kind: Kind
    /// Whether the same work may succeed when it is repeated.
    package let retry: Bool
    package let message: String
    /// Where, outermost first.
    package private(set) var path: [String] = []
    /// The TaskManager to which there is no connection, where that is known to be the cause.
    package let unreachable: WorkerID?

    package init(_ kind: Kind, retry: Bool, _ message: String, unreachable: WorkerID? = nil) {
        self.kind = kind
        self.retry = retry
        self.message = message
        self.unreachable = unreachable
    }

    /// What to do with a state that belongs to another origin than what is there now.
    package static let startWithoutState = "Start the job without that state, and say in the table's options where reading is to begin"

    /// The same error, seen from one level further out.
    package func during(_ place: String) -> StreamError {
        var error = self
        error.path.insert(place, at: 0)
        return error
    }

    package var description: String { path.isEmpty ? message : path.joined(separator: " › ") + ": " + message }
}
