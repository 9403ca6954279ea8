import Columnar

extension FunctionCatalogue {
    static let conditionals: [Function] = [
        Function("COALESCE", forms: "COALESCE(<COMMON>, <COMMON>*)") { types, _ in
            guard !types.isEmpty, let common = leastRestrictive(types) else { return nil }
            return (common.nullable(types.allSatisfy { $0.isNullable }), types.map { common.nullable($0.isNullable) })
        },
        Function("IFNULL", forms: "IFNULL(<COMMON>, <COMMON>)") { types, _ in
            guard types.count == 2, let common = leastRestrictive(types) else { return nil }
            return (common.nullable(types[0].isNullable && types[1].isNullable), types.map { common.nullable($0.isNullable) })
        },
        Function("NULLIF", forms: "NULLIF(<COMPARABLE_TYPE>, <COMPARABLE_TYPE>)") { types, _ in
            guard types.count == 2, let (a, b) = comparable(types[0], types[1]) else { return nil }
            // Numbers keep the first one's type; the second is brought to the wider of both only when that is the first's.
            return (a.nullable(true), [a, b])
        },
        Function("IF", forms: "IF(<BOOLEAN>, <COMMON>, <COMMON>)") { types, _ in
            guard types.count == 3, types[0].kind == .boolean || types[0].kind == .null, let common = leastRestrictive(Array(types[1...]))
            else { return nil }
            return (common, [DataType(.boolean, nullable: types[0].isNullable)] + types[1...].map { common.nullable($0.isNullable) })
        },
        extreme("GREATEST"), extreme("LEAST"),
    ]

    private static func extreme(_ name: String) -> Function {
        Function(name, forms: "\(name)(<COMPARABLE_TYPE>*)") { types, _ in
            guard !types.isEmpty, let common = leastRestrictive(types) else { return nil }
            return (common, types.map { common.nullable($0.isNullable) })
        }
    }
}
