import ArgumentParser
import Columnar
import Connectors
import Dataflow
import Expressions
import Glibc
import Synchronization

enum ResultFormat: String, ExpressibleByArgument, CaseIterable {
    case table, csv, json, changelog
}

/// Takes the rows of a bare SELECT from the sink's thread and prints them as they come.
final class ResultCollector: Sendable {
    private let printer = Mutex<ResultPrinter?>(nil)

    /// `zone`: the session's, on whose clock TIMESTAMP_LTZ is shown.
    func begin(_ schema: Schema, format: ResultFormat, isUpdating: Bool, zone: ZoneRules) {
        printer.withLock { $0 = ResultPrinter(schema: schema, format: format, isUpdating: isUpdating, zone: zone) }
    }

    /// The job runs: the head of the table is shown even when no row has come.
    func open() { printer.withLock { $0?.open() } }

    func take(_ batch: Batch) { printer.withLock { $0?.print(batch) } }

    /// `isWhole`: no row is missing, so the count may be told.
    func end(isWhole: Bool) {
        printer.withLock { printer in
            printer?.end(isWhole: isWhole)
            printer = nil
        }
    }
}

/// Rows as text. `table` is Flink's tableau look: columns as wide as their types want, so that rows can be shown at once.
private struct ResultPrinter {
    private let schema: Schema
    private let format: ResultFormat
    private let isUpdating: Bool
    private let zone: ZoneRules
    private let widths: [Int]
    private var count = 0
    private var isOpen = false

    init(schema: Schema, format: ResultFormat, isUpdating: Bool, zone: ZoneRules) {
        self.zone = zone
        self.schema = schema
        self.format = format
        self.isUpdating = isUpdating
        widths = schema.fields.map { max($0.name.count, ResultPrinter.width(of: $0.type.kind)) }
    }

    mutating func open() {
        guard !isOpen else { return }
        isOpen = true
        switch format {
        case .table: Terminal.write(rule + line(op: "op", schema.names) + rule, to: STDOUT_FILENO)
        case .csv: Terminal.line((isUpdating ? ["op"] : []).joined() + (isUpdating ? "," : "") + schema.names.joined(separator: ","))
        case .json, .changelog: break
        }
    }

    mutating func print(_ batch: Batch) {
        open()
        var text = ""
        for row in 0..<batch.count {
            let cells = schema.fields.indices.map { index -> String? in
                let column = batch.columns[index]
                // Bytes in JSON are Base64, as the JSON format writes them.
                return format == .json && column.type.kind.isBinary && !column.isNull(row)
                    ? ResultText.base64(column, row) : ResultText.of(column, row, zone: zone)
            }
            let op = batch.kind(row).symbol
            switch format {
            case .table: text += line(op: op, cells.map { $0 ?? "<NULL>" })
            case .csv: text += (isUpdating ? op + "," : "") + cells.map { $0.map(quoted) ?? "" }.joined(separator: ",") + "\n"
            case .changelog: text += "\(op)[\(cells.map { $0 ?? "null" }.joined(separator: ", "))]\n"
            case .json: text += json(cells, op)
            }
        }
        count += batch.count
        Terminal.write(text, to: STDOUT_FILENO)
    }

    mutating func end(isWhole: Bool) {
        if isWhole { open() }
        guard format == .table, isOpen else { return }
        Terminal.write(rule, to: STDOUT_FILENO)
        if isWhole { Terminal.line("\(count) row\(count == 1 ? "" : "s") in set") }
    }

    private var rule: String {
        "+" + (isUpdating ? "----+" : "") + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined() + "\n"
    }

    private func line(op: String, _ cells: [String]) -> String {
        var line = "|"
        if isUpdating { line += " \(op) |" }
        for (index, cell) in cells.enumerated() {
            let shown = cell.count > widths[index] ? cell.prefix(widths[index] - 1) + "…" : cell[...]
            line += " " + String(repeating: " ", count: widths[index] - shown.count) + shown + " |"
        }
        return line + "\n"
    }

    private func quoted(_ cell: String) -> String {
        cell.isEmpty || cell.contains(where: { ",\"\r\n".contains($0) }) ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
    }

    private func json(_ cells: [String?], _ op: String) -> String {
        var members = isUpdating ? ["\"op\":\"\(op)\""] : []
        for (field, cell) in zip(schema.fields, cells) {
            let value: String =
                switch (cell, field.type.kind) {
                case (nil, _): "null"
                case (let cell?, let kind) where kind.isNumeric && cell != "NaN" && !cell.hasSuffix("Infinity"): cell
                case (let cell?, .boolean): cell.lowercased()
                case (let cell?, _): escaped(cell)
                }
            members.append("\(escaped(field.name)):\(value)")
        }
        return "{\(members.joined(separator: ","))}\n"
    }

    private func escaped(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private static func width(of kind: TypeKind) -> Int {
        switch kind {
        case .null, .boolean: 7
        case .tinyint: 4
        case .smallint: 6
        case .integer: 11
        case .bigint, .float, .double: 20
        case .decimal(let precision, let scale): precision + (scale > 0 ? 2 : 1)
        case .char(let length): min(length, 30)
        case .varchar, .binary, .varbinary: 30
        case .date: 10
        case .time: 12
        case .timestamp(let precision), .timestampLTZ(let precision): precision == 0 ? 19 : 20 + precision
        case .intervalYearMonth, .intervalDayTime: 20
        }
    }
}
