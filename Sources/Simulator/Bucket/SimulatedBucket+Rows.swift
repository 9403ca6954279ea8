import Columnar
import Connectors
import Dataflow

extension SimulatedBucket {
    /// Rows of the file that a committable names, whether it can be seen by now or not. Nil: it is not there.
    func rows(of committable: Committable) -> [SimulatedFile.Row]? {
        if SmallPart.isOne(committable) {
            guard let key = try? SmallPart(committable).key else { return nil }
            return (objects[key]?.bytes ?? removed[key]).map(SimulatedBucket.rows)
        }
        guard let named = try? NamedUpload(committable), let bytes = bytes(of: named) else { return nil }
        return SimulatedBucket.rows(bytes)
    }

    /// Rows of all files that can be seen.
    var rows: [SimulatedFile.Row] {
        objects.filter { !$0.key.hasPrefix("out/_") }.sorted { $0.key < $1.key }.flatMap { SimulatedBucket.rows($0.value.bytes) }
    }

    /// As the calc job's CSV has them: `id,key,value`. A line that is none becomes a row that no answer has.
    private static func rows(_ bytes: [UInt8]) -> [SimulatedFile.Row] {
        bytes.split(separator: 0x0A).map { line in
            let cells = line.split(separator: 0x2C, omittingEmptySubsequences: false).map { Array($0) }
            guard cells.count == 3, let id = Int64(String(decoding: cells[0], as: UTF8.self)), let value = Int64(String(decoding: cells[2], as: UTF8.self)) else {
                return SimulatedFile.Row(kind: .insert, values: [.integer(-1), .bytes(Array(line)), .null])
            }
            return SimulatedFile.Row(kind: .insert, values: [.integer(id), .bytes(cells[1]), .integer(value)])
        }
    }
}


extension SimulatedFile {
    /// A file of a bucket: who wrote it when is of no matter there.
    init(id: String, rows: [Row]) {
        self.init(id: id, task: TaskID(job: JobID(high: 0, low: 0), subtask: SubtaskID(vertex: 0, index: 0), attempt: 0), checkpoint: 0, first: 0, rows: rows)
    }
}

extension BucketChange {
    var summary: String {
        switch self {
        case .opened(let upload, let key): "\(upload) of \(key) is opened"
        case .part(let upload, let part): "part \(part.number) of \(upload), \(part.bytes) bytes"
        case .completed(let upload, let key, let parts, let bytes): "\(upload) is completed with parts \(parts.map(\.number)): \(key), \(bytes.count) bytes"
        case .aborted(let upload): "\(upload) is aborted"
        case .put(let key, let bytes): "\(key) is put, \(bytes.count) bytes"
        case .deleted(let key): "\(key) is deleted"
        }
    }
}
