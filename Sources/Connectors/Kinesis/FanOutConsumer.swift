import AWS

/// The registered consumer of a reader's subscriptions, asked for once.
actor FanOutConsumer {
    private let client: KinesisClient
    private let name: String
    private let registers: Bool
    private var finding: Task<Result<String, AWSError>, Never>?

    init(_ client: KinesisClient, name: String, registers: Bool) { (self.client, self.name, self.registers) = (client, name, registers) }

    /// Waits until it is active.
    func arn() async throws(AWSError) -> String {
        let task: Task<Result<String, AWSError>, Never>
        if let finding {
            task = finding
        } else {
            task = Task { [client, name, registers] in await FanOutConsumer.find(client, name, registers) }
            finding = task
        }
        let result = await task.value
        if case .failure = result { finding = nil }
        return try result.get()
    }

    /// It is not there any more.
    func forget() { finding = nil }

    private static func find(_ client: KinesisClient, _ name: String, _ registers: Bool) async -> Result<String, AWSError> {
        do throws(AWSError) {
            let stream: String
            if let arn = client.stream.arn { stream = arn } else { stream = try await client.describe().arn }
            // Becoming active takes seconds.
            for _ in 0..<120 {
                let consumer = try await client.consumer(name, streamARN: stream, registers: registers)
                if consumer.isActive { return .success(consumer.arn) }
                try? await Task.sleep(for: .milliseconds(500))
            }
            throw AWSError(.timeout, "Kinesis DescribeStreamConsumer \(name)", code: "NotActive", "the consumer does not become ACTIVE")
        } catch {
            return .failure(error)
        }
    }
}
