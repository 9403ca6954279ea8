/// Says of each restart of a job that is waited for why it came, once.
struct RestartNotes {
    /// The job prints its rows as they come.
    var repeatsRows = false
    private var shown = 0

    init(repeatsRows: Bool = false) { self.repeatsRows = repeatsRows }

    func isNew(_ restarts: Int) -> Bool { restarts > shown }

    /// `cause`: nil when a TaskManager only left in good order.
    mutating func show(_ cause: String?, _ restarts: Int, above progress: ProgressLine) {
        shown = restarts
        progress.clear()
        Terminal.error("restart \(restarts)" + (cause.map { ", because \($0)" } ?? "") + (repeatsRows ? " (rows may be printed again)" : ""))
    }
}
