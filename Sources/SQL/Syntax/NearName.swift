/// The known name that a misspelt one most likely means, or nil when none is near.
///
/// Nearness is the number of single letters inserted, deleted, changed or swapped with their neighbour, without regard to case;
/// a third of the word's length may differ. Among equally near names the first wins, so `candidates` should be in a fixed order.
package func nearName(to name: String, among candidates: [String]) -> String? {
    let wanted = Array(name.lowercased().unicodeScalars)
    guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
    let allowed = max(1, wanted.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates {
        let letters = Array(candidate.lowercased().unicodeScalars)
        guard abs(letters.count - wanted.count) <= allowed else { continue }
        let distance = editDistance(wanted, letters)
        if distance <= allowed, distance < (best?.distance ?? .max) { best = (candidate, distance) }
    }
    // One letter against another is no likeness.
    return best.flatMap { $0.distance < max(wanted.count, $0.name.count) ? $0.name : nil }
}

/// `did you mean 'x'?`, or nil.
func nearNameHint(_ name: String, among candidates: [String]) -> String? {
    nearName(to: name, among: candidates).map { "did you mean '\($0)'?" }
}

private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1]
        row.reserveCapacity(b.count + 1)
        for j in 0..<b.count {
            var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
            row.append(cost)
        }
        beforeLast = last
        last = row
    }
    return last[b.count]
}
