import AWS
import Settings

extension AWSConfiguration {
    package init(_ configuration: Configuration) {
        self.init(region: configuration.get(AWSOptions.region), profile: configuration.get(AWSOptions.profile))
    }
}

extension S3Configuration {
    /// A secret key without its access key, or the other way round, counts as none.
    package init(_ configuration: Configuration) {
        var aws = AWSConfiguration(configuration)
        aws.endpoint = configuration.get(S3Options.endpoint)
        aws.region = configuration.get(S3Options.region) ?? aws.region
        aws.retries.attempts = configuration.get(S3Options.attempts)
        if let key = configuration.get(S3Options.accessKey), let secret = configuration.get(S3Options.secretKey) {
            aws.credentials = Credentials(
                accessKey: key, secretKey: secret, sessionToken: configuration.get(S3Options.sessionToken), origin: "the configuration (s3.access-key)")
        }
        let keyID = configuration.get(S3Options.encryptionKey)
        let encryption: Encryption? =
            switch configuration.get(S3Options.encryption) {
            case nil: nil
            case .sseS3: .s3
            case .sseKMS: .kms(keyID: keyID)
            }
        self.init(aws, pathStyle: configuration.get(S3Options.pathStyle), encryption: encryption)
    }
}
