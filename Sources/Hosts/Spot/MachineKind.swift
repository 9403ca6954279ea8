import Synchronization

/// Whether this process's machine is a Spot instance, once somebody knows.
package final class MachineKind: Sendable {
    /// 1 or 0 among a TaskManager's figures; missing while it is not known.
    package static let figure = "Machine.IsSpot"

    private let isSpot = Mutex<Bool?>(nil)

    package init() {}

    func found(isSpot found: Bool) { isSpot.withLock { $0 = found } }

    var figures: [Figure] { isSpot.withLock { $0 }.map { [Figure(name: MachineKind.figure, value: $0 ? 1 : 0)] } ?? [] }
}
