import Dataflow
import Glibc
import Histogram
import Hosts
import REST

/// The job of a load test, as the SQL that is submitted.
struct LoadTestJob {
    let keys: Int
    let parallelism: Int
    let latencyFolder: String?

    func latencyPath(_ step: Int) -> String? { latencyFolder.map { "\($0)/latency-\(step)" } }

    func script(rate: Double, step: Int) -> String {
        let latency = latencyPath(step).map { ", 'latency-column' = 'window_end', 'latency-file' = '\($0.replacing("'", with: "''"))'" } ?? ""
        return """
            SET 'pipeline.name' = 'load-test';
            SET 'parallelism.default' = '\(parallelism)';
            SET 'execution.checkpointing.interval' = '1 s';
            CREATE TABLE load (
              k INT, price DOUBLE, created AS CAST(CURRENT_ROW_TIMESTAMP() AS TIMESTAMP(3)), WATERMARK FOR created AS created
            ) WITH (
              'connector' = 'datagen', 'rows-per-second' = '\(Int64(rate))', 'fields.k.min' = '1', 'fields.k.max' = '\(keys)',
              'fields.price.min' = '500', 'fields.price.max' = '1000'
            );
            CREATE TABLE nothing (window_end TIMESTAMP(3), k INT, highest DOUBLE, number BIGINT) WITH ('connector' = 'blackhole'\(latency));
            INSERT INTO nothing
            SELECT window_end, k, MAX(price), COUNT(*)
            FROM TABLE(HOP(TABLE load, DESCRIPTOR(created), INTERVAL '1' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end, k;
            """
    }
}

/// What one step showed. Rates are rows a second, latencies and checkpoint times milliseconds.
struct LoadTestStep {
    var asked: Double
    var achieved: Double
    var latency: Histogram<UInt64>?
    var processes: [ProcessUsage]
    var checkpoints: [Int64]
    var failedCheckpoints: Int64
    /// Share of the source's time in which it was held back by the tasks behind it.
    var backpressured: Double

    var isSustained: Bool { achieved >= asked * 0.97 }
}

/// Runs one step after the other on the cluster.
struct LoadTestRunner {
    let client: JobManagerClient
    let job: LoadTestJob
    let processes: [ObservedProcess]
    let seconds: Int

    func step(at rate: Double, number: Int) async throws -> LoadTestStep {
        let answer = try await client.post("/jobs", ["sql": .string(job.script(rate: rate, step: number))])
        guard let id = answer["jobs"].array.first?["jobid"].string else { throw CommandError("the JobManager gave no job id", code: 1) }
        do {
            let step = try await measure(id, rate, number)
            try await cancel(id)
            return step
        } catch {
            try? await cancel(id)
            throw error
        }
    }

    private func measure(_ id: String, _ rate: Double, _ number: Int) async throws -> LoadTestStep {
        try await waitUntilRunning(id)
        await show(rate, "warming up", for: 3)
        // The counters come with heartbeats: what is measured lies between two of their changes.
        let begin = try await change(of: id)
        let latencyBefore = latencies(number), usageBefore = processes.map { ($0, $0.read()) }
        let clock = SystemClock.instant()
        await show(rate, "measuring", for: seconds)
        let end = try await change(of: id)
        let elapsed = Double((SystemClock.instant() - clock).nanoseconds) / 1e9
        let usage = usageBefore.map { process, before in ProcessUsage(process.name, from: before, to: process.read(), over: elapsed) }
        let checkpoints = try await client.get("/jobs/\(id)/checkpoints")
        let between = Double((end.at - begin.at).nanoseconds) / 1e9
        return LoadTestStep(
            asked: rate, achieved: Double(end.rows - begin.rows) / between, latency: histogram(from: latencyBefore, to: latencies(number)),
            processes: usage,
            checkpoints: checkpoints["history"].array.filter { $0["status"].string == "COMPLETED" }.compactMap { $0["end_to_end_duration"].integer },
            failedCheckpoints: checkpoints["counts"]["failed"].integer ?? 0,
            backpressured: Double(end.heldMilliseconds - begin.heldMilliseconds) / 1000 / between / Double(job.parallelism))
    }

    // MARK: The job

    private struct Reading {
        var rows: Int64
        var heldMilliseconds: Int64
        var at: Instant
    }

    private func read(_ id: String) async throws -> Reading {
        let state = try await client.get("/jobs/\(id)")
        guard state["state"].string == "RUNNING" else {
            let cause = try await client.get("/jobs/\(id)/exceptions")["root-exception"].string
            throw CommandError("the load test's job is \(state["state"].string ?? "gone"): \(cause ?? "unknown cause")", code: 1)
        }
        let metrics = state["vertices"].array.first { $0["name"].string?.hasPrefix("Source") == true }?["metrics"] ?? .null
        return Reading(
            rows: metrics["read-records"].integer ?? 0, heldMilliseconds: metrics["accumulated-backpressured-time"].integer ?? 0, at: SystemClock.instant())
    }

    /// The first reading with more rows, looked for 5 s at most: a source that stands still gives none.
    private func change(of id: String) async throws -> Reading {
        let before = try await read(id)
        while true {
            let reading = try await read(id)
            if reading.rows != before.rows || reading.at - before.at > .seconds(5) { return reading }
            try await Task.sleep(for: .milliseconds(20))  // How finely the moment of a report is seen.
        }
    }

    private func waitUntilRunning(_ id: String) async throws {
        let limit = SystemClock.instant() + .seconds(30)
        while true {
            let state = try await client.get("/jobs/\(id)")["state"].string ?? ""
            switch state {
            case "RUNNING": return
            case "FAILED", "CANCELED", "FINISHED": _ = try await read(id)
            default: break
            }
            if SystemClock.instant() > limit { throw CommandError("the load test's job is still \(state) after 30 s: are there enough slots?", code: 1) }
            try await Task.sleep(for: .milliseconds(20))  // How often it is looked for; nothing depends on it.
        }
    }

    private func cancel(_ id: String) async throws {
        try await client.patch("/jobs/\(id)?mode=cancel")
        while !["CANCELED", "FINISHED", "FAILED"].contains(try await client.get("/jobs/\(id)")["state"].string ?? "") {
            try await Task.sleep(for: .milliseconds(20))  // How often it is looked for; nothing depends on it.
        }
    }

    private func show(_ rate: Double, _ what: String, for seconds: Int) async {
        for second in 0..<seconds {
            Terminal.status("\(grouped(Int64(rate))) rows/s: \(what), \(second + 1) of \(seconds) s")
            try? await Task.sleep(for: .seconds(1))  // The measuring time itself.
        }
        Terminal.status("")
    }

    // MARK: Latencies

    /// Counts by milliseconds, of all subtasks together.
    private func latencies(_ step: Int) -> [UInt64: UInt64] {
        guard let path = job.latencyPath(step) else { return [:] }
        var counts: [UInt64: UInt64] = [:]
        for subtask in 0..<job.parallelism {
            for line in smallFile("\(path)-\(subtask)").split(separator: "\n") {
                let parts = line.split(separator: " ").compactMap { UInt64($0) }
                if parts.count == 2 { counts[parts[0], default: 0] += parts[1] }
            }
        }
        return counts
    }

    /// What came between two readings; nil: nothing.
    private func histogram(from before: [UInt64: UInt64], to after: [UInt64: UInt64]) -> Histogram<UInt64>? {
        var histogram = Histogram<UInt64>(highestTrackableValue: 60_000)
        for (age, count) in after where count > before[age] ?? 0 { histogram.record(age, count: count - (before[age] ?? 0)) }
        return histogram.totalCount > 0 ? histogram : nil
    }
}
