/// Which stream: a name in the client's account and region, or an ARN.
package struct KinesisStream: Hashable, Sendable, CustomStringConvertible {
    package var name: String
    package var arn: String?

    package init(name: String) { self.name = name }

    /// `arn:aws:kinesis:us-east-1:012345678901:stream/name`; nil when it is no such thing.
    package init?(arn: String) {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "kinesis", parts[5].hasPrefix("stream/") else { return nil }
        name = String(parts[5].dropFirst("stream/".count))
        self.arn = arn
        guard !name.isEmpty else { return nil }
    }

    /// The region that an ARN names.
    package var region: String? { arn.map { String($0.split(separator: ":", omittingEmptySubsequences: false)[3]) } }

    package var description: String { name }

    /// As members of a request.
    var members: String { arn.map { "\"StreamARN\":\(JSONText.quoted($0))" } ?? "\"StreamName\":\(JSONText.quoted(name))" }
}

package struct KinesisShard: Hashable, Sendable {
    package var id: String
    package var parents: [String]
    /// Of the range of hash keys, in 128-bit decimal digits.
    package var firstHashKey: String
    package var lastHashKey: String
    package var isClosed: Bool
    package var keys: HashKeyRange? { HashKeyRange(first: firstHashKey, last: lastHashKey) }

    package init(id: String, parents: [String] = [], firstHashKey: String = "0", lastHashKey: String = "0", isClosed: Bool = false) {
        (self.id, self.parents, self.isClosed) = (id, parents, isClosed)
        (self.firstHashKey, self.lastHashKey) = (firstHashKey, lastHashKey)
    }
}

/// Where reading of a shard begins.
package enum KinesisPosition: Hashable, Sendable {
    case trimHorizon
    case latest
    /// Milliseconds since the epoch. The service refuses a time that its clock has not reached.
    case timestamp(Int64)
    case at(sequence: String)
    case after(sequence: String)

    func members(type: String) -> String {
        switch self {
        case .trimHorizon: "\"\(type)\":\"TRIM_HORIZON\""
        case .latest: "\"\(type)\":\"LATEST\""
        case .timestamp(let milliseconds): "\"\(type)\":\"AT_TIMESTAMP\",\"Timestamp\":\(JSONText.seconds(milliseconds))"
        case .at(let sequence): "\"\(type)\":\"AT_SEQUENCE_NUMBER\",\"\(name(type))\":\(JSONText.quoted(sequence))"
        case .after(let sequence): "\"\(type)\":\"AFTER_SEQUENCE_NUMBER\",\"\(name(type))\":\(JSONText.quoted(sequence))"
        }
    }

    private func name(_ type: String) -> String { type == "Type" ? "SequenceNumber" : "StartingSequenceNumber" }
}

/// A record to be put.
package struct KinesisEntry: Hashable, Sendable {
    package var data: [UInt8]
    package var partitionKey: String

    package init(data: [UInt8], partitionKey: String) { (self.data, self.partitionKey) = (data, partitionKey) }

    /// What counts towards the limits of a request.
    package var bytes: Int { data.count + partitionKey.utf8.count }

    /// Of one request, and of one record in it.
    package static let maximumInRequest = 500
    package static let maximumRequestBytes = 5 << 20
    package static let maximumBytes = 1 << 20
}

package struct KinesisConsumer: Hashable, Sendable {
    package var arn: String
    package var isActive: Bool
}

/// Pieces of JSON requests.
enum JSONText {
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\u{00}"..."\u{1F}":
                let hex = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    /// Seconds with three decimals.
    static func seconds(_ milliseconds: Int64) -> String {
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
