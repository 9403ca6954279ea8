import Dataflow
import Wire

/// See `promise`. A put of HEAD counts at the moment at which the store carries it out, whoever is told of it and whenever.
struct HeadChecker: Checker {
    static let promise = """
        Only checkpoints that HEAD names are committed; checkpoint ids, sequences and epochs in HEAD never fall; a deployment starts from the \
        newest checkpoint that HEAD names, and its attempt is new.
        """

    private var head: Head?
    private var published: Set<CheckpointID> = []
    private var greatestAttempt: [JobID: UInt32] = [:]
    private var restoreOf: [UInt32: CheckpointID?] = [:]

    mutating func see(_ seen: Observation, at time: Duration) -> String? {
        switch seen {
        case .head(let next):
            defer {
                head = next
                published.formUnion(next.retained.map(\.checkpoint))
            }
            return wrong(next)
        case .committing(let checkpoint, let ids) where !published.contains(checkpoint):
            return "\(ids) of checkpoint \(checkpoint) are committed, which HEAD never named"
        case .leaderSent(.completed(_, let checkpoint), _, _) where !published.contains(checkpoint):
            return "checkpoint \(checkpoint) is told to be complete before HEAD names it"
        case .leaderSent(.deploy(let deployment), _, _):
            return wrong(deployment)
        default: return nil
        }
    }

    private func wrong(_ next: Head) -> String? {
        let ids = next.retained.map(\.checkpoint)
        if ids != ids.sorted() || Set(ids).count != ids.count { return "HEAD names checkpoints \(ids): they do not rise" }
        guard let head else { return nil }
        if next.leaderEpoch < head.leaderEpoch { return "the epoch in HEAD falls from \(head.leaderEpoch) to \(next.leaderEpoch)" }
        if next.sequence <= head.sequence { return "the sequence of HEAD goes from \(head.sequence) to \(next.sequence)" }
        if next.attempt < head.attempt { return "the attempt in HEAD falls from \(head.attempt) to \(next.attempt)" }
        let last = published.max() ?? 0
        for id in ids where !published.contains(id) && id <= last { return "checkpoint \(id) is published after checkpoint \(last)" }
        return nil
    }

    private mutating func wrong(_ deployment: Wire.Deployment) -> String? {
        let attempt = deployment.layout.attempt
        let from = deployment.restore?.checkpoint
        if let known = restoreOf[attempt] {
            return known == from ? nil : "attempt \(attempt) starts from checkpoint \(known ?? 0) here and from \(from ?? 0) there"
        }
        if let greatest = greatestAttempt[deployment.job], attempt <= greatest { return "attempt \(attempt) comes after attempt \(greatest)" }
        greatestAttempt[deployment.job] = attempt
        restoreOf[attempt] = from
        let newest = head?.retained.last { !$0.kind.isSavepoint || $0.kind == .savepoint }?.checkpoint
        if from != newest { return "attempt \(attempt) starts from checkpoint \(from ?? 0), but HEAD names \(newest ?? 0)" }
        return nil
    }
}
