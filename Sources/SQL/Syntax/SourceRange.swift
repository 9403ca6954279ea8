/// A stretch of a script: half-open, in UTF-8 bytes from the script's start.
package struct SourceRange: Equatable, Sendable {
    package var start: Int
    package var end: Int

    package init(_ start: Int, _ end: Int) {
        self.start = start
        self.end = end
    }

    /// From the start of this range to the end of the other one.
    func through(_ last: SourceRange) -> SourceRange { SourceRange(start, max(end, last.end)) }
}
