import Columnar

extension FunctionCatalogue {
    static let operators: [Function] = {
        var all: [Function] = []
        for sign in ["+", "-", "*", "/", "%"] { all.append(arithmetic(sign)) }
        for sign in ["=", "<>", "<", "<=", ">", ">="] { all.append(comparison(sign, null: true)) }
        for sign in ["IS DISTINCT FROM", "IS NOT DISTINCT FROM"] { all.append(comparison(sign, null: false)) }
        for word in ["AND", "OR"] { all.append(Function(word, [.boolean, .boolean], repeating: .boolean, .kind(.boolean))) }
        all.append(Function("NOT", [.boolean], .kind(.boolean)))
        for test in ["IS NULL", "IS NOT NULL"] { all.append(Function(test, [.any], .kind(.boolean), null: .never)) }
        for test in ["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE"] {
            all.append(Function(test, [.boolean], .kind(.boolean), null: .never))
        }
        for word in ["LIKE", "NOT LIKE", "SIMILAR TO", "NOT SIMILAR TO"] {
            all.append(Function(word, [.string, .string, .string], optional: 1, .kind(.boolean)))
        }
        all += [inList("IN"), inList("NOT IN"), between("BETWEEN"), between("NOT BETWEEN"), concatenation, modulo]
        return all
    }()

    private static let modulo = Function("MOD", forms: "MOD(<EXACT_NUMERIC>, <EXACT_NUMERIC>)") { types, _ in
        types.count == 2 ? arithmetic("%", types) : nil
    }

    private static func arithmetic(_ sign: String) -> Function {
        let forms = sign == "-" ? "'-<NUMERIC>', '<NUMERIC> - <NUMERIC>', '<DATETIME> - <INTERVAL>'" : "<NUMERIC> \(sign) <NUMERIC>"
        return Function(sign, forms: forms) { types, _ in
            if types.count == 1, sign == "-" {
                guard types[0].kind.isNumeric || types[0].kind.isInterval else { return nil }
                return (types[0], types)
            }
            return types.count == 2 ? temporal(sign, types) ?? arithmetic(sign, types) : nil
        }
    }

    private static func arithmetic(_ sign: String, _ types: [DataType]) -> (result: DataType, arguments: [DataType])? {
        // A bare NULL takes the other side's type.
        let a = types[0].kind == .null ? types[1].kind : types[0].kind, b = types[1].kind == .null ? types[0].kind : types[1].kind
        guard let result = a == .null ? .integer : TypeKind.arithmetic(sign, a, b) else { return nil }
        let operand: (TypeKind) -> TypeKind = { kind in
            guard result.isDecimal else { return TypeKind.common(a, b) ?? result }
            guard let digits = kind.digits else { return .double }
            return .decimal(precision: digits.precision, scale: digits.scale)
        }
        let arguments = [DataType(operand(a), nullable: types[0].isNullable), DataType(operand(b), nullable: types[1].isNullable)]
        return (DataType(result, nullable: types.contains { $0.isNullable }), arguments)
    }

    /// Points in time and intervals; nil when it is not about them.
    private static func temporal(_ sign: String, _ types: [DataType]) -> (result: DataType, arguments: [DataType])? {
        let nullable = types.contains { $0.isNullable }
        func result(_ kind: TypeKind, _ arguments: [DataType]? = nil) -> (result: DataType, arguments: [DataType]) {
            (DataType(kind, nullable: nullable), arguments ?? types)
        }
        let (a, b) = (types[0].kind, types[1].kind)
        switch (sign, a.family, b.family) {
        case ("+", .timestamp, .interval), ("-", .timestamp, .interval), ("+", .date, .interval), ("-", .date, .interval): return result(a)
        case ("+", .time, .interval), ("-", .time, .interval): return b == .intervalDayTime ? result(a) : nil
        case ("+", .interval, .timestamp), ("+", .interval, .date): return result(b)
        case ("+", .interval, .time): return a == .intervalDayTime ? result(b) : nil
        case ("+", .interval, .interval), ("-", .interval, .interval): return a == b ? result(a) : nil
        case ("-", .timestamp, .timestamp), ("-", .timestamp, .date), ("-", .date, .timestamp), ("-", .date, .date):
            guard let common = TypeKind.common(a, b) else { return nil }
            let point = common == .date ? .timestamp(3) : common
            return result(.intervalDayTime, types.map { DataType(point, nullable: $0.isNullable) })
        case ("*", .interval, .number), ("/", .interval, .number):
            return result(a, [types[0], DataType(b.isInteger ? .bigint : .double, nullable: types[1].isNullable)])
        case ("*", .number, .interval):
            return result(b, [DataType(a.isInteger ? .bigint : .double, nullable: types[0].isNullable), types[1]])
        default: return nil
        }
    }

    private static func comparison(_ sign: String, null: Bool) -> Function {
        Function(sign, forms: "<COMPARABLE_TYPE> \(sign) <COMPARABLE_TYPE>") { types, _ in
            guard types.count == 2, let (a, b) = comparable(types[0], types[1]) else { return nil }
            return (DataType(.boolean, nullable: null && types.contains { $0.isNullable }), [a, b])
        }
    }

    /// The first argument and every further one are cast to one type.
    private static func inList(_ name: String) -> Function {
        Function(name, forms: "<COMPARABLE_TYPE> \(name) (<COMPARABLE_TYPE>*)") { types, _ in
            guard let first = types.first, types.count > 1 else { return nil }
            var kind = first.kind
            for type in types.dropFirst() {
                guard let (_, wider) = comparable(DataType(kind), type) else { return nil }
                kind = kind.isCharacter && type.kind.isCharacter ? kind : wider.kind
            }
            let arguments = types.map { $0.kind.isCharacter && kind.isCharacter ? $0 : DataType(kind, nullable: $0.isNullable) }
            return (DataType(.boolean, nullable: types.contains { $0.isNullable }), arguments)
        }
    }

    private static func between(_ name: String) -> Function {
        Function(name, forms: "<COMPARABLE_TYPE> \(name) <COMPARABLE_TYPE> AND <COMPARABLE_TYPE>") { types, _ in
            guard types.count == 3, let (value, _) = comparable(types[0], types[1]), let (wider, _) = comparable(value, types[2])
            else { return nil }
            let arguments = types.map { wider.kind.isCharacter && $0.kind.isCharacter ? $0 : DataType(wider.kind, nullable: $0.isNullable) }
            return (DataType(.boolean, nullable: types.contains { $0.isNullable }), arguments)
        }
    }

    private static let concatenation = Function("||", forms: "<STRING> || <STRING>") { types, _ in
        guard types.count == 2 else { return nil }
        let bytes = types.contains { $0.kind.isBinary }
        guard types.allSatisfy({ $0.kind == .null || $0.kind.isBinary == bytes }) else { return nil }
        let arguments = types.map { $0.kind.length != nil ? $0 : DataType(bytes ? .bytes : .string, nullable: $0.isNullable) }
        let sum = min(arguments.reduce(0) { $0 + ($1.kind.length ?? 0) }, Int(Int32.max))
        let fixed = arguments.allSatisfy { if case .char = $0.kind { true } else if case .binary = $0.kind { true } else { false } }
        let kind: TypeKind = bytes ? (fixed ? .binary(sum) : .varbinary(sum)) : (fixed ? .char(sum) : .varchar(sum))
        return (DataType(kind, nullable: types.contains { $0.isNullable }), arguments)
    }
}
