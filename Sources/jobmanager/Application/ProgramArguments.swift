import Dataflow

/// A program's own arguments, `--key value` or `-key value`, as Flink's `ParameterTool` takes them.
struct ProgramArguments: Hashable {
    private(set) var values: [String: String] = [:]

    init(_ arguments: [String]) throws(StreamError) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            let key = word.hasPrefix("--") ? word.dropFirst(2) : word.hasPrefix("-") ? word.dropFirst() : ""
            guard !key.isEmpty else {
                throw StreamError(.user, retry: false, "'\(word)' is not understood: the program's arguments are pairs of --name and value")
            }
            guard let value = rest.first, !value.hasPrefix("--") else {
                throw StreamError(.user, retry: false, "--\(key) has no value")
            }
            guard values.updateValue(value, forKey: String(key)) == nil else {
                throw StreamError(.user, retry: false, "--\(key) is given twice")
            }
            rest.removeFirst()
        }
    }

    func required(_ name: String) throws(StreamError) -> String {
        guard let value = values[name] else { throw StreamError(.user, retry: false, "--\(name) is missing") }
        return value
    }

    /// Refuses names that the program does not have: a mistyped one would be ignored in silence.
    func check(known: [String]) throws(StreamError) {
        for name in values.keys.sorted() where !known.contains(name) {
            throw StreamError(
                .user, retry: false, "--\(name) is not known; there are \(known.map { "--\($0)" }.joined(separator: ", "))")
        }
    }
}
