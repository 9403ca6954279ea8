import AWS
import Testing

struct KinesisAnswerTests {
    /// Each record as `sequence/sub data`, `…` behind those that share their sequence number with a later one.
    private func words(_ block: RecordBlock) -> [String] {
        block.records.map { record in
            #expect(block.text[record.start + record.count] == 0x0A)
            let data = String(decoding: UnsafeBufferPointer(start: block.text + record.start, count: record.count), as: UTF8.self)
            return "\(block.sequence(record))/\(record.sub) \(data)\(record.isLast ? "" : " …")"
        }
    }

    private func parse(_ text: String) -> KinesisAnswer? { KinesisAnswer(Array(text.utf8)) }

    @Test func recordsAreDecodedInOrder() throws {
        let answer = try #require(
            parse(
                """
                {"ChildShards":null,"Records":[
                {"ApproximateArrivalTimestamp":1.593816839236E9,"Data":"eyJhIjoxfQ==","PartitionKey":"a\\"b","SequenceNumber":"4961"},
                {"SequenceNumber":"4962","Data":"","EncryptionType":"KMS","Unknown":{"x":["]}\\"",1]},"ApproximateArrivalTimestamp":1593816839.237}],
                "NextShardIterator":"AAA\\u003d","MillisBehindLatest":12000}
                """))
        #expect(words(answer.block) == ["4961/0 {\"a\":1}", "4962/0 "])
        #expect(answer.block.records.map(\.arrival) == [1_593_816_839_236, 1_593_816_839_237])
        #expect(answer.nextIterator == "AAA=")
        #expect(answer.millisBehindLatest == 12000)
        #expect(!answer.hasChildShards)
    }

    @Test func aShardsEndHasNoIterator() throws {
        let answer = try #require(parse(#"{"Records":[],"MillisBehindLatest":0,"ChildShards":[{"ShardId":"s","ParentShards":["p"]}]}"#))
        #expect(answer.nextIterator == nil)
        #expect(answer.hasChildShards)
        #expect(try #require(self.parse(#"{"NextShardIterator":null,"Records":[]}"#)).nextIterator == nil)
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 100]) func everyLengthOfDataComesBack(count: Int) throws {
        let data = (0..<count).map { UInt8($0 * 37 & 0xFF) }
        let answer = try #require(parse(#"{"Records":[{"SequenceNumber":"1","Data":"\#(Base64.encode(data))"}]}"#))
        let record = try #require(answer.block.records.first)
        #expect(Array(UnsafeBufferPointer(start: answer.block.text + record.start, count: record.count)) == data)
    }

    /// Made by a Python program from the format's description: three records, the second without data.
    private static let aggregate = "84mawgoDa2V5GgsIABoHeyJhIjoxfRoECAAaABoLCAAaB3siYSI6M33/nVx1GUsFZbAVjhjxKUGP"

    @Test func whatTheProducerLibraryPutTogetherIsTakenApart() throws {
        let answer = try #require(
            parse(#"{"Records":[{"SequenceNumber":"8","Data":"\#(Self.aggregate)"},{"SequenceNumber":"9","Data":"eA=="}]}"#))
        #expect(words(answer.block) == [#"8/0 {"a":1} …"#, "8/1  …", #"8/2 {"a":3}"#, "9/0 x"])
        #expect(answer.block.kinesisRecords == 2)
    }

    /// User records 1 to 4: by explicit hash keys 5 and 2^127, by partition keys "a" (MD5 0cc1…) and "b" (MD5 92eb…). Made by a Python program.
    private static let ofTwoShards =
        "84mawgoBawoBYQoBYhIBNRInMTcwMTQxMTgzNDYwNDY5MjMxNzMxNjg3MzAzNzE1ODg0MTA1NzI4GgcIABAAGgExGgcIABABGgEyGgUIARoBMxoFCAIaATQXMPzc6e6VkGxWKNQ71bKx"

    @Test func userRecordsOfAnAggregateThatBelongToOtherShardsAreLeftOut() throws {
        let text = Array(#"{"Records":[{"SequenceNumber":"8","Data":"\#(Self.ofTwoShards)"}]}"#.utf8)
        let half = UInt128(1) << 127
        let lower = try #require(KinesisAnswer(text, keys: HashKeyRange(0, half - 1)))
        #expect(words(lower.block) == ["8/0 1 …", "8/2 3"])
        #expect(lower.block.elsewhere == 2)
        let upper = try #require(KinesisAnswer(text, keys: HashKeyRange(half, .max)))
        #expect(words(upper.block) == ["8/1 2 …", "8/3 4"])
        let one = try #require(KinesisAnswer(text, keys: HashKeyRange(6, 6)))
        #expect(words(one.block) == [])
        #expect(one.block.firstSequence == "8" && one.block.lastSequence == "8", "where to go on is known all the same")
        for keys in [nil, HashKeyRange(0, .max)] { #expect(try #require(KinesisAnswer(text, keys: keys)).block.records.count == 4) }
    }

    @Test func anAggregateWithAWrongDigestIsARecordLikeAnyOther() throws {
        var bytes = try #require(Base64.decode(Self.aggregate.utf8))
        bytes[10] ^= 1
        let answer = try #require(parse(#"{"Records":[{"SequenceNumber":"8","Data":"\#(Base64.encode(bytes))"}]}"#))
        #expect(answer.block.records.map(\.count) == [bytes.count])
    }

    @Test(arguments: [
        "", "{", "[]", #"{"Records":}"#, #"{"Records":[{"Data":"eA=="}]}"#, #"{"Records":[{"SequenceNumber":"1","Data":"e"}]}"#,
        #"{"Records":[{"SequenceNumber":"1","Data":"e!=="}]}"#, #"{"Records":[]} x"#, #"{"Records":[{"SequenceNumber":"1","Data":"ab=d"}]}"#,
    ]) func whatIsNoAnswerIsNil(text: String) { #expect(parse(text) == nil) }

    @Test func noPrefixOfAnAnswerIsOne() {
        let text = Array(#"{"Records":[{"SequenceNumber":"1","Data":"eA==","ApproximateArrivalTimestamp":1.5}],"MillisBehindLatest":1,"NextShardIterator":"i"}"#.utf8)
        for count in 0..<text.count { #expect(KinesisAnswer(Array(text[..<count])) == nil) }
    }
}
