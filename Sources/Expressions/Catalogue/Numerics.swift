import Columnar

extension FunctionCatalogue {
    static let numerics: [Function] =
        [
            "SQRT", "LN", "LOG10", "LOG2", "EXP", "SIN", "COS", "TAN", "COT", "ASIN", "ACOS", "ATAN", "SINH", "COSH", "TANH", "DEGREES",
            "RADIANS", "CBRT",
        ].map { Function($0, [.double], .kind(.double)) }
        + [
            Function("ABS", [.numeric], .argument(0)),
            Function("SIGN", [.numeric], .argument(0)),
            Function("POWER", [.double, .double], .kind(.double)),
            Function("ATAN2", [.double, .double], .kind(.double)),
            Function("LOG", [.double, .double], optional: 1, .kind(.double)),
            Function("PI", [], .kind(.double)),
            Function("E", [], .kind(.double)),
            Function("RAND", [.integer], optional: 1, .kind(.double), null: .never, isDeterministic: false),
            Function("RAND_INTEGER", [.integer, .integer], optional: 1, .kind(.integer), isDeterministic: false),
            Function("BIN", [.bigint], .kind(.string)),
            Function("HEX", forms: "HEX(<INTEGER>), HEX(<STRING>)") { types, _ in
                guard types.count == 1, let cast = (types[0].kind.isExact ? Function.Parameter.bigint : .string).cast(types[0])
                else { return nil }
                return (DataType(.string, nullable: types[0].isNullable), [cast])
            },
            rounded("FLOOR"), rounded("CEIL"), digits("ROUND"), digits("TRUNCATE"),
        ]

    /// FLOOR and CEIL of a number, or of a point in time to a unit.
    private static func rounded(_ name: String) -> Function {
        Function(name, forms: "\(name)(<NUMERIC>), \(name)(<DATETIME> TO <TIME_UNIT>)") { types, literals in
            if types.count == 2 {
                guard let point = Function.Parameter.datetime.cast(types[0]), types[1].kind.isCharacter else { return nil }
                return (point, [point, types[1]])
            }
            guard types.count == 1, let number = Function.Parameter.numeric.cast(types[0]) else { return nil }
            guard case .decimal(let precision, let scale) = number.kind, scale > 0 else { return (number, [number]) }
            return (DataType(.decimal(precision: precision, scale: 0), nullable: number.isNullable), [number])
        }
    }

    /// ROUND and TRUNCATE: a decimal's type shrinks with the number of decimals when that is a literal.
    private static func digits(_ name: String) -> Function {
        Function(name, forms: "\(name)(<NUMERIC>, <INTEGER>)") { types, literals in
            guard types.count == 1 || types.count == 2, let number = Function.Parameter.numeric.cast(types[0]) else { return nil }
            var arguments = [number]
            if types.count == 2 {
                guard let places = Function.Parameter.integer.cast(types[1]) else { return nil }
                arguments.append(places)
            }
            let nullable = arguments.contains { $0.isNullable }
            guard case .decimal(let precision, let scale) = number.kind else { return (number.nullable(nullable), arguments) }
            var places = 0
            if types.count == 2 {
                guard case .integer(let written)? = literals[1] else { return (number.nullable(nullable), arguments) }
                places = Int(written)
            }
            guard places < scale else { return (number.nullable(nullable), arguments) }
            // Rounding up may need one digit more: 9.99 to 10.
            let whole = precision - scale + 1
            let kind: TypeKind = places < 0
                ? .decimal(precision: min(38, whole), scale: 0) : .decimal(precision: min(38, whole + places), scale: places)
            return (DataType(kind, nullable: nullable), arguments)
        }
    }
}
