import TaskRuntime

/// A TaskManager's link to the JobManager. Only the one that was asked for last counts: an older one's end must not look like this one's, and two
/// must not stand at once, for the JobManager takes the second for a TaskManager that was lost and came back.
package struct NewestLink {
    /// How many have been asked for.
    private var number = 0
    private var link: (any Link)?
    /// Why the newest one is over, where its end was heard before it was handed over.
    private var endedEarly: String?

    package init() {}

    /// A new one is wanted: the one there was is closed and not heard any more. Answers the new one's number.
    package mutating func ask() -> Int {
        link?.close(reason: "the TaskManager connects anew")
        link = nil
        endedEarly = nil
        number += 1
        return number
    }

    /// What the machine is to be told; nil: nothing, it is not the newest one.
    package mutating func made(_ new: any Link, _ number: Int) -> WorkerEvent? {
        guard hears(number) else {
            new.close(reason: "the TaskManager has a newer connection")
            return nil
        }
        if let reason = endedEarly { return .disconnected(reason: reason) }
        link = new
        return .connected
    }

    package mutating func failed(_ number: Int, _ reason: String) -> WorkerEvent? { hears(number) ? .disconnected(reason: reason) : nil }

    package mutating func ended(_ number: Int, _ reason: String) -> WorkerEvent? {
        guard hears(number) else { return nil }
        guard link != nil else {
            endedEarly = reason
            return nil
        }
        link = nil
        return .disconnected(reason: reason)
    }

    package func hears(_ number: Int) -> Bool { number == self.number }

    package func send(_ bytes: [UInt8]) { link?.send(bytes) }

    package func close(reason: String) { link?.close(reason: reason) }

    package func flush(within limit: Duration) { link?.flush(within: limit) }
}
