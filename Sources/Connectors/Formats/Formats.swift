import Columnar
import Dataflow

/// A table's text format, with its options read and checked.
enum Format: Sendable {
    case json(JSONOptions)
    case csv(CSVOptions)
    /// One column, each line as it is.
    case raw

    static let names = ["csv", "json", "raw"]

    init(_ options: Options) throws(StreamError) {
        switch try options.required("format") {
        case "json": self = .json(try Format.json(options))
        case "csv": self = .csv(try Format.csv(options))
        case "raw": self = .raw
        case let other: throw options.error("unknown format '\(other)'; there are \(Format.names.joined(separator: ", "))")
        }
    }

    /// Whether every newline ends a row, so that a file may be cut anywhere.
    var rowsAreLines: Bool {
        switch self {
        case .json: true
        case .csv(let options): options.rowsAreLines
        case .raw: true
        }
    }

    /// Reads the columns of `schema` from rows with these fields (formats without names need all of them, in order).
    func makeReader(_ schema: Schema, fileFields: [String]) -> any LineReader {
        switch self {
        case .json(let options): JSONReader(schema, options: options)
        case .csv(let options): CSVReader(schema, fileFields: fileFields, options: options)
        case .raw: RawReader(schema)
        }
    }

    /// Writes these columns of batches of `schema`.
    func makeWriter(_ schema: Schema, columns: [Int]) -> any RowWriter {
        switch self {
        case .json(let options): JSONWriter(schema, columns: columns, options: options)
        case .csv(let options): CSVWriter(schema, columns: columns, options: options)
        case .raw: RawWriter(column: columns.first ?? 0)
        }
    }

    /// Refuses columns that the format cannot hold. `keys`: columns that stand in paths.
    func check(_ schema: Schema, _ options: Options, without keys: Set<String>, tableColumns: [String] = []) throws(StreamError) {
        guard case .raw = self else { return }
        if let charset = options.string("raw.charset"), !["utf-8", "utf8"].contains(charset.lowercased()) {
            throw options.error("'raw.charset' is UTF-8, not '\(charset)'")
        }
        let names = (tableColumns.isEmpty ? schema.names : tableColumns).filter { !keys.contains($0) }
        guard names.count == 1 else { throw options.error("format 'raw' has one column, not \(names.count)") }
        for field in schema.fields where !keys.contains(field.name) && !field.type.kind.isCharacter && !field.type.kind.isBinary {
            throw options.error("format 'raw' has one column of a string or bytes type; '\(field.name)' is \(field.type.kind)")
        }
    }

    private static func json(_ options: Options) throws(StreamError) -> JSONOptions {
        var json = JSONOptions()
        json.failOnMissingField = try options.flag("json.fail-on-missing-field", default: false)
        json.ignoreParseErrors = try options.flag("json.ignore-parse-errors", default: false)
        json.plainDecimals = try options.flag("json.encode.decimal-as-plain-number", default: false)
        json.ignoreNullFields = try options.flag("json.encode.ignore-null-fields", default: false)
        if json.failOnMissingField, json.ignoreParseErrors {
            throw options.error("'json.fail-on-missing-field' and 'json.ignore-parse-errors' cannot both be true")
        }
        switch options.string("json.timestamp-format.standard")?.uppercased() {
        case nil, "SQL": json.timestamps = .sql
        case "ISO-8601": json.timestamps = .iso8601
        case let other?: throw options.error("'json.timestamp-format.standard' is 'SQL' or 'ISO-8601', not '\(other)'")
        }
        return json
    }

    private static func csv(_ options: Options) throws(StreamError) -> CSVOptions {
        var csv = CSVOptions()
        csv.delimiter = try options.character("csv.field-delimiter") ?? csv.delimiter
        let isDisabled = try options.flag("csv.disable-quote-character", default: false)
        let quote = try options.character("csv.quote-character")
        if isDisabled, quote != nil { throw options.error("'csv.quote-character' has no use when 'csv.disable-quote-character' is true") }
        csv.quote = isDisabled ? nil : quote ?? csv.quote
        csv.escape = try options.character("csv.escape-character")
        csv.nullLiteral = options.string("csv.null-literal").map { Array($0.utf8) }
        csv.ignoreParseErrors = try options.flag("csv.ignore-parse-errors", default: false)
        csv.allowComments = try options.flag("csv.allow-comments", default: false)
        csv.plainDecimals = try !options.flag("csv.write-bigdecimal-in-scientific-notation", default: true)
        return csv
    }
}
