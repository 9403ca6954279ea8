import Columnar
import Dataflow

/// The parts of a task's chain, made and restored, before the task puts them together. `TaskBuilder` makes it from a plan.
package struct TaskChain {
    /// One operator between the source or the inputs and the sink or the outputs.
    package struct Link {
        package var name: String
        package var uid: String
        package var op: any Operator

        package init(name: String, uid: String, op: any Operator) {
            self.name = name
            self.uid = uid
            self.op = op
        }
    }

    /// The head of a chain that reads from outside.
    package struct Source {
        package typealias Projection = (Batch, Now) throws(StreamError) -> Batch
        package typealias Watermarks = (Batch, Now) throws(StreamError) -> Column

        package var name: String
        package var reader: any SourceReader
        /// What was read to what leaves the source; nil: as it is.
        package var project: Projection?
        /// For each row that leaves the source the watermark after it, of a timestamp type.
        package var watermark: Watermarks?
        /// The event-time column among those that leave the source; nil when the watermark does not come from one column.
        package var timeColumn: Int?
        /// Event time is the time of reading: it must not fall when a clock does, or rows would be late the moment they are read.
        package var stampsRows = false
        package var watermarkAfterEveryRow = false
        /// At least so long between two watermarks while there is more to read.
        package var watermarkInterval = Duration.zero
        /// Zero: never idle by itself.
        package var idleTimeout = Duration.zero
        /// This subtask's share; nil: unlimited.
        package var rowsPerSecond: Double?

        package init(name: String, reader: any SourceReader) {
            self.name = name
            self.reader = reader
        }
    }

    /// The tail of a chain that writes to outside.
    package struct Sink {
        package var name: String
        package var uid: String
        package var writer: any SinkWriter

        package init(name: String, uid: String, writer: any SinkWriter) {
            self.name = name
            self.uid = uid
            self.writer = writer
        }
    }

    package var source: Source?
    package var operators: [Link]
    package var sink: Sink?
    /// Set by the task before each step.
    package let clock = TaskClock()

    package init(source: Source? = nil, operators: [Link] = [], sink: Sink? = nil) {
        self.source = source
        self.operators = operators
        self.sink = sink
    }
}
