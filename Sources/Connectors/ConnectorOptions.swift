import Dataflow

extension ConnectorOptions {
    /// The connector's name, after the name of every option was checked.
    static func check(_ table: String, _ options: [String: String], columns: [String]) throws(StreamError) -> String {
        do throws(OptionProblem) {
            return try check(options, columns: columns).name
        } catch {
            let near = error.wrong.map { hint($0, error.candidates) } ?? ""
            let there = error.there.isEmpty ? "" : "; there are \(error.there.map { "'\($0)'" }.joined(separator: ", "))"
            throw Options(table, options).error(error.message + near + there)
        }
    }

    /// A name that is a few letters away.
    private static func hint(_ name: String, _ names: [String]) -> String {
        let near = names.min { distance($0, name) < distance($1, name) }
        guard let near, distance(near, name) <= max(2, name.count / 4) else { return "" }
        return ", did you mean '\(near)'?"
    }

    private static func distance(_ a: String, _ b: String) -> Int {
        let a = Array(a.utf8), b = Array(b.utf8)
        var row = Array(0...b.count)
        for i in a.indices {
            var corner = row[0]
            row[0] = i + 1
            for j in b.indices {
                let next = a[i] == b[j] ? corner : min(corner, row[j], row[j + 1]) + 1
                corner = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
