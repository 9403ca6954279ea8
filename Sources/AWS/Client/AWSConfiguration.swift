/// What a user may set about AWS. What is nil comes from where every AWS tool takes it.
package struct AWSConfiguration: Hashable, Sendable {
    /// Nil: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile, the instance.
    package var region: String?
    /// Nil: `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, the service's own for the region.
    package var endpoint: String?
    /// Nil: the chain of `CredentialChain`.
    package var credentials: Credentials?
    /// Nil: `AWS_PROFILE`, else `default`.
    package var profile: String?
    package var retries = RetryPolicy()

    package init(region: String? = nil, endpoint: String? = nil, credentials: Credentials? = nil, profile: String? = nil) {
        (self.region, self.endpoint, self.credentials, self.profile) = (region, endpoint, credentials, profile)
    }
}
