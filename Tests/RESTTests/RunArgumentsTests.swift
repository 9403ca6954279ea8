import REST
import Testing

/// How a stored script is run: nothing that is asked for is dropped without a word.
struct RunArgumentsTests {
    private func run(_ body: JSON = [:], _ query: KeyValuePairs<String, String> = [:]) throws(Refusal) -> RunArguments {
        try RunArguments(body: try BodyFields.run.checked(body), query: query.map { (name: $0.key, value: $0.value) })
    }

    private func refusal(_ body: JSON = [:], _ query: KeyValuePairs<String, String> = [:]) -> String? {
        do throws(Refusal) { _ = try run(body, query) } catch { return error.status == .badRequest ? error.words : "\(error.status)" }
        return nil
    }

    private let id = "0123456789abcdef0123456789abcdef"

    @Test func theQuerySaysWhatTheBodyMaySay() throws {
        let asked = try run([:], ["parallelism": "3", "savepointPath": "/s", "allowNonRestoredState": "true", "jobid": id])
        #expect(asked.settings.map(\.0) == ["parallelism.default", "$internal.pipeline.job-id"] && asked.settings.map(\.1) == ["3", .string(id)])
        #expect(asked.savepointPath == "/s" && asked.allowNonRestoredState)
    }

    @Test func theBodyHasPrecedence() throws {
        let asked = try run(
            ["parallelism": 2, "savepointPath": "/b", "allowNonRestoredState": false, "flinkConfiguration": ["a": "1"]],
            ["parallelism": "3", "savepointPath": "/s", "allowNonRestoredState": "true"])
        #expect(asked.settings.map(\.0) == ["a", "parallelism.default"] && asked.settings.map(\.1) == ["1", "2"])
        #expect(asked.savepointPath == "/b" && !asked.allowNonRestoredState)
    }

    @Test func whatIsNotSaidIsLeftAsItIs() throws {
        #expect(try run(["savepointPath": ""], ["savepointPath": "/s"]).savepointPath == "/s")
        for asked in [try run(), try run(["parallelism": -1, "savepointPath": "", "entryClass": "", "programArgsList": []], ["entry-class": "", "parallelism": ""])] {
            #expect(asked.settings.isEmpty && asked.savepointPath == nil && !asked.allowNonRestoredState)
        }
    }

    @Test func whatAScriptCannotHaveIsRefused() {
        for query: KeyValuePairs in [["entry-class": "Main"], ["program-args": "--x 1"], ["programArg": "x"]] {
            #expect(refusal([:], query) == "\(query[0].key): a script has no classes and no arguments")
        }
        for body: JSON in [["entryClass": "Main"], ["programArgs": "x"], ["programArgsList": ["x"]]] { #expect(refusal(body)?.hasSuffix("no arguments") == true, "\(body.text)") }
        #expect(refusal(["claimMode": "NO_CLAIM"]) == nil && refusal(["restoreMode": "NO_CLAIM"]) == nil)
        for body: JSON in [["claimMode": "CLAIM"], ["restoreMode": "LEGACY"]] { #expect(refusal(body)?.contains("NO_CLAIM alone") == true, "\(body.text)") }
    }

    @Test func whatIsNotUnderstoodIsRefused() {
        #expect(refusal([:], ["paralellism": "2"])
            == "the query has \"paralellism\", which is not known; there are: parallelism, savepointPath, allowNonRestoredState, jobid, claimMode")
        for query: KeyValuePairs in [["parallelism": "two"], ["parallelism": "0"], ["parallelism": "-2"], ["parallelism": "40000"], ["allowNonRestoredState": "yes"], ["jobid": "7"]] {
            #expect(refusal([:], query) != nil, "\(query)")
        }
        #expect(refusal(["parallelism": 0]) != nil && refusal(["jobId": "x"]) != nil)
    }
}
