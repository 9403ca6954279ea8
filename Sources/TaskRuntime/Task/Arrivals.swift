import Columnar
import Dataflow
import Wire

/// State on its way to a task that a planned change gave key groups: from whom it is awaited, and what has come. It may come before the
/// task's own barrier.
struct Arrivals {
    private var pieces: [TaskID: (bytes: [UInt8], next: UInt32, isWhole: Bool)] = [:]
    private var awaited: Set<TaskID> = []
    /// The layout that the pieces are of.
    private var layout: LayoutEpoch?
    /// For `SeededFault.stateTakenEarly`.
    var takesEarly = false

    /// Changes up to this one were dropped.
    private var dropped: LayoutEpoch = 0

    mutating func withdraw(_ layout: LayoutEpoch) {
        dropped = layout
        pieces = [:]
        awaited = []
    }

    mutating func expect(_ tasks: Set<TaskID>, layout: LayoutEpoch) {
        if self.layout != layout { pieces = [:] }
        self.layout = layout
        awaited = tasks
    }

    mutating func receive(_ parcel: StateParcel) throws(StreamError) {
        guard parcel.layout > dropped else { return }
        if layout.map({ parcel.layout > $0 }) ?? true {
            pieces = [:]
            layout = parcel.layout
            awaited = []
        }
        guard parcel.layout == layout else { return }  // Of a change that is over.
        var piece = pieces[parcel.from] ?? ([], 0, false)
        guard parcel.number == piece.next, !piece.isWhole else {
            throw StreamError(.connection, retry: true, "piece \(parcel.number) of the state of \(parcel.from) came where \(piece.next) was due")
        }
        pieces[parcel.from] = nil  // So that its bytes are not copied.
        piece.bytes += parcel.bytes
        piece.next += 1
        piece.isWhole = parcel.isLast
        pieces[parcel.from] = piece
    }

    var isComplete: Bool { awaited.allSatisfy { pieces[$0].map { $0.isWhole || takesEarly } ?? false } }

    var heldBytes: Int { pieces.values.reduce(0) { $0 + $1.bytes.count } }

    /// Everything that has come, once it is complete.
    mutating func take() throws(StreamError) -> TaskRestore {
        precondition(isComplete, "state is taken when all of it is there")
        var state = TaskRestore()
        for task in awaited.sorted() {
            do throws(MalformedBytes) { state.add(try StateParcel.state(of: pieces[task]?.bytes ?? [])) } catch {
                throw StreamError(.internal, retry: true, "the state that came from \(task) cannot be read: \(error)")
            }
        }
        pieces = [:]
        awaited = []
        return state
    }
}
