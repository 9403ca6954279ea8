import CVersion

package enum Version {
    package static let number = "0.1.0"
    /// The commit that was built; `unknown` outside a git checkout.
    package static let commit = String(cString: swiftwater_commit())

    package static let text = "\(number) (commit \(commit))"
}
