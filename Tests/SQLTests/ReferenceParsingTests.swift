import SQL
import Testing

struct ReferenceParsing {
    @Test func theScriptsAreThere() {
        #expect(ReferenceScript.cases.count > 50)
        #expect(ReferenceScript.nexmark.count > 20)
    }

    /// What Flink parses, we parse, and what we print of it means the same.
    @Test(arguments: ReferenceScript.cases + ReferenceScript.nexmark)
    func whatFlinkParsesWeParse(script: ReferenceScript) throws {
        do {
            let text = try parse(script: script.script).map(\.description).joined(separator: ";\n")
            #expect(try parse(script: text).map(\.description).joined(separator: ";\n") == text)
            #expect(script.name != "144-error-syntax")
        } catch {
            let refused = ["144-error-syntax", "126-match-average", "128-match-quantifiers"]
            #expect(refused.contains(script.name), "\(error)")
        }
    }
}
