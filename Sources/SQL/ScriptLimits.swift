/// What one script may ask of who compiles it: the JobManager, whose memory and time belong to jobs that run.
///
/// All are far above what people write. Within them no statement costs more than about a second, and a script `patience`.
enum ScriptLimits {
    static let bytes = 1 << 20
    /// Tokens. Rows in such numbers belong into a file.
    static let words = 100_000
    /// Of a table, a query's result, or the aggregates of one GROUP BY.
    static let columns = 2_000
    /// Operations of a query, those of a view counted wherever it is named, and of all INSERTs that make one job.
    static let steps = 1_000
    /// UTF-8 bytes of what EXPLAIN, SHOW, DESCRIBE and SET answer, together.
    static let answers = 4 << 20

    static func checkColumns(_ count: Int, at range: SourceRange) throws(SQLError) {
        if count > columns { throw SQLError("more than \(columns) columns", at: range) }
    }
}

extension Plan {
    /// Operations in it. Inputs that are the same view count each time, as each is run.
    var steps: Int {
        switch self {
        case .scan, .rows: 1
        case .calc(let calc): calc.input.steps + 1
        case .window(let window): window.input.steps + 1
        case .aggregate(let aggregate): aggregate.input.steps + 1
        case .windowAggregate(let aggregate): aggregate.input.steps + 1
        case .union(let inputs, _): inputs.reduce(1) { $0 + $1.steps }
        }
    }
}
