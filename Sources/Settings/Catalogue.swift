/// Every declared key, for checking, for near-name hints, and for the documentation.
package enum Catalogue {
    /// Sorted by name.
    package static let keys: [any AnyConfigKey] = (CheckpointingOptions.all + RestartOptions.all + JobManagerOptions.all + TaskManagerOptions.all
        + SpotOptions.all + HeartbeatOptions.all + HighAvailabilityOptions.all + PipelineOptions.all + RestOptions.all + SecurityOptions.all
        + LogOptions.all + S3Options.all + AWSOptions.all).sorted { $0.name < $1.name }

    private static let byName: [String: any AnyConfigKey] = Dictionary(uniqueKeysWithValues: keys.map { ($0.name, $0) })

    /// One old name may stand for several keys: `security.ssl.keystore` was both scopes'.
    private static let byFormerName: [String: [any AnyConfigKey]] = keys.reduce(into: [:]) { names, key in
        for name in key.formerNames { names[name, default: []].append(key) }
    }

    package static func key(named name: String) -> (any AnyConfigKey)? { byName[name] }

    static func keys(formerly name: String) -> [any AnyConfigKey] { byFormerName[name] ?? [] }

    /// A declared name that `name` may have been meant to be.
    static func nearest(to name: String) -> String? {
        let candidates = keys.map { ($0.name, editDistance($0.name, name)) }
        guard let (nearest, distance) = candidates.min(by: { $0.1 < $1.1 }) else { return nil }
        return distance <= max(2, name.utf8.count / 8) ? nearest : nil
    }

    /// What to tell a user about a name that no key has; nil when the name is fine.
    static func warning(about name: String) -> String? {
        let near = nearest(to: name)
        if AcceptedOptions.accepts(name) {
            guard let near, editDistance(near, name) <= 2 else { return nil }
            return "\(name) has no effect here; did you mean \(near)?"
        }
        return near.map { "unknown key \(name); did you mean \($0)?" } ?? "unknown key \(name)"
    }
}

/// Letters to insert, delete or replace.
private func editDistance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a.lowercased().utf8), Array(b.lowercased().utf8))
    if abs(a.count - b.count) > 16 { return .max }
    var row = Array(0...b.count)
    for i in a.indices {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
        }
    }
    return row[b.count]
}
