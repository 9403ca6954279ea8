import Dataflow
import Hosts
import Wire

/// Which figures of a vertex' subtasks somebody asks for: of a hundred subtasks, nothing else is worked out.
struct WantedFigures {
    private let task: [String]
    private let operators: [(index: Int, prefix: String, names: Set<String>)]

    /// `names` as `get` has them: `numRecordsIn`, `Calc[2].numRecordsIn`; of a vertex' own list with the number of a subtask in front.
    init(_ names: some Sequence<Substring>, of vertex: JobVertex) {
        let names = names.map { name in
            let rest = name.drop { $0.isNumber }
            return String(rest.count < name.count && rest.first == "." ? rest.dropFirst() : name)
        }
        // Most often nobody asks for an operator's.
        let chain = names.contains { $0.contains(".") } ? vertex.chain : []
        operators = chain.enumerated().compactMap { index, part in
            let prefix = OperatorFigures.queryName(part.name) + "."
            let own = names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            return own.isEmpty ? nil : (index, prefix, Set(own))
        }
        var seen: Set<String> = []
        task = names.filter { seen.insert($0).inserted }
    }

    /// By name, one number for each of `readings` that has it; names that none has are left out.
    func columns(of vertex: JobVertex, _ readings: [TaskReading]) -> [(name: String, numbers: [Double])] {
        var columns: [(name: String, numbers: [Double])] = []
        for name in task {
            columns.append((name, readings.compactMap(TaskFigures.figure(name))))
        }
        for part in operators {
            var places: [String: Int] = [:]
            for reading in readings {
                guard let all = OperatorFigures(of: part.index, in: vertex, reading) else { continue }
                for (name, value) in all.figures where part.names.contains(name) {
                    if let place = places[name] {
                        columns[place].numbers.append(value)
                    } else {
                        places[name] = columns.count
                        columns.append((part.prefix + name, [value]))
                    }
                }
            }
        }
        return columns.filter { !$0.numbers.isEmpty }
    }

    func figures(of vertex: JobVertex, _ reading: TaskReading) -> [(name: String, value: Double)] {
        var figures: [(name: String, value: Double)] = []
        for name in task { if let value = TaskFigures.value(of: name, reading) { figures.append((name, value)) } }
        for part in operators {
            guard let all = OperatorFigures(of: part.index, in: vertex, reading) else { continue }
            for (name, value) in all.figures where part.names.contains(name) { figures.append((part.prefix + name, value)) }
        }
        return figures
    }
}
