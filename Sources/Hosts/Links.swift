import Dataflow
import Glibc

/// One end of an ordered, reliable stream of messages: a TCP connection, or two queues inside one process.
package protocol Link: Sendable {
    /// Callable from any thread; never waits.
    func send(_ bytes: [UInt8])
    func close(reason: String)
    /// Bytes that were handed over and have not left; 0 when it is closed.
    var pendingBytes: Int { get }
}

extension Link {
    package var pendingBytes: Int { 0 }

    /// Waits until what was sent is with the kernel, which delivers it when the process is gone; not longer than `limit`.
    package func flush(within limit: Duration) {
        let end = SystemClock.now().instant + limit
        while pendingBytes > 0, SystemClock.now().instant < end { usleep(500) }
    }
}

/// What a link's owner is told, on any thread, in order.
package struct LinkEvents: Sendable {
    package let received: @Sendable ([UInt8]) -> Void
    package let closed: @Sendable (String) -> Void

    package init(received: @escaping @Sendable ([UInt8]) -> Void, closed: @escaping @Sendable (String) -> Void) {
        self.received = received
        self.closed = closed
    }
}
