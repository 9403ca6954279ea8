import CKernels
import Columnar
import Dataflow
import Hosts
import JobControl
import Synchronization
import Testing

struct InspectionTests {
    private let questions: [Question] = [
        .figures, .files, .file(name: "taskmanager.log", offset: -400, limit: 100), .file(name: nil, offset: 0, limit: .max),
        .standardOutput(offset: 1, limit: 2), .threads, .samples(of: JobID(high: 1, low: 2), vertex: 3, rounds: 100, milliseconds: 50),
    ]
    private let answers: [Answer] = [
        .figures([Figure(name: "Status.JVM.CPU.Load", value: 0.25)]), .files([LogFiles.Entry(name: "a", bytes: 1, modified: 2)]),
        .part(LogFiles.Part(bytes: [1, 2, 3], offset: 4, size: 7)), .noSuchFile, .threads([ThreadText(name: "slot-0", text: "at f\n")]),
        .samples([StackCount(subtask: 1, isOnCPU: true, frames: ["main", "f"], count: 9)]), .refused("no"),
    ]

    @Test func whatIsAskedAndAnsweredArrives() throws {
        for question in questions { #expect(try Question.decode(question.encode()) == question) }
        for answer in answers { #expect(try Answer.decode(answer.encode()) == answer) }
    }

    @Test func cutOffBytesAreRefused() {
        for bytes in questions.map({ $0.encode() }) {
            for length in 0..<bytes.count { #expect(throws: MalformedBytes.self) { try Question.decode(Array(bytes[..<length])) } }
        }
        for bytes in answers.map({ $0.encode() }) {
            for length in 0..<bytes.count { #expect(throws: MalformedBytes.self) { try Answer.decode(Array(bytes[..<length])) } }
        }
    }

    @Test func aBusyFunctionIsFoundUnderItsOwnName() throws {
        let task = TaskID(job: JobID(high: 1, low: 0x1_0000_0002), subtask: SubtaskID(vertex: 2, index: 5), attempt: 1)
        let over = Flag()
        startThread(named: "slot-77") {
            swiftwater_mark_thread(TaskMark(task).number)
            while !over.isSet { spinForFlameGraphs(1_000_000) }
        }
        defer { over.set() }
        let inspector = Inspector(log: .none)
        guard case .samples(let stacks) = inspector.answer(.samples(of: task.job, vertex: 2, rounds: 40, milliseconds: 5)) else {
            Issue.record("another kind of answer")
            return
        }
        let all = stacks.filter { $0.subtask == 5 }
        let hot = all.filter { $0.frames.contains { $0.contains("spinForFlameGraphs") } }
        #expect(hot.reduce(0) { $0 + $1.count } * 2 >= all.reduce(0) { $0 + $1.count } && !hot.isEmpty)
        #expect(all.allSatisfy { $0.isOnCPU })
        guard case .samples(let others) = inspector.answer(.samples(of: task.job, vertex: 3, rounds: 2, milliseconds: 5)) else { return }
        #expect(!others.contains { $0.subtask == 5 })
    }

    @Test func aThreadDumpNamesThreadsAndTheirStates() {
        let over = Flag()
        startThread(named: "dumped") { while !over.isSet { spinForFlameGraphs(1_000_000) } }
        defer { over.set() }
        var found: ThreadText?
        // The thread gives itself its name only when it runs.
        while found == nil {
            guard case .threads(let threads) = Inspector(log: .none).answer(.threads) else { break }
            found = threads.first { $0.name == "dumped" }
        }
        #expect(found?.text.hasPrefix("\"dumped\" Id=") == true)
        #expect(found?.text.contains("\n\tat ") == true)
    }
}

private final class Flag: Sendable {
    private let state = Atomic(false)
    var isSet: Bool { state.load(ordering: .acquiring) }
    func set() { state.store(true, ordering: .releasing) }
}

@inline(never)
private func spinForFlameGraphs(_ rounds: UInt64) {
    var number: UInt64 = 88_172_645_463_325_252
    for _ in 0..<rounds {
        number ^= number << 13
        number ^= number >> 7
        number ^= number << 17
    }
    sink.store(number, ordering: .relaxed)
}

private let sink = Atomic<UInt64>(0)
