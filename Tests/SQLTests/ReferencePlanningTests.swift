import Columnar
import SQL
import Testing

/// Flink's own results are the measure: what we plan has its columns and types, what it refuses we refuse, and what we cannot do
/// is refused with a place in the script.
struct ReferencePlanning {
    /// Cases that can be planned; the list only grows.
    private static let planned: Set<String> = [
        "002-case-expressions", "004-try-cast-times-strings", "008-string-functions-2", "010-like-similar", "012-datetime-extract",
        "014-timestamp-arithmetic", "016-time-zones-session-berlin", "018-math-1", "020-decimal-precision", "022-three-valued-logic",
        "024-integer-overflow", "028-tumble-tvf", "030-hop-tvf", "038-window-cascade", "040-legacy-tumble-hop", "042-legacy-hop", "046-rowtime-ltz", "098-union-distinct", "106-metadata-columns", "112-having",
        "114-values", "118-global-aggregate", "120-aggregate-of-aggregate", "122-statement-set", "124-insert-partial-columns", "134-json-options",
        "136-partitioned-directory", "148-error-division-by-zero", "154-error-decimal-overflow-not-null", "162-group-by-changing-key",
    ]

    @Test(arguments: ReferenceScript.cases)
    func columnsAndTypesAreFlinks(script: ReferenceScript) {
        do {
            let compiled = try compile(script: script.script)
            #expect(script.error == nil || script.error?.hasPrefix("stage: run time") == true)
            #expect(Self.planned.contains(script.name))
            guard let expected = ReferenceScript.read("cases/\(script.name)/expected_schema.tsv"), let output = compiled.jobs.last?.output else { return }
            let rows = expected.split(separator: "\n").map(String.init)
            let shown = output.fields.map { "\($0.name)\t\($0.type)" }
            #expect(shown == rows.map { row in
                guard let zone = row.range(of: " WITH LOCAL TIME ZONE") else { return row }
                return row.replacing("TIMESTAMP(", with: "TIMESTAMP_LTZ(").replacing(row[zone], with: "")
            })
        } catch {
            #expect(!Self.planned.contains(script.name), "\(error)")
            #expect(error.line > 0 && error.column > 0)
        }
    }
}

extension String {
    fileprivate func range(of words: String) -> Range<Index>? {
        indices.first { self[$0...].hasPrefix(words) }.map { $0..<index($0, offsetBy: words.count) }
    }
}
