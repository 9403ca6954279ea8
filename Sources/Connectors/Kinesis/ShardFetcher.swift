import AWS
import Dataflow

/// Brings one shard's records into the inbox, from where they were left to the shard's end. Runs until then, until it fails, or until
/// the reader closes.
struct ShardFetcher: Sendable {
    private let table: KinesisTable
    private let client: KinesisClient
    private let reading: KinesisReading
    private let shard: String
    private let begin: ShardSplit.Begin
    private let keys: HashKeyRange?
    private let resuming: ShardPosition?
    private let inbox: ShardInbox
    private let patience: KinesisPatience
    /// Where it runs.
    let executor = LoopExecutor.next()

    init(_ table: KinesisTable, _ reading: KinesisReading, _ shard: ShardSplit, resuming: ShardPosition?, inbox: ShardInbox, patience: KinesisPatience) {
        self.patience = patience
        (self.table, self.reading, self.inbox, self.resuming) = (table, reading, inbox, resuming)
        (client, self.shard, begin, keys) = (table.client, shard.shard, shard.begin, shard.keys)
    }

    private struct Place {
        var shard: ShardPlace
        var trouble = ShardTrouble(since: .now)
    }

    private var start: Place { Place(shard: ShardPlace(begin, resuming: resuming)) }

    // MARK: Polling

    func poll() async {
        var place = start
        var iterator: String?
        while !Task.isCancelled {
            do throws(AWSError) {
                let current: String
                if let iterator { current = iterator } else { current = try await client.shardIterator(shard, place.shard.position) }
                iterator = current
                guard await inbox.enter() else { return }
                let began = ContinuousClock.now
                place.trouble.tries(at: began)
                let answer = try await fetch(current)
                place.trouble = ShardTrouble(since: .now)
                let isEmpty = answer.block.records.isEmpty
                deliver(answer, &place)
                iterator = answer.nextIterator
                guard iterator != nil else { return inbox.put(.ended(shard: shard)) }
                let rest = KinesisReading.shardInterval - (ContinuousClock.now - began)
                await executor.rest(atLeast: max(rest, isEmpty ? reading.emptyInterval : reading.interval, .zero))
            } catch {
                if error.code == "ExpiredIteratorException" {
                    inbox.count { $0.expiredIterators += 1 }
                    iterator = nil
                }
                guard await goesOn(after: error, &place) else { return }
            }
        }
    }

    /// For messages.
    private var name: String { "table \(table.name), stream \(table.stream) › \(shard)" }

    private func fetch(_ iterator: String) async throws(AWSError) -> KinesisAnswer {
        defer { inbox.leave() }
        let body = try await client.getRecords(iterator, limit: reading.maximumRecords, from: executor)
        guard let answer = KinesisAnswer(body, keys: keys) else {
            throw AWSError(.service, "Kinesis GetRecords \(shard)", code: "UnreadableAnswer", "the answer is not what the service promises")
        }
        return answer
    }

    private func deliver(_ answer: KinesisAnswer, _ place: inout Place) {
        if let behind = answer.millisBehindLatest { inbox.behind(shard, behind) }
        if let gap = place.shard.took(answer.block) {
            inbox.trimmed("\(name): records behind sequence number \(gap.expected) had expired before they were read (a stop longer than the stream's retention?); "
                + "reading goes on with \(gap.first)")
        }
        if answer.block.elsewhere > 0 { inbox.belongElsewhere(shard, answer.block.elsewhere, name) }
        if answer.block.records.isEmpty { return }
        inbox.put(.records(shard: shard, answer.block))
    }

    // MARK: Fan-out

    func subscribe(as consumer: FanOutConsumer) async {
        let lane = FanOutLanes.shared.withLock { $0.take() }
        defer { FanOutLanes.shared.withLock { $0.leave(lane) } }
        var place = start
        while !Task.isCancelled {
            do throws(AWSError) {
                let began = ContinuousClock.now
                place.trouble.tries(at: began)
                let arn = try await consumer.arn()
                var subscription = try await client.subscribe(arn, shard: shard, place.shard.position, keys: keys, lane: lane)
                while let answer = try await subscription.next() {
                    place.trouble = ShardTrouble(since: .now)
                    deliver(answer, &place)
                    guard let continuation = answer.continuation else { return inbox.put(.ended(shard: shard)) }
                    place.shard.goesOn(after: continuation)
                    guard await inbox.enter(isFetch: false), !Task.isCancelled else { return }
                }
                // Five minutes are over. One that ends at once is not asked for more often than once a second.
                let rest = Duration.seconds(1) - (ContinuousClock.now - began)
                if rest > .zero { await executor.sleep(for: rest) }
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
        if error.kind == .throttled { inbox.count { $0.throttled += 1 } }
        let (answer, isNews) = place.trouble.step(after: error, at: .now, patience)
        if isNews { inbox.warn("\(name): nothing but errors for \(place.trouble.seconds(at: .now)) s, it is tried again: \(error)") }
        switch answer {
        case .end: return false
        case .fail:
            inbox.put(.failed(failure(error)))
            return false
        case .ask: return await shardIsGone(error, &place)
        case .pause(let bound):
            // Full jitter.
            if bound > .zero { await executor.sleep(for: bound * Double.random(in: 0.1...1)) }
            return true
        }
    }

    private func failure(_ error: AWSError) -> StreamError {
        // The readers of a state may ask the service before the JobManager has seen that the stream is another one.
        if error.isForeignPosition {
            let words = "table \(table.name), stream \(table.stream): the job's position is that of a stream of this name that has been deleted since, "
                + "so its state means nothing here. \(StreamError.startWithoutState) (\(error))"
            return StreamError(.user, retry: false, words).during(shard)
        }
        let failure = table.error(error)
        guard case .fanOut(let consumer, let registers) = reading.kind else { return failure.during(shard) }
        let isMissing = error.isMissingConsumer && !registers
        let words = isMissing ? "; register it, or leave that to the job by 'source.efo.lifecycle' = 'JOB_MANAGED'" : ""
        return StreamError(
            failure.kind, retry: failure.retry,
            "\(failure.message) (enhanced fan-out as consumer \(consumer)\(words); 'source.reader.type' = 'POLLING' does without)"
        ).during(shard)
    }

    /// The service knows no such shard any more: its records have all expired. Or there is no stream.
    private func shardIsGone(_ error: AWSError, _ place: inout Place) async -> Bool {
        do throws(AWSError) {
            let shards = try await client.listShards()
            // Then a consumer is meant, which is registered again.
            if shards.contains(where: { $0.id == shard }) {
                await executor.sleep(for: .seconds(1))
                return true
            }
            inbox.trimmed("\(name): the shard is gone with all of its records; it counts as read to its end")
            inbox.put(.ended(shard: shard))
        } catch {
            if error.retryable {
                await executor.sleep(for: .seconds(1))
                return true
            }
            inbox.put(.failed(failure(error)))
        }
        return false
    }
}
