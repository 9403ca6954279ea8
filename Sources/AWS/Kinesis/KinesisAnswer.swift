/// What GetRecords answers, and the events of a subscription: read in one pass over the bytes, data decoded where it will stay.
package struct KinesisAnswer: Sendable {
    package var block: RecordBlock
    /// Nil: the shard has ended (GetRecords).
    package var nextIterator: String?
    /// Nil: the shard has ended (a subscription).
    package var continuation: String?
    /// Nil: not said.
    package var millisBehindLatest: Int64?
    package var hasChildShards = false

    /// Nil when the bytes are no such answer. `keys`: what the shard takes; user records of aggregates that belong to others are left out.
    package init?(_ body: UnsafeBufferPointer<UInt8>, keys: HashKeyRange? = nil) {
        block = RecordBlock(capacity: max(body.count - body.count / 4, 256))
        guard let base = body.baseAddress else { return nil }
        var scanner = AnswerScanner(base, body.count)
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        var aggregate = AggregateScratch(keys: keys)
        if !scanner.take(UInt8(ascii: "}")) {
            repeat {
                guard let name = scanner.string(), scanner.take(UInt8(ascii: ":")) else { return nil }
                if name.equals("Records") {
                    guard scanner.take(UInt8(ascii: "[")) else { return nil }
                    if scanner.take(UInt8(ascii: "]")) { continue }
                    repeat {
                        guard KinesisAnswer.record(&scanner, block, &aggregate) else { return nil }
                    } while scanner.take(UInt8(ascii: ","))
                    guard scanner.take(UInt8(ascii: "]")) else { return nil }
                } else if name.equals("NextShardIterator") {
                    if scanner.takeNull() { continue }
                    guard let text = scanner.string()?.text else { return nil }
                    nextIterator = text
                } else if name.equals("ContinuationSequenceNumber") {
                    if scanner.takeNull() { continue }
                    guard let text = scanner.string()?.text else { return nil }
                    continuation = text
                } else if name.equals("MillisBehindLatest") {
                    if scanner.takeNull() { continue }
                    guard let value = scanner.number() else { return nil }
                    millisBehindLatest = Int64(value)
                } else {
                    if name.equals("ChildShards"), !scanner.isNullNext { hasChildShards = true }
                    guard scanner.skipValue() else { return nil }
                }
            } while scanner.take(UInt8(ascii: ","))
            guard scanner.take(UInt8(ascii: "}")) else { return nil }
        }
        guard scanner.isAtEnd else { return nil }
        block.finish()
    }

    package init?(_ body: [UInt8], keys: HashKeyRange? = nil) {
        guard let answer = body.withUnsafeBufferPointer({ KinesisAnswer($0, keys: keys) }) else { return nil }
        self = answer
    }

    private static func record(_ scanner: inout AnswerScanner, _ block: RecordBlock, _ aggregate: inout AggregateScratch) -> Bool {
        guard scanner.take(UInt8(ascii: "{")) else { return false }
        var sequence: AnswerScanner.Slice?
        var data: AnswerScanner.Slice?
        var arrival = 0.0
        repeat {
            guard let name = scanner.string(), scanner.take(UInt8(ascii: ":")) else { return false }
            if name.equals("Data") {
                guard let text = scanner.string() else { return false }
                data = text
            } else if name.equals("SequenceNumber") {
                guard let text = scanner.string() else { return false }
                sequence = text
            } else if name.equals("ApproximateArrivalTimestamp") {
                guard let value = scanner.number() else { return false }
                arrival = value
            } else {
                guard scanner.skipValue() else { return false }
            }
        } while scanner.take(UInt8(ascii: ","))
        guard scanner.take(UInt8(ascii: "}")), let sequence, let data, data.hasNoEscapes, sequence.hasNoEscapes else { return false }
        let target = block.reserve(data.count / 4 * 3 + 8)
        guard let length = Base64.decode(data.start, data.count, into: target) else { return false }
        let digits = UnsafeBufferPointer(start: sequence.start, count: sequence.count)
        let milliseconds = Int64((arrival * 1000).rounded())
        if let (parts, elsewhere) = aggregate.parts(target, length) {
            // The parts are copied behind one another: what was decoded goes out of the way first.
            aggregate.keep(target, length)
            block.append(parts, elsewhere: elsewhere, of: aggregate.kept, sequence: digits, arrival: milliseconds)
        } else {
            block.append(length, sequence: digits, arrival: milliseconds)
        }
        return true
    }
}

extension Base64 {
    private static let pairs: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    /// Bytes decoded; nil when the text is no Base64 with its padding. Up to 8 bytes behind the result may be written.
    static func decode(_ text: UnsafePointer<UInt8>, _ count: Int, into target: UnsafeMutablePointer<UInt8>) -> Int? {
        guard count % 4 == 0 else { return nil }
        if count == 0 { return 0 }
        return pairs.withUnsafeBufferPointer { table in
            let values = table.baseAddress.unsafelyUnwrapped
            var padding = 0
            while padding < 2, text[count - 1 - padding] == 0x3D { padding += 1 }
            let whole = padding > 0 ? count - 4 : count
            var out = target
            var bad: UInt8 = 0
            var at = 0
            while at < whole {
                let a = values[Int(text[at])], b = values[Int(text[at &+ 1])], c = values[Int(text[at &+ 2])], d = values[Int(text[at &+ 3])]
                bad |= a | b | c | d
                let word = UInt32(a) &<< 18 | UInt32(b & 63) &<< 12 | UInt32(c & 63) &<< 6 | UInt32(d & 63)
                out[0] = UInt8(truncatingIfNeeded: word &>> 16)
                out[1] = UInt8(truncatingIfNeeded: word &>> 8)
                out[2] = UInt8(truncatingIfNeeded: word)
                out += 3
                at &+= 4
            }
            if padding > 0 {
                let a = values[Int(text[at])], b = values[Int(text[at + 1])], c = padding == 1 ? values[Int(text[at + 2])] : 0
                bad |= a | b | c
                let word = UInt32(a & 63) << 18 | UInt32(b & 63) << 12 | UInt32(c & 63) << 6
                out[0] = UInt8(truncatingIfNeeded: word >> 16)
                out[1] = UInt8(truncatingIfNeeded: word >> 8)
            }
            return bad & 0xC0 == 0 ? whole / 4 * 3 + (padding > 0 ? 3 - padding : 0) : nil
        }
    }
}
