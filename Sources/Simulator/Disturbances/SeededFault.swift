/// A way in which the machines are broken on purpose, so that the checkers are seen to catch it.
package enum SeededFault: String, CaseIterable, Sendable {
    case none
}
