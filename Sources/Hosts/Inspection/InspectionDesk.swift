import Columnar
import NIOCore
import Synchronization
import Transport

/// A process's end of connections that ask about it: answers on a thread of its own, which costs nothing while nobody asks.
package final class InspectionDesk: Sendable {
    private static let maximumWaiting = 16

    private let inspector: Inspector
    private let pool = WorkPool(name: "inspection", threads: 2)
    private let waiting = Atomic<Int>(0)

    package init(_ inspector: Inspector) { self.inspector = inspector }

    /// For this process itself.
    package func answer(_ question: Question) async -> Answer {
        await withCheckedContinuation { continuation in pool.run { [inspector] in continuation.resume(returning: inspector.answer(question)) } }
    }

    func accept(_ connection: FrameConnection) -> FrameHandler {
        FrameHandler(
            onFrame: { [self] frame in
                do throws(MalformedBytes) {
                    let question = try Question.decode(Array(frame.readableBytesView))
                    guard waiting.add(1, ordering: .relaxed).newValue <= InspectionDesk.maximumWaiting else {
                        waiting.subtract(1, ordering: .relaxed)
                        return connection.send(Answer.refused("too much is asked at once; try again").encode())
                    }
                    pool.run { [self] in
                        defer { waiting.subtract(1, ordering: .relaxed) }
                        if !connection.isClosing { connection.send(inspector.answer(question).encode()) }
                    }
                } catch {
                    connection.close(reason: "a question that cannot be read: \(error)")
                }
            },
            onClosed: { _ in })
    }
}
