import Columnar

extension FunctionCatalogue {
    static let times: [Function] =
        ["YEAR", "QUARTER", "MONTH", "WEEK", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR"].map { Function($0, [.point], .kind(.bigint)) }
        + ["HOUR", "MINUTE", "SECOND"].map { Function($0, [.datetime], .kind(.bigint)) }
        + [
            Function("EXTRACT", forms: "EXTRACT(<TIME_UNIT> FROM <DATETIME>)") { types, _ in
                guard types.count == 2, types[0].kind.isCharacter else { return nil }
                let value = types[1].kind.isInterval ? types[1] : Function.Parameter.datetime.cast(types[1])
                guard let value else { return nil }
                return (DataType(.bigint, nullable: value.isNullable), [types[0], value])
            },
            Function("TIMESTAMPADD", forms: "TIMESTAMPADD(<TIME_UNIT>, <INTEGER>, <DATETIME>)") { types, literals in
                guard types.count == 3, types[0].kind.isCharacter, let count = Function.Parameter.bigint.cast(types[1]),
                    let point = Function.Parameter.datetime.cast(types[2])
                else { return nil }
                let nullable = count.isNullable || point.isNullable
                // A date plus hours has hours.
                guard point.kind == .date, case .bytes(let unit)? = literals[0],
                    ["HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND"].contains(String(decoding: unit, as: UTF8.self).uppercased())
                else { return (point.nullable(nullable), [types[0], count, point]) }
                return (DataType(.timestamp(3), nullable: nullable), [types[0], count, DataType(.timestamp(3), nullable: point.isNullable)])
            },
            Function("TIMESTAMPDIFF", forms: "TIMESTAMPDIFF(<TIME_UNIT>, <DATETIME>, <DATETIME>)") { types, _ in
                guard types.count == 3, types[0].kind.isCharacter, let from = Function.Parameter.point.cast(types[1]),
                    let to = Function.Parameter.point.cast(types[2]), let common = TypeKind.common(from.kind, to.kind)
                else { return nil }
                let point = common == .date ? .timestamp(3) : common
                return (
                    DataType(.integer, nullable: from.isNullable || to.isNullable),
                    [types[0], DataType(point, nullable: from.isNullable), DataType(point, nullable: to.isNullable)])
            },
            Function("DATE_FORMAT", [.point, .string], .kind(.string), null: .always),
            Function("TO_DATE", [.string, .string], optional: 1, .kind(.date), null: .always),
            Function("TO_TIMESTAMP", [.string, .string], optional: 1, .kind(.timestamp(3)), null: .always),
            Function("TO_TIMESTAMP_LTZ", forms: "TO_TIMESTAMP_LTZ(<NUMERIC>, <INTEGER>), TO_TIMESTAMP_LTZ(<STRING>[, <STRING>[, <STRING>]])") {
                types, _ in
                guard let first = types.first, types.count <= 3 else { return nil }
                let result = DataType(.timestampLTZ(3))
                if first.kind.isNumeric || first.kind == .null {
                    guard types.count <= 2 else { return nil }
                    let number = DataType(first.kind.isExact || first.kind == .null ? .bigint : .double, nullable: first.isNullable)
                    guard types.count == 2 else { return (result, [number]) }
                    guard let precision = Function.Parameter.integer.cast(types[1]) else { return nil }
                    return (result, [number, precision])
                }
                guard types.allSatisfy(\.kind.isCharacter) else { return nil }
                return (result, types)
            },
            Function("FROM_UNIXTIME", [.bigint, .string], optional: 1, .kind(.string), null: .always),
            Function("UNIX_TIMESTAMP", [.string, .string], optional: 2, .kind(.bigint)),
            Function("CONVERT_TZ", [.string, .string, .string], .kind(.string), null: .always),
            Function("CURRENT_TIMESTAMP", [], .kind(.timestampLTZ(3)), isDeterministic: false),
            Function("NOW", [], .kind(.timestampLTZ(3)), isDeterministic: false),
            Function("CURRENT_ROW_TIMESTAMP", [], .kind(.timestampLTZ(3)), isDeterministic: false),
            Function("PROCTIME", [], .kind(.timestampLTZ(3)), isDeterministic: false),
            Function("LOCALTIMESTAMP", [], .kind(.timestamp(3)), isDeterministic: false),
            Function("CURRENT_DATE", [], .kind(.date), isDeterministic: false),
            Function("CURRENT_TIME", [], .kind(.time(0)), isDeterministic: false),
            Function("LOCALTIME", [], .kind(.time(0)), isDeterministic: false),
        ]
}
