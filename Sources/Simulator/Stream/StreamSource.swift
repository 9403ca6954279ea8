import Columnar
import Connectors
import Dataflow

/// The real source over a stream that comes to an end.
struct StreamSource: Source {
    let real: KinesisSource
    let service: StreamService
    let attempt: UInt32

    init(_ spec: SourceSpec, _ service: StreamService, attempt: UInt32) throws(StreamError) {
        real = try KinesisSource(spec, service: service, faults: service.cluster.faults)
        self.service = service
        self.attempt = attempt
    }

    var discoveryInterval: Duration? { real.discoveryInterval }
    var distribution: SplitDistribution { real.distribution }

    func discover(known: Set<String>) throws(StreamError) -> (splits: [Split], isComplete: Bool) {
        (try real.discover(known: known).splits, service.stream.isComplete(at: service.cluster.time))
    }

    func makeReader(_ context: ReaderContext) throws(StreamError) -> any SourceReader {
        StreamReader(try real.makeReader(context), service: service, attempt: attempt)
    }
}

/// The real reader, overheard.
private final class StreamReader: SourceReader {
    private let real: any SourceReader
    private let service: StreamService
    private let attempt: UInt32

    init(_ real: any SourceReader, service: StreamService, attempt: UInt32) {
        (self.real, self.service, self.attempt) = (real, service, attempt)
    }

    func add(_ splits: [SplitState]) throws(StreamError) { try real.add(splits) }

    func poll(maximumRows: Int, at now: Now) throws(StreamError) -> SourcePoll {
        let answer = try real.poll(maximumRows: maximumRows, at: now)
        if case .batch(let batch, _) = answer {
            service.cluster.see(.recordsRead(table: service.input.name, ids: (0..<batch.count).map { batch.columns[1].pointer(Int64.self)[$0] }, attempt: attempt))
        }
        return answer
    }

    func snapshot() throws(StreamError) -> [SplitState] { try real.snapshot() }
    func close() { real.close() }
    var skippedRows: Int { real.skippedRows }
    var readsSideBySide: Bool { real.readsSideBySide }
    var gauges: [(name: String, value: Int64)] { real.gauges }
}
