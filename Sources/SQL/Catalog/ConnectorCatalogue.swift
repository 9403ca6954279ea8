import Dataflow
import Settings

/// The connectors that tables may name.
package struct ConnectorCatalogue: Sendable {
    package var connectors: [ConnectorOptions]

    package init(connectors: [ConnectorOptions]) { self.connectors = connectors }

    package static let builtIn = ConnectorCatalogue(connectors: ConnectorOptions.all.filter { $0 != .collect })

    /// The connector that the options name, with every option checked. `with` is where to point when one is missing.
    func check(_ options: [OptionSyntax], columns: [String], at with: SourceRange) throws(SQLError) -> ConnectorOptions {
        let values = Dictionary(options.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        let connector: ConnectorOptions
        do throws(OptionProblem) {
            connector = try ConnectorOptions.check(values, columns: columns, among: connectors)
        } catch {
            throw located(error, options, with)
        }
        for option in options { try checkValue(of: option) }
        return connector
    }

    private func located(_ problem: OptionProblem, _ options: [OptionSyntax], _ with: SourceRange) -> SQLError {
        let near = problem.wrong.flatMap { nearNameHint($0, among: problem.candidates) }
        let there = problem.there.isEmpty ? nil : "it can be " + enumerate(problem.there.map { "'\($0)'" }, last: "or")
        let hint = [near, there].compactMap { $0 }.joined(separator: " ")
        let range =
            switch problem.place {
            case .table: with
            case .key(let key): options.first { $0.key == key }?.keyRange ?? with
            case .value(let key): options.first { $0.key == key }?.valueRange ?? with
            }
        return SQLError(problem.message, at: range, hint: hint.isEmpty ? nil : hint)
    }

    private func checkValue(of option: OptionSyntax) throws(SQLError) {
        let expected: String
        switch option.key {
        case "scan.rows-per-second":
            if let rate = Double(option.value), rate > 0 { return }
            expected = "a number greater than 0"
        case "scan.parallelism", "sink.parallelism":
            if let width = Int(option.value), (1...32_768).contains(width) { return }
            expected = "a number from 1 to 32768"
        case "scan.watermark.idle-timeout", "source.monitor-interval":
            if Duration(configText: option.value) != nil { return }
            expected = Duration.expected
        default: return
        }
        throw SQLError("option '\(option.key)' is '\(option.value)'", at: option.valueRange, expected: [expected])
    }
}
