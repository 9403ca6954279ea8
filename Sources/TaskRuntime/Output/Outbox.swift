/// Collects a task's effects while one command or step is carried out.
final class Outbox {
    var effects: [TaskEffect] = []
}

/// Which operator an error came from: the innermost one, noted once.
final class ErrorPlace {
    private(set) var name: String?

    func note(_ name: String) { if self.name == nil { self.name = name } }
}
