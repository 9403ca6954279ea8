import Dataflow
import Settings

/// How a stored script is to be run: from a request's checked body (`BodyFields.run`) and its query, of which the body has precedence, as in Flink.
package struct RunArguments: Sendable {
    /// Of the job, beside the cluster's.
    package private(set) var settings: [(String, JSON)]
    /// Nil: the job begins anew.
    package let savepointPath: String?
    package let allowNonRestoredState: Bool

    /// Refuses, in words, what is not known, what is of another type, and what a script cannot have.
    package init(body: JSON, query: [(name: String, value: String)]) throws(Refusal) {
        let known = ["parallelism", "savepointPath", "allowNonRestoredState", "jobid", "claimMode", "entry-class", "programArg", "program-args"]
        for (name, _) in query where !known.contains(name) {
            throw Refusal(.badRequest, "the query has \"\(name)\", which is not known; there are: \(known.prefix(5).joined(separator: ", "))")
        }
        /// An empty value is none.
        func asked(_ name: String) -> String? { query.first { $0.name == name && !$0.value.isEmpty }?.value }

        for name in ["entryClass", "programArgs"] where !(body[name].string ?? "").isEmpty { throw Self.hasNone(name) }
        if !body["programArgsList"].array.isEmpty { throw Self.hasNone("programArgsList") }
        for name in ["entry-class", "programArg", "program-args"] where asked(name) != nil { throw Self.hasNone(name) }
        if let mode = body["claimMode"].string ?? asked("claimMode"), mode != "NO_CLAIM" {
            throw Refusal(.badRequest, "claimMode \(mode): there is NO_CLAIM alone, a job never owns what it starts from")
        }

        settings = body["flinkConfiguration"].members
        var parallelism = body["parallelism"].integer
        if parallelism == nil, let text = asked("parallelism") {
            guard let number = Int64(text) else { throw Refusal(.badRequest, "parallelism in the query is '\(text)': a whole number is wanted") }
            parallelism = number
        }
        // Flink's clients write -1 where nothing is said.
        if let parallelism, parallelism != -1 {
            guard (1...32_767).contains(parallelism) else { throw Refusal(.badRequest, "parallelism \(parallelism): from 1 to 32767, or -1 for the configuration's") }
            settings.append((PipelineOptions.parallelism.name, .string("\(parallelism)")))
        }
        // Whoever asks again after an answer that was lost gets no second job.
        if let id = body["jobId"].string ?? asked("jobid") {
            guard JobID(id) != nil else { throw Refusal(.badRequest, "the job's id '\(id)' is not 32 hex digits") }
            settings.append((PipelineOptions.fixedJobID.name, .string(id)))
        }
        savepointPath = body["savepointPath"].string.flatMap { $0.isEmpty ? nil : $0 } ?? asked("savepointPath")
        switch (body["allowNonRestoredState"].bool, asked("allowNonRestoredState")?.lowercased()) {
        case (let flag?, _): allowNonRestoredState = flag
        case (nil, nil), (nil, "false"?): allowNonRestoredState = false
        case (nil, "true"?): allowNonRestoredState = true
        case (nil, let text?): throw Refusal(.badRequest, "allowNonRestoredState in the query is '\(text)': true or false is wanted")
        }
    }

    private static func hasNone(_ name: String) -> Refusal { Refusal(.badRequest, "\(name): a script has no classes and no arguments") }
}
