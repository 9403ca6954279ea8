/// A few threads for work that waits: stores, folders, restores. Work of one pool is started in the order it was given.
package final class WorkPool: Sendable {
    private let mailboxes: [Mailbox<@Sendable () -> Void>]
    private let next = Turn()

    package init(name: String, threads: Int) {
        mailboxes = (0..<threads).map { _ in Mailbox() }
        for (index, mailbox) in mailboxes.enumerated() {
            startThread(named: "\(name)-\(index)") {
                var work: [@Sendable () -> Void] = []
                while true {
                    mailbox.take(into: &work, sleepingUntil: .distantFuture)
                    for item in work { item() }
                    work.removeAll(keepingCapacity: true)
                }
            }
        }
    }

    /// `lane`: work of one lane runs one after the other.
    package func run(lane: Int? = nil, _ work: @escaping @Sendable () -> Void) {
        mailboxes[(lane ?? next.take()) % mailboxes.count].post(work)
    }
}
