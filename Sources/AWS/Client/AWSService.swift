package enum AWSService: String, Hashable, Sendable {
    case s3, kinesis, sts

    /// As people call it.
    package var words: String {
        switch self {
        case .s3: "S3"
        case .kinesis: "Kinesis"
        case .sts: "STS"
        }
    }

    var endpointVariable: String { "AWS_ENDPOINT_URL_" + rawValue.uppercased() }

    /// The public endpoint of a region.
    package func endpoint(region: String) -> Endpoint {
        let domain =
            if region.hasPrefix("cn-") { "amazonaws.com.cn" } else if region.hasPrefix("us-iso-") { "c2s.ic.gov" } else { "amazonaws.com" }
        return Endpoint(host: "\(rawValue).\(region).\(domain)")
    }
}
