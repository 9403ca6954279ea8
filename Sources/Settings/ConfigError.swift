/// Values that cannot be used, all that were found. Each names where it stands, the key, and what was expected.
package struct ConfigError: Error, Equatable, Sendable, CustomStringConvertible {
    package let problems: [String]

    package init(_ problems: [String]) { self.problems = problems }
    package init(_ problem: String) { problems = [problem] }

    /// One line a problem.
    package var description: String { problems.joined(separator: "\n") }

    static func badValue(_ value: String, of key: String, at origin: Origin, expected: String) -> String {
        "\(origin): \(key) is \"\(Secrets.masked(value, of: key))\", expected \(expected)"
    }
}

/// Where a value was given. Later cases beat earlier ones.
package enum Origin: Equatable, Sendable, CustomStringConvertible {
    /// Made by this program, or sent by another of the cluster's processes.
    case program
    case file(path: String, line: Int)
    case commandLine
    /// `SET` in a script; the line where it is known.
    case set(line: Int?)

    package var description: String {
        switch self {
        case .program: "configuration"
        case .file(let path, let line): "\(path):\(line)"
        case .commandLine: "-D"
        case .set(nil): "SET"
        case .set(let line?): "SET in line \(line)"
        }
    }
}
