import Dataflow
import Expressions

extension Optimizer {
    /// Columns that nobody reads are not read from outside, nor carried along.
    static func pruneColumns(_ plan: Plan) -> Plan { keep(Array(plan.columns.indices), of: plan) }

    /// The plan with exactly these columns; `kept` rises.
    private static func keep(_ kept: [Int], of plan: Plan) -> Plan {
        switch plan {
        case .scan(var scan):
            var needed = Set(kept)
            if let watermark = scan.table.watermark {
                let read = watermark.expression.columns.union([watermark.column])
                needed.formUnion(scan.selected.indices.filter { read.contains(scan.selected[$0]) })
            }
            // Rows are counted by reading something of them.
            if needed.isEmpty { needed.insert(0) }
            let positions = needed.sorted()
            scan.selected = positions.map { scan.selected[$0] }
            return narrow(.scan(scan), having: positions, to: kept)
        case .rows: return narrow(plan, having: [0], to: kept)
        case .calc(var calc):
            let projections = kept.map { calc.projections[$0] }
            let needed = projections.reduce(into: calc.condition?.columns ?? []) { $0.formUnion($1.columns) }.sorted()
            let position = Dictionary(uniqueKeysWithValues: needed.enumerated().map { ($1, $0) })
            calc.input = keep(needed, of: calc.input)
            calc.condition = calc.condition?.mappingColumns { position[$0]! }
            calc.projections = projections.map { $0.mappingColumns { position[$0]! } }
            calc.columns = kept.map { calc.columns[$0] }
            return .calc(calc)
        case .window(var window):
            let width = window.input.columns.count
            let needed = Set(kept.filter { $0 < width } + [window.timeColumn]).sorted()
            window.input = keep(needed, of: window.input)
            window.timeColumn = needed.firstIndex(of: window.timeColumn)!
            return narrow(.window(window), having: needed + [width, width + 1, width + 2], to: kept)
        case .aggregate(var aggregate):
            let calls = aggregate.calls.indices.filter { kept.contains(aggregate.keys.count + $0) }
            let needed = inputs(aggregate.keys, calls.map { aggregate.calls[$0] })
            let outputs = Array(aggregate.keys.indices) + calls.map { aggregate.keys.count + $0 }
            aggregate.input = keep(needed, of: aggregate.input)
            aggregate.calls = calls.map { moved(aggregate.calls[$0], needed) }
            aggregate.keys = aggregate.keys.map { needed.firstIndex(of: $0)! }
            aggregate.columns = outputs.map { aggregate.columns[$0] }
            return narrow(.aggregate(aggregate), having: outputs, to: kept)
        case .windowAggregate(var aggregate):
            let keyCount = aggregate.keys.count, bounds = keyCount + aggregate.calls.count
            let calls = aggregate.calls.indices.filter { kept.contains(keyCount + $0) }
            let needed = Set(inputs(aggregate.keys, calls.map { aggregate.calls[$0] }) + [aggregate.timeColumn]).sorted()
            let outputs = Array(0..<keyCount) + calls.map { keyCount + $0 } + [bounds, bounds + 1, bounds + 2]
            aggregate.input = keep(needed, of: aggregate.input)
            aggregate.calls = calls.map { moved(aggregate.calls[$0], needed) }
            aggregate.keys = aggregate.keys.map { needed.firstIndex(of: $0)! }
            aggregate.timeColumn = needed.firstIndex(of: aggregate.timeColumn)!
            aggregate.columns = outputs.map { aggregate.columns[$0] }
            return narrow(.windowAggregate(aggregate), having: outputs, to: kept)
        case .union(let inputs, let columns):
            return .union(inputs.map { keep(kept, of: $0) }, columns: kept.map { columns[$0] })
        }
    }

    private static func inputs(_ keys: [Int], _ calls: [AggregateCall]) -> [Int] {
        Set(keys + calls.compactMap(\.argument) + calls.compactMap(\.filter)).sorted()
    }

    private static func moved(_ call: AggregateCall, _ needed: [Int]) -> AggregateCall {
        var call = call
        call.argument = call.argument.map { needed.firstIndex(of: $0)! }
        call.filter = call.filter.map { needed.firstIndex(of: $0)! }
        return call
    }

    /// Drops what had to be computed but is not wanted above. `having`: the old positions of the plan's columns.
    private static func narrow(_ plan: Plan, having: [Int], to kept: [Int]) -> Plan {
        guard having != kept else { return plan }
        let positions = kept.map { having.firstIndex(of: $0)! }
        return plan.calc(positions.map { plan.references[$0] }, names: positions.map { plan.columns[$0].name })
    }
}
