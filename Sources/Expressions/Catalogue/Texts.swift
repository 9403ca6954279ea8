import Columnar

extension FunctionCatalogue {
    static let texts: [Function] = [
        Function("UPPER", [.string], .argument(0)),
        Function("LOWER", [.string], .argument(0)),
        Function("INITCAP", [.string], .argument(0)),
        Function("CHAR_LENGTH", [.string], .kind(.integer)),
        Function("OCTET_LENGTH", [.stringOrBytes], .kind(.integer)),
        Function("POSITION", [.string, .string, .integer], optional: 1, .kind(.integer)),
        Function("TRIM", forms: "TRIM([BOTH|LEADING|TRAILING] <STRING> FROM <STRING>)") { types, _ in
            // One argument trims spaces at both ends; with three, the first is BOTH, LEADING or TRAILING.
            guard types.count == 1 || types.count == 3 else { return nil }
            let arguments = types.compactMap { Function.Parameter.string.cast($0) }
            guard arguments.count == types.count, let text = arguments.last else { return nil }
            return (DataType(.varchar(text.kind.length ?? 0), nullable: arguments.contains { $0.isNullable }), arguments)
        },
        Function("LTRIM", [.string, .string], optional: 1, .varying(0)),
        Function("RTRIM", [.string, .string], optional: 1, .varying(0)),
        Function("BTRIM", [.string, .string], optional: 1, .varying(0)),
        Function("SUBSTRING", [.string, .integer, .integer], optional: 1, .varying(0), null: .always),
        Function("LEFT", [.string, .integer], .varying(0), null: .always),
        Function("RIGHT", [.string, .integer], .varying(0), null: .always),
        Function("CONCAT", [.string], repeating: .string, .kind(.string)),
        Function("CONCAT_WS", forms: "CONCAT_WS(<STRING>, <STRING>*)") { types, _ in
            let arguments = types.compactMap { Function.Parameter.string.cast($0) }
            guard arguments.count == types.count, let separator = arguments.first else { return nil }
            return (DataType(.string, nullable: separator.isNullable), arguments)
        },
        Function("LPAD", [.string, .integer, .string], .kind(.string), null: .always),
        Function("RPAD", [.string, .integer, .string], .kind(.string), null: .always),
        Function("REPEAT", [.string, .integer], .kind(.string)),
        Function("REPLACE", [.string, .string, .string], .kind(.string)),
        Function("TRANSLATE", [.string, .string, .string], .kind(.string)),
        Function("REVERSE", [.string], .kind(.string), null: .always),
        Function("OVERLAY", [.string, .string, .integer, .integer], optional: 1, .kind(.string)),
        Function("LOCATE", [.string, .string, .integer], optional: 1, .kind(.integer)),
        Function("INSTR", [.string, .string], .kind(.integer)),
        Function("STARTSWITH", [.string, .string], .kind(.boolean)),
        Function("ENDSWITH", [.string, .string], .kind(.boolean)),
        Function("ASCII", [.string], .kind(.integer)),
        Function("CHR", [.bigint], .kind(.string), null: .always),
        Function("SPLIT_INDEX", forms: "SPLIT_INDEX(<STRING>, <STRING>, <INTEGER>), SPLIT_INDEX(<STRING>, <INTEGER>, <INTEGER>)") { types, _ in
            guard types.count == 3, let text = Function.Parameter.string.cast(types[0]),
                let separator = (types[1].kind.isExact ? Function.Parameter.integer : .string).cast(types[1]),
                let index = Function.Parameter.integer.cast(types[2])
            else { return nil }
            return (DataType(.string), [text, separator, index])
        },
        Function("REGEXP", [.string, .string], .kind(.boolean)),
        Function("REGEXP_REPLACE", [.string, .string, .string], .kind(.string), null: .always),
        Function("REGEXP_EXTRACT", [.string, .string, .integer], optional: 1, .kind(.string), null: .always),
        Function("MD5", [.stringOrBytes], .kind(.char(32))),
        Function("SHA1", [.stringOrBytes], .kind(.char(40))),
        Function("SHA256", [.stringOrBytes], .kind(.char(64))),
        Function("TO_BASE64", [.stringOrBytes], .kind(.string)),
        Function("FROM_BASE64", [.string], .kind(.string), null: .always),
        Function("IS_DIGIT", [.string], .kind(.boolean), null: .never),
        Function("IS_ALPHA", [.string], .kind(.boolean), null: .never),
        Function("IS_DECIMAL", [.string], .kind(.boolean), null: .never),
        Function("COUNT_CHAR", [.string, .string], .kind(.bigint)),
        Function("UUID", [], .kind(.char(36)), null: .never, isDeterministic: false),
    ]
}
