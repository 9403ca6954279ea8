import AWS
import Dataflow

/// Brings one shard's records into the inbox, from where they were left to the shard's end. Runs until then, until it fails, or until
/// the reader closes.
struct ShardFetcher: Sendable {
    /// A shard that gives nothing but errors for so long fails the job, which then begins anew.
    private static let patience = Duration.seconds(300)

    private let table: KinesisTable
    private let client: KinesisClient
    private let reading: KinesisReading
    private let shard: String
    private let begin: ShardSplit.Begin
    private let keys: HashKeyRange?
    private let resuming: ShardPosition?
    private let inbox: ShardInbox

    init(_ table: KinesisTable, _ reading: KinesisReading, _ shard: ShardSplit, resuming: ShardPosition?, inbox: ShardInbox) {
        (self.table, self.reading, self.inbox, self.resuming) = (table, reading, inbox, resuming)
        (client, self.shard, begin, keys) = (table.client, shard.shard, shard.begin, shard.keys)
    }

    /// Where the next request begins.
    private struct Place {
        var position: KinesisPosition
        /// The record with this sequence number must come first: others show that it, and perhaps more, is gone.
        var expected: String?
        var failures = 0
        var failingSince: ContinuousClock.Instant?
    }

    /// A record that was given in part is asked for again; one that was given whole shows that nothing between was lost.
    private var start: Place {
        if let resuming { return Place(position: .at(sequence: resuming.sequence), expected: resuming.sequence) }
        switch begin {
        case .trimHorizon: return Place(position: .trimHorizon)
        case .timestamp(let moment): return Place(position: .timestamp(moment))
        }
    }

    // MARK: Polling

    func poll() async {
        var place = start
        var iterator: String?
        while !Task.isCancelled {
            do throws(AWSError) {
                let current: String
                if let iterator { current = iterator } else { current = try await client.shardIterator(shard, place.position) }
                iterator = current
                guard await inbox.enter() else { return }
                let began = ContinuousClock.now
                let answer = try await fetch(current)
                place.failures = 0
                place.failingSince = nil
                let isEmpty = answer.block.records.isEmpty
                deliver(answer, &place)
                iterator = answer.nextIterator
                guard iterator != nil else { return inbox.put(.ended(shard: shard)) }
                let rest = KinesisReading.shardInterval - (ContinuousClock.now - began)
                try? await Task.sleep(for: max(rest, isEmpty ? reading.emptyInterval : reading.interval, .zero))
            } catch {
                if error.code == "ExpiredIteratorException" {
                    inbox.count { $0.expiredIterators += 1 }
                    iterator = nil
                    continue
                }
                guard await goesOn(after: error, &place) else { return }
            }
        }
    }

    /// For messages.
    private var name: String { "table \(table.name), stream \(table.stream) › \(shard)" }

    private func fetch(_ iterator: String) async throws(AWSError) -> KinesisAnswer {
        defer { inbox.leave() }
        let body = try await client.getRecords(iterator, limit: reading.maximumRecords)
        guard let answer = KinesisAnswer(body, keys: keys) else {
            throw AWSError(.service, "Kinesis GetRecords \(shard)", code: "UnreadableAnswer", "the answer is not what the service promises")
        }
        return answer
    }

    private func deliver(_ answer: KinesisAnswer, _ place: inout Place) {
        if let behind = answer.millisBehindLatest { inbox.behind(shard, behind) }
        guard let first = answer.block.firstSequence, let last = answer.block.lastSequence else { return }
        if let expected = place.expected, first != expected {
            inbox.trimmed("\(name): records behind sequence number \(expected) had expired before they were read (a stop longer than the stream's retention?); "
                + "reading goes on with \(first)")
        }
        place.expected = nil
        place.position = .after(sequence: last)
        if answer.block.elsewhere > 0 { inbox.belongElsewhere(shard, answer.block.elsewhere, name) }
        if answer.block.records.isEmpty { return }
        inbox.put(.records(shard: shard, answer.block))
    }

    // MARK: Fan-out

    func subscribe(as consumer: FanOutConsumer) async {
        var place = start
        while !Task.isCancelled {
            do throws(AWSError) {
                let arn = try await consumer.arn()
                let began = ContinuousClock.now
                var subscription = try await client.subscribe(arn, shard: shard, place.position, keys: keys)
                while let answer = try await subscription.next() {
                    place.failures = 0
                    place.failingSince = nil
                    deliver(answer, &place)
                    guard let continuation = answer.continuation else { return inbox.put(.ended(shard: shard)) }
                    // An event without records says nothing of a record that is expected.
                    if place.expected == nil { place.position = .after(sequence: continuation) }
                    guard await inbox.enter(isFetch: false), !Task.isCancelled else { return }
                }
                // Five minutes are over. One that ends at once is not asked for more often than once a second.
                let rest = Duration.seconds(1) - (ContinuousClock.now - began)
                if rest > .zero { try? await Task.sleep(for: rest) }
            } catch {
                if error.kind == .notFound { await consumer.forget() }
                guard await goesOn(after: error, &place) else { return }
            }
        }
    }

    // MARK: Trouble

    /// Waits until it is time to try again. False: there is nothing more to do, and the inbox was told.
    private func goesOn(after error: AWSError, _ place: inout Place) async -> Bool {
        if Task.isCancelled { return false }
        let now = ContinuousClock.now
        let since = place.failingSince ?? now
        place.failingSince = since
        place.failures += 1
        var pauseCap = Duration.seconds(10)
        switch error.kind {
        case .throttled where error.operation.contains("RegisterStreamConsumer"):
            break  // Perhaps the stream has as many consumers as it may.
        case .throttled:
            inbox.count { $0.throttled += 1 }
            pauseCap = .seconds(5)
            // Somebody else reads the shard, too; that is no failure, however long it lasts.
            place.failingSince = now
        case .notFound:
            return await shardIsGone(error, &place)
        case .request where error.message.contains("greater than the currentTimestamp") && now - since < .seconds(120):
            // The service's clock is a little behind the JobManager's.
            pauseCap = .seconds(1)
        case .conflict: break  // The subscription of another attempt is still there, for seconds.
        case .service, .connection, .timeout, .credentials: break
        case .cancelled: return false
        case .denied, .configuration, .request:
            inbox.put(.failed(failure(error)))
            return false
        }
        guard now - since < ShardFetcher.patience else {
            inbox.put(.failed(failure(error)))
            return false
        }
        // Full jitter.
        let bound = min(pauseCap, .milliseconds(200) * (1 << min(place.failures - 1, 10)))
        try? await Task.sleep(for: bound * Double.random(in: 0.1...1))
        return true
    }

    private func failure(_ error: AWSError) -> StreamError {
        let failure = table.error(error)
        guard case .fanOut(let consumer, _) = reading.kind else { return failure.during(shard) }
        return StreamError(
            failure.kind, retry: failure.retry, "\(failure.message) (enhanced fan-out as consumer \(consumer); 'source.reader.type' = 'POLLING' does without)"
        ).during(shard)
    }

    /// The service knows no such shard any more: its records have all expired. Or there is no stream.
    private func shardIsGone(_ error: AWSError, _ place: inout Place) async -> Bool {
        do throws(AWSError) {
            let shards = try await client.listShards()
            // Then a consumer is meant, which is registered again.
            if shards.contains(where: { $0.id == shard }) {
                try? await Task.sleep(for: .seconds(1))
                return true
            }
            inbox.trimmed("\(name): the shard is gone with all of its records; it counts as read to its end")
            inbox.put(.ended(shard: shard))
        } catch {
            if error.retryable {
                try? await Task.sleep(for: .seconds(1))
                return true
            }
            inbox.put(.failed(failure(error)))
        }
        return false
    }
}
