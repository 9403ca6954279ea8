import REST
import Testing

struct ConnectionTableTests {
    @Test func thoseThatWaitLongestMakeRoom() {
        var table = ConnectionTable(most: 3, mostOfOneAddress: 3)
        for id in 1...3 as ClosedRange<UInt64> { #expect(table.opened(id, from: "a") == .admitted) }
        table.asked(1)
        #expect(table.opened(4, from: "a") == .admittedInsteadOf(2))
        // It has asked once: one that never did goes first.
        table.answered(1)
        #expect(table.opened(5, from: "b") == .admittedInsteadOf(3))
        #expect(table.count == 3)
        for id in [4, 5] as [UInt64] { table.asked(id) }
        #expect(table.opened(6, from: "b") == .admittedInsteadOf(1))
    }

    @Test func whatIsBeingAnsweredStays() {
        var table = ConnectionTable(most: 2, mostOfOneAddress: 2)
        for id in 1...2 as ClosedRange<UInt64> {
            _ = table.opened(id, from: "a")
            table.asked(id)
        }
        #expect(table.opened(3, from: "b") == .refused("2 connections are being answered already (rest.server.max-connections)"))
        #expect(table.count == 2)
        table.closed(1)
        #expect(table.opened(3, from: "b") == .admitted)
    }

    @Test func oneAddressLeavesRoomForOthers() {
        var table = ConnectionTable(most: 10, mostOfOneAddress: 2)
        _ = table.opened(1, from: "quiet")
        for id in 2...3 as ClosedRange<UInt64> {
            _ = table.opened(id, from: "loud")
            table.asked(id)
        }
        guard case .refused(let words) = table.opened(4, from: "loud") else {
            Issue.record("a third of one address")
            return
        }
        #expect(words.contains("from loud"))
        #expect(table.opened(5, from: "other") == .admitted)
        // The connection of another address does not make room for it.
        table.answered(2)
        #expect(table.opened(6, from: "loud") == .admittedInsteadOf(2))
    }

    /// Closing twice, or what is not known, is nothing.
    @Test func whatIsForgottenIsNotCounted() {
        var table = ConnectionTable(most: 2, mostOfOneAddress: 1)
        _ = table.opened(1, from: "a")
        table.closed(1)
        table.closed(1)
        table.asked(1)
        table.answered(1)
        #expect(table.count == 0)
        #expect(table.opened(2, from: "a") == .admitted)
    }
}
