import Columnar

/// One row of the catalogue: a name, what it takes, what it gives.
struct Function: Sendable {
    /// What an argument may be, and what it is cast to.
    enum Parameter: Sendable {
        case any
        case boolean
        /// Any number, as it is.
        case numeric
        /// Any whole number or decimal, cast to INT.
        case integer
        /// The same, cast to BIGINT.
        case bigint
        /// Any number, cast to DOUBLE.
        case double
        /// Text; other atomic values are cast to STRING.
        case string
        /// Text or bytes, as they are.
        case stringOrBytes
        /// DATE, TIMESTAMP or TIMESTAMP_LTZ, as it is; text is cast to TIMESTAMP(3).
        case point
        /// The same or TIME.
        case datetime

        var family: String {
            switch self {
            case .any: "ANY"
            case .boolean: "BOOLEAN"
            case .numeric, .double: "NUMERIC"
            case .integer, .bigint: "INTEGER"
            case .string: "CHARACTER"
            case .stringOrBytes: "STRING"
            case .point: "TIMESTAMP"
            case .datetime: "DATETIME"
            }
        }
    }

    /// The type of the result before nullability.
    enum Result: Sendable {
        case kind(TypeKind)
        case argument(Int)
        /// The argument as a VARCHAR of its length.
        case varying(Int)
    }

    /// When the result may be NULL.
    enum Nullability: Sendable {
        case ifAnyArgument, always, never
    }

    /// Types in, casts and result out; nil when the types do not fit.
    typealias Rule = @Sendable ([DataType], [Value?]) -> (result: DataType, arguments: [DataType])?

    let name: String
    /// As Flink names the forms in its errors: `ABS(<NUMERIC>)`.
    let forms: String
    let isDeterministic: Bool
    private let rule: Rule

    init(_ name: String, forms: String, isDeterministic: Bool = true, rule: @escaping Rule) {
        self.name = name
        self.forms = forms
        self.isDeterministic = isDeterministic
        self.rule = rule
    }

    /// A function with fixed parameters; `optional` says how many of the last may be missing, `repeating` what more may follow.
    init(
        _ name: String, _ parameters: [Parameter], optional: Int = 0, repeating: Parameter? = nil, _ result: Result,
        null: Nullability = .ifAnyArgument, isDeterministic: Bool = true
    ) {
        let words = parameters.map { "<\($0.family)>" } + (repeating.map { ["<\($0.family)>*"] } ?? [])
        self.init(name, forms: "\(name)(\(words.joined(separator: ", ")))", isDeterministic: isDeterministic) { types, _ in
            guard types.count >= parameters.count - optional, repeating != nil || types.count <= parameters.count else { return nil }
            var arguments: [DataType] = []
            for (index, type) in types.enumerated() {
                let parameter = index < parameters.count ? parameters[index] : repeating ?? .any
                guard let cast = parameter.cast(type) else { return nil }
                arguments.append(cast)
            }
            let nullable = switch null {
            case .ifAnyArgument: arguments.contains { $0.isNullable }
            case .always: true
            case .never: false
            }
            return (DataType(result.kind(arguments), nullable: nullable), arguments)
        }
    }

    func resolve(_ types: [DataType], literals: [Value?]) throws(FunctionError) -> Resolution {
        guard let (result, arguments) = rule(types, literals) else {
            let given = types.map { "<\($0.kind)>" }.joined(separator: ", ")
            throw .wrongArguments("Cannot apply '\(name)' to arguments of type '\(name)(\(given))'. Supported form(s): '\(forms)'")
        }
        return Resolution(name: name, result: result, arguments: arguments, isDeterministic: isDeterministic)
    }
}

extension Function.Parameter {
    /// What an argument of this type is cast to; nil when it does not fit.
    func cast(_ type: DataType) -> DataType? {
        let kind = type.kind
        func to(_ kind: TypeKind) -> DataType { DataType(kind, nullable: type.isNullable) }
        switch self {
        case .any: return type
        case .boolean: return kind == .boolean || kind == .null ? to(.boolean) : nil
        case .numeric: return kind.isNumeric ? type : kind == .null ? to(.integer) : nil
        case .integer: return kind.isExact || kind == .null ? to(.integer) : nil
        case .bigint: return kind.isExact || kind == .null ? to(.bigint) : nil
        case .double: return kind.isNumeric || kind == .null ? to(.double) : nil
        case .string: return kind.isCharacter ? type : kind.isBinary ? nil : to(.string)
        case .stringOrBytes: return kind.isCharacter || kind.isBinary ? type : to(.string)
        case .point: return kind == .date || kind.isTimestamp ? type : kind.isCharacter || kind == .null ? to(.timestamp(3)) : nil
        case .datetime:
            if case .time = kind { return type }
            return Function.Parameter.point.cast(type)
        }
    }
}

extension Function.Result {
    func kind(_ arguments: [DataType]) -> TypeKind {
        switch self {
        case .kind(let kind): return kind
        case .argument(let index): return arguments[index].kind
        case .varying(let index):
            switch arguments[index].kind {
            case .char(let length), .varchar(let length): return .varchar(length)
            case .binary(let length), .varbinary(let length): return .varbinary(length)
            default: return .string
            }
        }
    }
}
