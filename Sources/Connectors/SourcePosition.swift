import Dataflow

/// How far a split was read, of whatever connector it is: to be shown, and to be compared with another position of the same split.
package struct SourcePosition: Sendable {
    package let words: String
    private let place: Place

    private enum Place: Hashable {
        case start
        /// A byte of a file, a count of rows.
        case offset(Int64)
        /// In a shard.
        case record(digits: Int, sequence: String, sub: Int32)
    }

    /// Nil: it is not one of ours.
    package init?(_ state: SplitState) {
        if state.position.isEmpty {
            (place, words) = (.start, "\(state.split.label): at its beginning")
        } else if let offset = try? Position.decode(state.position, of: state.split) {
            (place, words) = (.offset(offset), "\(state.split.label): at \(offset)")
        } else if let shard = try? ShardPosition(state), shard.sequence.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // A record of which all was given is past each of its parts.
            let sub = shard.isLast ? Int32.max : shard.sub
            place = .record(digits: shard.sequence.utf8.count, sequence: shard.sequence, sub: sub)
            words = "\(state.split.label): after sequence number \(shard.sequence)" + (shard.isLast ? "" : ", user record \(shard.sub)")
        } else {
            return nil
        }
    }

    package func isBefore(_ other: SourcePosition) -> Bool {
        switch (place, other.place) {
        case (.start, .start): false
        case (.start, _): true
        case (.offset(let one), .offset(let two)): one < two
        case (.record(let digits, let one, let sub), .record(let otherDigits, let two, let otherSub)): (digits, one, sub) < (otherDigits, two, otherSub)
        case (_, .start), (.offset, .record), (.record, .offset): false
        }
    }

    /// Of every split that a reader holds or that waits for one, sorted.
    package static func all(in manifest: Manifest) -> [String] {
        splits(of: manifest).sorted { $0.key < $1.key }.map { SourcePosition($0.value)?.words ?? "\($0.value.split.label): somewhere" }
    }

    /// Where positions of a job's checkpoints, oldest first, go back: in words.
    package static func falls(along manifests: [Manifest]) -> [String] {
        var falls: [String] = []
        /// The newest of each split, and its checkpoint.
        var last: [String: (state: SplitState, checkpoint: CheckpointID)] = [:]
        var finished: [String: CheckpointID] = [:]
        for manifest in manifests {
            let now = splits(of: manifest)
            for (key, state) in now.sorted(by: { $0.key < $1.key }) {
                if let checkpoint = finished[key] {
                    falls.append("checkpoint \(manifest.checkpoint) reads \(state.split.label), which checkpoint \(checkpoint) had read to its end")
                } else if let before = last[key], let one = SourcePosition(state), let two = SourcePosition(before.state), one.isBefore(two) {
                    falls.append("checkpoint \(manifest.checkpoint) has \(one.words), behind checkpoint \(before.checkpoint), which has \(two.words)")
                } else {
                    last[key] = (state, manifest.checkpoint)
                }
            }
            // What was handed out once and is with nobody is over.
            for enumerator in manifest.enumerators {
                for id in enumerator.known where now[key(manifest, enumerator.vertex, id)] == nil && finished[key(manifest, enumerator.vertex, id)] == nil {
                    finished[key(manifest, enumerator.vertex, id)] = manifest.checkpoint
                }
            }
        }
        return falls
    }

    private static func key(_ manifest: Manifest, _ vertex: Int, _ split: String) -> String {
        "\(manifest.vertexIDs.indices.contains(vertex) ? manifest.vertexIDs[vertex] : "\(vertex)")\n\(split)"
    }

    private static func splits(of manifest: Manifest) -> [String: SplitState] {
        var splits: [String: SplitState] = [:]
        for enumerator in manifest.enumerators { for state in enumerator.pending { splits[key(manifest, enumerator.vertex, state.split.id)] = state } }
        for share in manifest.subtasks { for state in share.splits { splits[key(manifest, share.subtask.vertex, state.split.id)] = state } }
        return splits
    }
}
