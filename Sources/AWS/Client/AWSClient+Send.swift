extension AWSClient {
    /// The whole answer; a refusal is an error.
    package func send(_ call: AWSCall) async throws(AWSError) -> HTTPResponse {
        try await attempts(call) { request in
            do throws(HTTPFailure) {
                let response = try await self.surroundings.send(request)
                guard response.isSuccess || call.alsoGood.contains(response.status) else { return .refused(response) }
                if let error = call.check?(response) { return .hidden(error) }
                return .good(response)
            } catch {
                return .failed(error)
            }
        }
    }

    /// The beginning of the answer; a refusal is an error.
    package func open(_ call: AWSCall) async throws(AWSError) -> HTTPAnswer {
        try await attempts(call) { request in
            do throws(HTTPFailure) {
                let answer = try await self.surroundings.open(request)
                if (200..<300).contains(answer.status) { return .good(answer) }
                return .refused(try await answer.collected(limitBytes: 1 << 20))
            } catch {
                return .failed(error)
            }
        }
    }

    private enum Outcome<Answer: Sendable>: Sendable {
        case good(Answer)
        case refused(HTTPResponse)
        case failed(HTTPFailure)
        /// Status 200, and yet an error.
        case hidden(AWSError)
    }

    private func attempts<Answer: Sendable>(
        _ call: AWSCall, _ carryOut: @Sendable (HTTPRequest) async -> Outcome<Answer>
    ) async throws(AWSError) -> Answer {
        let start = surroundings.elapsed()
        var attempts = 0
        var taken = 0
        var mended = 0
        /// Of any attempt: a refusal of the second says nothing about the first.
        var mayHaveHappened = false
        while true {
            var request = call.request
            request.set("host", request.endpoint.authority)
            let used = call.isSigned ? try await credentials.get(for: call.operation) : nil
            if let used { sign(&request, of: call, with: used) }
            requests.wrappingAdd(1, ordering: .relaxed)
            attempts += 1
            var error: AWSError
            switch await carryOut(request) {
            case .good(let answer):
                state.withLock { state in
                    state.tokens.succeeded(taken: taken)
                    if !state.contacted.contains(request.endpoint.authority) { state.contacted.insert(request.endpoint.authority) }
                    if let action = call.action, !state.allowed.contains(action) { state.allowed.insert(action) }
                }
                return answer
            case .refused(let response):
                error = ErrorAnswer.error(response, operation: call.operation)
                state.withLock { state in
                    state.contacted.insert(request.endpoint.authority)
                    if error.kind == .denied, let action = call.action { error.wasAllowed = state.allowed.contains(action) }
                }
                if mended < 2, mend(error, response, used) {
                    mended += 1
                    continue
                }
            case .failed(let failure):
                error = Self.error(failure, call)
                if failure.kind == .unknownHost, let outcome = unknownHost(call, attempts: attempts, since: start) {
                    guard case .tryAgain(let pause) = outcome else { throw neverFound(error, call) }
                    retries.wrappingAdd(1, ordering: .relaxed)
                    await surroundings.sleep(pause)
                    if Task.isCancelled { throw error }
                    continue
                }
            case .hidden(let hidden): error = hidden
            }
            mayHaveHappened = mayHaveHappened || error.mayHaveHappened
            if error.kind == .throttled { throttles.wrappingAdd(1, ordering: .relaxed) }
            if let pause = pause(after: error, attempts: attempts, since: start, of: call, taken: &taken) {
                retries.wrappingAdd(1, ordering: .relaxed)
                await surroundings.sleep(pause)
                if !Task.isCancelled { continue }
            }
            error.mayHaveHappened = mayHaveHappened
            throw error
        }
    }

    private func sign(_ request: inout HTTPRequest, of call: AWSCall, with credentials: Credentials) {
        let offset = state.withLock { $0.clockOffset }
        SigV4.sign(
            &request, credentials, region: call.region, service: call.service.rawValue, payloadHash: call.payloadHash,
            at: surroundings.now().adding(offset))
    }

    /// Nil: give up.
    private func pause(
        after error: AWSError, attempts: Int, since start: Duration, of call: AWSCall, taken: inout Int
    ) -> Duration? {
        guard error.retryable,
            let pause = call.retries.pause(after: attempts, elapsed: surroundings.elapsed() - start, random: surroundings.random()),
            let tokens = state.withLock({ $0.tokens.take(afterTimeout: error.kind == .timeout) })
        else { return nil }
        taken = tokens
        return pause
    }

    private enum UnknownHost {
        case tryAgain(Duration)
        case giveUp
    }

    /// Of a host that has answered before, nil: its name server is away for a while, as others may be. One that never did gets 15 s, however
    /// often the call itself would be tried: names come up with networks.
    private func unknownHost(_ call: AWSCall, attempts: Int, since start: Duration) -> UnknownHost? {
        let authority = call.request.endpoint.authority
        if state.withLock({ $0.contacted.contains(authority) }) { return nil }
        guard surroundings.elapsed() - start < .seconds(15), attempts < 100 else { return .giveUp }
        return .tryAgain(min(.seconds(1), .milliseconds(200) * attempts))
    }

    private func neverFound(_ error: AWSError, _ call: AWSCall) -> AWSError {
        let isConfigured = hasOwnEndpoint(call.service)
        return AWSError(
            .configuration, call.operation, code: "UnknownHost",
            "\(error.message) in region \(call.region): " + (isConfigured ? "is the configured endpoint right?" : "is there such a region?"))
    }

    /// True when the cause is gone and the request is worth sending again at once.
    private func mend(_ error: AWSError, _ response: HTTPResponse, _ used: Credentials?) -> Bool {
        switch error.code {
        case "RequestTimeTooSkewed", "RequestExpired", "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure", "RequestInTheFuture":
            // Some services call a wrong clock a wrong signature; the date of the answer tells.
            guard let theirs = response.header("date").flatMap({ UnixTime(http: $0) }) else { return false }
            let offset = theirs.seconds - surroundings.now().seconds
            return state.withLock { state in
                guard abs(offset - state.clockOffset) >= 60 else { return false }
                state.clockOffset = offset
                return true
            }
        case "ExpiredToken", "ExpiredTokenException":
            guard let used, configuration.credentials == nil else { return false }
            credentials.forget(used)
            return true
        default: return false
        }
    }

    static func error(_ failure: HTTPFailure, _ call: AWSCall) -> AWSError {
        let endpoint = call.request.endpoint
        let (kind, code): (AWSError.Kind, String) =
            switch failure.kind {
            case .unknownHost: (.connection, "UnknownHost")
            case .connect: (.connection, "ConnectFailed")
            case .broken: (.connection, "ConnectionBroken")
            case .timeout: (.timeout, "NoAnswer")
            case .tooLarge: (.request, "AnswerTooLarge")
            case .cancelled: (.cancelled, "Cancelled")
            }
        return AWSError(kind, call.operation, code: code, "\(failure.message) (\(endpoint))", mayHaveHappened: failure.mayHaveArrived)
    }
}
