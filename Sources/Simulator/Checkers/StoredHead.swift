import Dataflow
import FoundationEssentials

/// Reads HEAD as the store has it.
enum StoredHead {
    static func decode(_ bytes: [UInt8]) -> Head? { try? JSONDecoder().decode(Head.self, from: Data(bytes)) }
}
