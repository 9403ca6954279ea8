import Settings
import Testing

@Suite struct ConfigValueTests {
    @Test func durationsAreFlinks() {
        let good: [(String, Duration)] = [
            ("10 s", .seconds(10)), ("200ms", .milliseconds(200)), ("1 min", .seconds(60)), ("2 h", .seconds(7200)), ("1 d", .seconds(86400)), ("500", .milliseconds(500)),
            ("5 MINUTES", .seconds(300)), (" 3sec ", .seconds(3)), ("7 µs", .microseconds(7)), ("9 ns", .nanoseconds(9)), ("0", .zero),
        ]
        for (text, value) in good {
            #expect(Duration(configText: text) == value, "\(text)")
            #expect(Duration(configText: value.configText ?? "") == value, "\(text)")
        }
        for text in ["", "s", "-1 s", "1.5 s", "10 parsecs", "99999999999999999999 s", "9223372036854775807 d", "1 s s"] {
            #expect(Duration(configText: text) == nil, "\(text)")
        }
    }

    @Test func memorySizesCountInPowersOf1024() {
        let good: [(String, Int)] = [("2048m", 2 << 30), ("1gb", 1 << 30), ("64 kb", 65536), ("12", 12), ("7 bytes", 7), ("1 TiB", 1 << 40), ("0", 0)]
        for (text, bytes) in good {
            #expect(MemorySize(configText: text)?.bytes == bytes, "\(text)")
            #expect(MemorySize(configText: MemorySize(bytes: bytes).configText ?? "")?.bytes == bytes, "\(text)")
        }
        for text in ["", "m", "-1m", "1.5g", "1 zb", "9999999999 tb"] { #expect(MemorySize(configText: text) == nil, "\(text)") }
    }

    @Test func portRangesKeepTheirOrder() {
        #expect(PortRange(configText: "6122")?.ports == [6122])
        #expect(PortRange(configText: "50100-50102,7")?.ports == [50100, 50101, 50102, 7])
        for text in ["", "a", "5-", "-5", "7-6", "65536", "1,,2", "1-2-3"] { #expect(PortRange(configText: text) == nil, "\(text)") }
    }

    @Test func choicesIgnoreCaseAndJoiners() {
        #expect(CheckpointingMode(configText: "exactly-once") == .exactlyOnce)
        #expect(CheckpointingMode(configText: "AT_LEAST_ONCE") == .atLeastOnce)
        #expect(RestartStrategyType(configText: "failureRate") == .failureRate)
        #expect(RestartStrategyType(configText: "off") == RestartStrategyType.none)
        #expect(CheckpointingMode(configText: "twice") == nil)
    }

    @Test func listsAreSeparatedBySemicolons() {
        #expect([String](configText: "a; b;c") == ["a", "b", "c"])
        #expect([Int](configText: "1;x") == nil)
        #expect(Bool(configText: "True") == true)
        #expect(Bool(configText: "yes") == nil)
        #expect(Double(configText: "nan") == nil)
    }
}
