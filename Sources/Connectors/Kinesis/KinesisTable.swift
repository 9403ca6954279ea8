import AWS
import Dataflow
import Synchronization

/// Which stream a table is, and how it is reached. Options are Flink's.
struct KinesisTable: Sendable {
    let name: String
    let stream: KinesisStream
    let configuration: AWSConfiguration
    /// In place of one of its own.
    var given: AWSClient?

    init(_ options: Options) throws(StreamError) {
        name = options.table
        if let arn = options.string("stream.arn") {
            guard options.string("stream") == nil else { throw options.error("'stream' and 'stream.arn' cannot both be given") }
            guard let found = KinesisStream(arn: arn) else {
                throw options.error("'stream.arn' is like 'arn:aws:kinesis:us-east-1:012345678901:stream/name', not '\(arn)'")
            }
            stream = found
        } else {
            guard let text = options.string("stream") else { throw options.error("the option 'stream.arn' or 'stream' is missing") }
            guard !text.isEmpty, text.utf8.allSatisfy({ isNameByte($0) }) else { throw options.error("'stream' is a stream's name, not '\(text)'") }
            stream = KinesisStream(name: text)
        }
        var configuration = AWSConfiguration(region: options.string("aws.region") ?? stream.region, endpoint: options.string("aws.endpoint"))
        switch options.string("aws.credentials.provider")?.uppercased() {
        case nil where options.string("aws.credentials.basic.accesskeyid") != nil, "BASIC":
            configuration.credentials = Credentials(
                accessKey: try options.required("aws.credentials.basic.accesskeyid"), secretKey: try options.required("aws.credentials.basic.secretkey"),
                origin: "the options of table \(options.table)")
        case "PROFILE": configuration.profile = options.string("aws.credentials.profile.name")
        case nil, "AUTO", "ENV_VAR", "SYS_PROP", "WEB_IDENTITY_TOKEN": break  // The chain asks them all, in AWS's order.
        case let other?:
            throw options.error("'aws.credentials.provider' is AUTO, BASIC, ENV_VAR, PROFILE or WEB_IDENTITY_TOKEN; \(other) is not there")
        }
        self.configuration = configuration
    }

    /// One client for each configuration in a process, so that credentials are asked for once.
    private static let clients = Mutex<[AWSConfiguration: AWSClient]>([:])

    var client: KinesisClient {
        let configuration = configuration
        let client = given ?? KinesisTable.clients.withLock { clients in
            if let client = clients[configuration] { return client }
            let client = AWSClient(configuration)
            clients[configuration] = client
            return client
        }
        return KinesisClient(client, stream: stream)
    }

    /// `isStart`: it has never gone well.
    func error(_ error: AWSError, isStart: Bool = false) -> StreamError {
        // Whatever gives credentials may be away for a while; where they were never right, somebody has to mend that.
        let retry = error.retryable || error.kind == .cancelled || error.kind == .credentials && !isStart
        let kind: StreamError.Kind =
            switch error.kind {
            case .denied where error.wasAllowed: .externalSystem  // What was taken away may come back: the restart strategy decides.
            case .configuration, .notFound, .request, .denied: .user
            case .connection, .timeout: .connection
            case .credentials where isStart: .user
            case .credentials, .conflict, .throttled, .service, .cancelled: .externalSystem
            }
        var words = "table \(name), stream \(stream): \(error)"
        if error.kind == .notFound { words += " Is its name right, and the region?" }
        return StreamError(kind, retry: retry, words)
    }
}

private func isNameByte(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x2E || byte == 0x5F
}
