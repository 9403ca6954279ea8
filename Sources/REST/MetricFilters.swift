/// Of which subtasks, jobs or TaskManagers figures are gathered: filters in the query, as Flink has them. What they name and nobody has is
/// in no figure; what is no such name is refused.
package enum MetricFilters {
    /// `a,b`; nil without a filter: all of them.
    package static func names(_ texts: [Substring], of filter: String) throws(Refusal) -> Set<String>? {
        let names = texts.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.map(String.init)
        if names.contains("") { throw Refusal(.badRequest, "\(filter) names nothing: ids are wanted, with commas between them") }
        return names.isEmpty ? nil : Set(names)
    }

    /// `1,3-5`; nil without a filter: all of them.
    package static func subtasks(_ texts: [Substring]) throws(Refusal) -> [ClosedRange<Int>]? {
        guard let names = try names(texts, of: "subtasks") else { return nil }
        var ranges: [ClosedRange<Int>] = []
        for name in names {
            let ends = name.split(separator: "-", omittingEmptySubsequences: false).map { $0.allSatisfy(\.isASCIIDigit) ? Int($0) : nil }
            guard ends.count <= 2, let first = ends[0], let last = ends[ends.count - 1], first <= last else {
                throw Refusal(.badRequest, "subtasks=\(name): a number or a range is wanted, such as 1,3-5")
            }
            ranges.append(first...last)
        }
        return ranges
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
