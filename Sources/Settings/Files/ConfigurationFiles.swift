/// What a file says, in its order.
struct FileContents: Equatable {
    var entries: [Entry] = []
    var warnings: [String] = []
}

/// `config.yaml`: YAML, keys nested or flat or both; a list becomes `a;b;c`.
func readYAML(_ text: String, path: String) throws(ConfigError) -> FileContents {
    let root: YAML?
    do throws(YAML.Problem) {
        root = try YAML.read(text)
    } catch {
        throw ConfigError(path + error.text)
    }
    var found = FileContents()
    switch root {
    case nil: break
    case .mapping(let pairs, _): collect(pairs, under: "", path: path, into: &found)
    case .scalar(let words, _, _) where trimmed(words).isEmpty: break
    case .sequence(_, let line): throw ConfigError("\(path):\(line): expected key: value, found a list")
    case .scalar(_, _, let line), .alias(let line): throw ConfigError("\(path):\(line): expected key: value")
    }
    return found
}

/// `flink-conf.yaml`: one `key: value` a line, everything after the first colon and blank as it stands. A file with indented lines is YAML.
func readLegacy(_ text: String, path: String) throws(ConfigError) -> FileContents {
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    let isNested = lines.contains { line in
        (line.hasPrefix(" ") || line.hasPrefix("\t") || line.hasPrefix("- ")) && !trimmed(line).isEmpty && !trimmed(line).hasPrefix("#")
    }
    if isNested { return try readYAML(text, path: path) }

    var found = FileContents()
    for (index, line) in lines.enumerated() {
        let line = withoutComment(line)
        if line.isEmpty || line == "---" { continue }
        let origin = Origin.file(path: path, line: index + 1)
        let (name, value) = splitAtColon(line)
        if let value, !value.isEmpty {
            found.entries.append(Entry(name: name, value: unquoted(value), origin: origin))
        } else {
            found.warnings.append("\(origin): \(value == nil ? "expected key: value" : "\(name) has no value and is ignored")")
        }
    }
    return found
}

private func collect(_ pairs: [YAML.Pair], under prefix: String, path: String, into found: inout FileContents) {
    for pair in pairs {
        let origin = Origin.file(path: path, line: pair.key.line)
        guard let part = pair.key.scalar, !part.isEmpty else {
            found.warnings.append("\(origin): a key that is not a word is ignored")
            continue
        }
        let name = prefix.isEmpty ? part : prefix + "." + part
        switch pair.value {
        case .mapping(let inner, _):
            collect(inner, under: name, path: path, into: &found)
        case .scalar(let text, let isPlain, _):
            if isPlain && ["", "~", "null"].contains(text) {
                found.warnings.append("\(origin): \(name) has no value and is ignored")
            } else {
                found.entries.append(Entry(name: name, value: text, origin: origin))
            }
        case .sequence(let items, _):
            let texts = items.compactMap(\.scalar)
            if texts.count == items.count {
                found.entries.append(Entry(name: name, value: texts.joined(separator: ";"), origin: origin))
            } else {
                found.warnings.append("\(origin): \(name) holds more than a list of words and is ignored")
            }
        case .alias:
            found.warnings.append("\(origin): \(name) is an alias and is ignored")
        }
    }
}

/// A comment begins at the line's start or after a blank, so that a password may hold a `#`.
private func withoutComment(_ line: Substring) -> String {
    var previous: Character = " "
    for index in line.indices {
        if line[index] == "#" && (previous == " " || previous == "\t") { return trimmed(line[..<index]) }
        previous = line[index]
    }
    return trimmed(line)
}

/// At the first colon that a blank or the line's end follows: keys and values may hold colons of their own.
private func splitAtColon(_ line: String) -> (String, String?) {
    for index in line.indices where line[index] == ":" {
        let after = line.index(after: index)
        if after == line.endIndex || line[after] == " " || line[after] == "\t" { return (trimmed(line[..<index]), trimmed(line[after...])) }
    }
    return (line, nil)
}

private func unquoted(_ value: String) -> String {
    guard value.count >= 2, let quote = value.first, quote == "\"" || quote == "'", value.last == quote else { return value }
    return String(value.dropFirst().dropLast())
}
