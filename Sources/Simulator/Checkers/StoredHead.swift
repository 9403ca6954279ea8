import Dataflow
import JobControl

/// Reads HEAD as the store has it.
enum StoredHead {
    static func decode(_ bytes: [UInt8]) -> Head? { SealedJSON.decode(Head.self, bytes) }
}
