import FoundationEssentials
import Settings
import Testing

/// docs/configuration.md is made from the catalogue, so that it cannot say anything else.
@Test func thePageOfKeysIsWhatTheCatalogueSays() throws {
    let page = ConfigurationPage().text
    let path = ConfigurationPage.top + "/docs/configuration.md"
    if ProcessInfo.processInfo.environment["UPDATE_DOCS"] != nil { try Data(page.utf8).write(to: URL(filePath: path)) }
    let written = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    #expect(written == page, "docs/configuration.md is not up to date: UPDATE_DOCS=1 scripts/test thePageOfKeys writes it")
}

private struct ConfigurationPage {
    static let top = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    var text: String {
        var text = """
            # Configuration

            <!-- Made from Sources/Settings/Options by a test: UPDATE_DOCS=1 scripts/test thePageOfKeys -->

            Names, types and meanings are Flink's. A value is looked for in this order: `SET` in the script, `-D key=value` on the command line,
            `config.yaml`, `flink-conf.yaml`, the default below. The files are read from the folder in `SWIFTWATER_CONF_DIR`, else `FLINK_CONF_DIR`, else
            `/opt/flink/conf`; YAML may be nested or flat. An unknown key is a warning, a value that cannot be read an error that names file and line.

            Durations are `500 ms`, `10 s`, `5 min`, `1 h`; a bare number is milliseconds. Sizes are `64 kb`, `128 mb`, `1 gb` in powers of 1,024; a bare number is bytes.

            ## Keys that are read today


            """
        let (used, idle) = (Catalogue.keys.filter { isRead($0.name) }, Catalogue.keys.filter { !isRead($0.name) })
        text += table(used)
        text += "\n## Keys that are known and checked, but change nothing yet\n\nThey are declared for configurations that exist, and for what comes next.\n\n"
        text += table(idle)
        return text
    }

    private func table(_ keys: [any AnyConfigKey]) -> String {
        var text = "| key | type | default | meaning |\n|---|---|---|---|\n"
        for key in keys {
            let former = key.formerNames.isEmpty ? "" : " Formerly " + key.formerNames.map { "`\($0)`" }.joined(separator: ", ") + "."
            text += "| `\(key.name)` | \(key.typeName) | \(key.fallbackText.map { "`\($0)`" } ?? "none") | \(key.documentation)\(former) |\n"
        }
        return text
    }

    // MARK: Whether a source file reads the key

    /// The name of each key by the word under which Swift files know it, such as `RestOptions.port`.
    private let words: [String: String]
    /// Those that occur in a source file outside of the declarations.
    private let used: Set<String>

    init() {
        let folder = ConfigurationPage.top + "/Sources"
        var words: [String: String] = [:], used: Set<String> = []
        for file in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [] where file.hasSuffix(".swift") {
            let text = String(decoding: FileManager.default.contents(atPath: folder + "/" + file) ?? Data(), as: UTF8.self)
            guard file.hasPrefix("Settings/Options/") else {
                for word in text.utf8.split(whereSeparator: { !isPartOfName($0) }) where word.contains(UInt8(ascii: ".")) {
                    let parts = word.split(separator: UInt8(ascii: "."))
                    if parts.count >= 2 { used.insert("\(String(decoding: parts[0], as: UTF8.self)).\(String(decoding: parts[1], as: UTF8.self))") }
                }
                continue
            }
            var scope = ""
            for declaration in text.matches(of: #/enum (\w+Options)|static let (\w+) = ConfigKey[^"]*"([^"]+)"/#) {
                if let name = declaration.1 { scope = String(name) }
                if let word = declaration.2, let name = declaration.3 { words[String(name)] = "\(scope).\(word)" }
            }
        }
        (self.words, self.used) = (words, used)
    }

    private func isRead(_ name: String) -> Bool {
        if let word = words[name] { return used.contains(word) }
        // Those of TLS are made for two scopes.
        return used.contains(name.hasPrefix("security.ssl.rest.") ? "SecurityOptions.rest" : "SecurityOptions.internal")
    }
}

private func isPartOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
    default: false
    }
}
