extension TaskManagerHost {
    /// A recommendation knows no time: what runs here goes when there is somewhere to go. This is how long that may take.
    private static let patience = Duration.seconds(86_400)

    /// What the metadata service's words come to.
    func obey(_ decision: SpotNotices.Decision) {
        switch decision {
        case .leave(let reason, let within): leave(reason: reason, within: within)
        case .evacuate(let reason): leave(reason: reason, within: Self.patience, ends: false)
        case .note: break  // The watcher has logged it.
        }
    }
}
