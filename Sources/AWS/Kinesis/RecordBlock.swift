/// Records of one answer, decoded: their data one behind the other in one run of bytes, each with a newline behind it.
///
/// Made by one thread, then read by another; nothing changes once it is whole.
package final class RecordBlock: @unchecked Sendable {
    /// One record as a producer made it: a whole one, or one of several that the Kinesis Producer Library put into one.
    package struct Record {
        /// Of its data in `text`. A newline follows.
        package var start: Int
        package var count: Int
        /// Of its sequence number's digits in `sequences`.
        var sequenceStart: Int32
        var sequenceCount: Int32
        /// Its place among the records that share the sequence number, and whether it is the last of them.
        package var sub: Int32
        package var isLast: Bool
        /// Milliseconds since the epoch.
        package var arrival: Int64
    }

    package private(set) var text: UnsafeMutablePointer<UInt8>
    package private(set) var count = 0
    private var capacity: Int
    private var sequences: [UInt8] = []
    package private(set) var records: [Record] = []
    /// Kinesis records, however many were in each.
    package private(set) var kinesisRecords = 0
    /// User records of aggregates that belong to other shards, and so are not here.
    package private(set) var elsewhere = 0
    /// Of the first and the last Kinesis record, also when nothing of them is here: where their digits lie in `sequences`.
    private var ends: (first: Range<Int>, last: Range<Int>)?

    /// 64 bytes behind the text may be read.
    static let slack = 64

    package init(capacity: Int) {
        self.capacity = capacity
        text = .allocate(capacity: capacity + RecordBlock.slack)
    }

    deinit { text.deallocate() }

    /// What it takes in memory.
    package var bytes: Int { capacity + RecordBlock.slack + sequences.capacity + records.capacity * MemoryLayout<Record>.stride }

    package func sequence(_ record: Record) -> String {
        String(decoding: sequences[Int(record.sequenceStart)..<Int(record.sequenceStart + record.sequenceCount)], as: UTF8.self)
    }

    /// Nil: there are no Kinesis records.
    package var firstSequence: String? { ends.map { String(decoding: sequences[$0.first], as: UTF8.self) } }
    package var lastSequence: String? { ends.map { String(decoding: sequences[$0.last], as: UTF8.self) } }

    // MARK: While it is made

    @inline(__always) func reserve(_ more: Int) -> UnsafeMutablePointer<UInt8> {
        if count + more > capacity { grow(more) }
        return text + count
    }

    @inline(never) private func grow(_ more: Int) {
        let wanted = max(count + more, capacity * 2)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: wanted + RecordBlock.slack)
        larger.update(from: text, count: count)
        text.deallocate()
        (text, capacity) = (larger, wanted)
    }

    /// `length` bytes at `reserve` are the data of a record, with a sequence number of their own.
    func append(_ length: Int, sequence: UnsafeBufferPointer<UInt8>, arrival: Int64) {
        let from = note(sequence)
        text[count + length] = 0x0A
        records.append(
            Record(
                start: count, count: length, sequenceStart: from, sequenceCount: Int32(sequence.count), sub: 0, isLast: true, arrival: arrival))
        count += length + 1
    }

    /// Parts of an aggregated record at `source`.
    func append(_ parts: [AggregateScratch.Part], elsewhere: Int, of source: UnsafePointer<UInt8>, sequence: UnsafeBufferPointer<UInt8>, arrival: Int64) {
        let from = note(sequence)
        self.elsewhere += elsewhere
        for (place, (part, sub)) in parts.lazy.map({ ($0.range, $0.sub) }).enumerated() {
            let target = reserve(part.count + 1)
            target.update(from: source + part.lowerBound, count: part.count)
            target[part.count] = 0x0A
            records.append(
                Record(
                    start: count, count: part.count, sequenceStart: from, sequenceCount: Int32(sequence.count), sub: sub,
                    isLast: place == parts.count - 1, arrival: arrival))
            count += part.count + 1
        }
    }

    private func note(_ sequence: UnsafeBufferPointer<UInt8>) -> Int32 {
        kinesisRecords += 1
        let from = Int32(sequences.count)
        sequences.append(contentsOf: sequence)
        let place = Int(from)..<sequences.count
        ends = (ends?.first ?? place, place)
        return from
    }

    /// Readers look past the end.
    func finish() { (text + count).update(repeating: 0, count: RecordBlock.slack) }
}
