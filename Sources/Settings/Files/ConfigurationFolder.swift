import Glibc

extension Configuration {
    /// `flink-conf.yaml`, over it `config.yaml`, both from `folder` where they exist, over them the `-D` arguments, each `key=value`.
    ///
    /// Throws with every unusable value of all sources at once.
    package static func load(folder: String = configurationFolder(), dynamic: [String] = []) throws(ConfigError) -> Configuration {
        var configuration = Configuration()
        var problems: [String] = []
        for name in ["flink-conf.yaml", "config.yaml"] {
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            do throws(ConfigError) {
                guard let text = try readFile(path) else { continue }
                let found = name == "config.yaml" ? try readYAML(text, path: path) : try readLegacy(text, path: path)
                configuration.warnings += found.warnings
                try configuration.apply(found.entries)
            } catch {
                problems += error.problems
            }
        }
        var entries: [Entry] = []
        for argument in dynamic {
            let (name, value) = split(argument, at: "=")
            if let value, !name.isEmpty {
                entries.append(Entry(name: name, value: value, origin: .commandLine))
            } else {
                problems.append("-D \(Secrets.masked(argument, of: argument)): expected key=value")
            }
        }
        do throws(ConfigError) {
            try configuration.apply(entries)
        } catch {
            problems += error.problems
        }
        if !problems.isEmpty { throw ConfigError(problems) }
        return configuration
    }
}

/// `SWIFTWATER_CONF_DIR`, else `FLINK_CONF_DIR`, else `/opt/flink/conf`. It need not exist.
package func configurationFolder() -> String {
    for name in ["SWIFTWATER_CONF_DIR", "FLINK_CONF_DIR"] {
        if let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty { return value }
    }
    return "/opt/flink/conf"
}

/// Nil when there is none.
package func readFile(_ path: String) throws(ConfigError) -> String? {
    guard let file = fopen(path, "rbe") else {
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw ConfigError("\(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { break }
        bytes += chunk[..<count]
    }
    if ferror(file) != 0 { throw ConfigError("\(path): \(String(cString: strerror(errno)))") }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw ConfigError("\(path): not UTF-8") }
    return text
}

/// Both sides without white space around; nil when there is no separator.
func split(_ text: some StringProtocol, at separator: Character) -> (String, String?) {
    guard let index = text.firstIndex(of: separator) else { return (trimmed(text), nil) }
    return (trimmed(text[..<index]), trimmed(text[text.index(after: index)...]))
}
