import Columnar

/// A TaskManager is about to go: on SIGTERM, on a notice of its cloud, or because somebody asked for it.
package struct Leave: Hashable, Sendable {
    /// For people.
    package var reason: String
    /// How long it stays at most, counted from the message: hosts' clocks differ.
    package var milliseconds: Int64
    /// Its process ends once nothing runs there. Otherwise it stays, empty, and nothing new is placed there.
    package var ends: Bool

    package init(reason: String, milliseconds: Int64, ends: Bool = true) {
        self.reason = reason
        self.milliseconds = max(0, milliseconds)
        self.ends = ends
    }

    func encode(into writer: inout ByteWriter) {
        writer.put(reason)
        writer.put(milliseconds)
        writer.put(ends)
    }

    init(from reader: inout ByteReader) throws(MalformedBytes) {
        self.init(reason: try reader.string(), milliseconds: try reader.number(), ends: try reader.bool())
    }
}
