/// What a request's JSON body may have: said once, for the check and for the description of the routes.
package struct BodyFields: Sendable {
    package enum Kind: Sendable {
        case text, flag, integer, word([String]), list
        /// Keys with texts, numbers or flags.
        case settings
    }

    package struct Field: Sendable {
        package var name: String
        package var kind: Kind
        package var isNeeded = false
        /// What the same is called in Flink's other requests; taken too.
        package var alias: String?
    }

    package let fields: [Field]

    /// By their names, absent ones left out: null is absent, as Flink's clients write it. Refuses, in words, a body that is no object, a name that is
    /// not known, a value of another type.
    package func checked(_ body: JSON) throws(Refusal) -> JSON {
        guard case .object(let members) = body else { throw Refusal(.badRequest, "the body is \(body.kindInWords), not an object: {\"name\": value}") }
        var checked: [(String, JSON)] = []
        for (name, value) in members {
            guard let field = fields.first(where: { $0.name == name || $0.alias == name }) else {
                throw Refusal(.badRequest, "the body has \"\(name)\", which is not known; there are: \(fields.map(\.name).joined(separator: ", "))")
            }
            if case .null = value { continue }
            if checked.contains(where: { $0.0 == field.name }) { throw Refusal(.badRequest, "the body has \"\(field.name)\" twice") }
            if let problem = field.kind.problem(with: value) { throw Refusal(.badRequest, "\"\(name)\" in the body is \(problem)") }
            checked.append((field.name, value))
        }
        for field in fields where field.isNeeded && !checked.contains(where: { $0.0 == field.name }) {
            throw Refusal(.badRequest, "the body has no \"\(field.name)\"")
        }
        return .object(checked)
    }

    /// For the description of the routes.
    var schema: JSON {
        let needed = fields.filter(\.isNeeded).map { JSON.string($0.name) }
        var schema: [(String, JSON)] = [("type", "object"), ("additionalProperties", false), ("properties", .object(fields.map { ($0.name, $0.kind.schema) }))]
        if !needed.isEmpty { schema.append(("required", .array(needed))) }
        return .object(schema)
    }
}

extension BodyFields.Kind {
    /// `5, a number: text is wanted`; nil when the value is one of these.
    fileprivate func problem(with value: JSON) -> String? {
        switch (self, value) {
        case (.text, .string), (.flag, .bool), (.list, .array): return nil
        case (.integer, _) where value.integer != nil: return nil
        case (.word(let words), .string(let word)) where words.contains(word): return nil
        case (.settings, .object(let members)):
            for (key, value) in members {
                switch value {
                case .string, .bool, .integer, .number: continue
                case .null, .array, .object, .written: return "an object, and \"\(key)\" in it is \(value.kindInWords): text is wanted"
                }
            }
            return nil
        default: return "\(value.kindInWords): \(wanted) is wanted"
        }
    }

    private var wanted: String {
        switch self {
        case .text: "text"
        case .flag: "true or false"
        case .integer: "a whole number"
        case .word(let words): words.joined(separator: " or ")
        case .list: "a list"
        case .settings: "an object {key: text}"
        }
    }

    fileprivate var schema: JSON {
        switch self {
        case .text: ["type": "string"]
        case .flag: ["type": "boolean"]
        case .integer: ["type": "integer"]
        case .word(let words): ["type": "string", "enum": .array(words.map { .string($0) })]
        case .list: ["type": "array", "items": [:]]
        case .settings: ["type": "object", "additionalProperties": ["type": "string"]]
        }
    }
}

extension JSON {
    /// For people: `the number 5`, `a list`.
    fileprivate var kindInWords: String {
        switch self {
        case .null: "null"
        case .bool: "\(text)"
        case .integer, .number: "the number \(text)"
        case .string(let text): "the text \"\(text.prefix(40))\""
        case .array: "a list"
        case .object, .written: "an object"
        }
    }
}

// MARK: The bodies that there are; where Flink spells a field in two ways, both are taken

extension BodyFields {
    package static let submission = BodyFields(fields: [
        Field(name: "sql", kind: .text, isNeeded: true), Field(name: "configuration", kind: .settings), Field(name: "savepointPath", kind: .text),
        Field(name: "allowNonRestoredState", kind: .flag),
    ])
    package static let script = BodyFields(fields: [Field(name: "sql", kind: .text, isNeeded: true)])
    /// Also what Flink's clients write for their jars.
    package static let run = BodyFields(fields: [
        Field(name: "parallelism", kind: .integer), Field(name: "savepointPath", kind: .text), Field(name: "allowNonRestoredState", kind: .flag),
        Field(name: "flinkConfiguration", kind: .settings), Field(name: "entryClass", kind: .text), Field(name: "programArgs", kind: .text),
        Field(name: "programArgsList", kind: .list), Field(name: "jobId", kind: .text), Field(name: "claimMode", kind: .text, alias: "restoreMode"),
    ])
    package static let savepoint = BodyFields(fields: [
        Field(name: "target-directory", kind: .text, alias: "targetDirectory"), Field(name: "cancel-job", kind: .flag, alias: "cancelJob"),
        Field(name: "formatType", kind: .word(["CANONICAL", "NATIVE"])), trigger,
    ])
    package static let stop = BodyFields(fields: [
        Field(name: "targetDirectory", kind: .text, alias: "target-directory"), Field(name: "drain", kind: .flag),
        Field(name: "formatType", kind: .word(["CANONICAL", "NATIVE"])), trigger,
    ])
    package static let checkpoint = BodyFields(fields: [Field(name: "checkpointType", kind: .word(["CONFIGURED", "FULL", "INCREMENTAL"])), trigger])
    package static let drain = BodyFields(fields: [Field(name: "reason", kind: .text), Field(name: "timeout", kind: .integer), Field(name: "end", kind: .flag)])

    private static let trigger = Field(name: "triggerId", kind: .text, alias: "trigger-id")
}
