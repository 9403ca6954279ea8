import Dataflow
import Glibc
import Hosts
import JobControl
import Settings
import Testing

/// A folder that goes with the test.
final class Folder {
    let path: String

    init() {
        var template = Array("/tmp/swiftwater-test-XXXXXX".utf8CString)
        precondition(mkdtemp(&template) != nil, "a folder can be made")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    var names: [String] {
        guard let listing = opendir(path) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let item = readdir(listing) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

struct LogTests {
    private let job = "00000000000000010000000000000002"

    /// A log that nobody sees but its own files.
    private func log(_ settings: [String: String]) throws -> Log {
        let log = Log(descriptor: open("/dev/null", O_WRONLY))
        log.configure(try Configuration(values: settings), role: "taskmanager")
        return log
    }

    private func text(_ log: Log) -> String {
        String(decoding: log.read(file: log.currentFile, offset: 0, limit: 1 << 20)?.bytes ?? [], as: UTF8.self)
    }

    @Test func aLineSaysWhichTaskItIsAbout() throws {
        let log = try log([:])
        log(.info, "Task", "Task \(job)/1.0#3 switched from RUNNING to FINISHED")
        log(.warning, "JobMaster", "Job Prices (\(job)) restarts")
        log(.info, "Workers", "TaskManager a leaves; 0123456789abcdef is no job")
        let lines = text(log).split(separator: "\n")
        #expect(lines[0].hasSuffix("INFO  Task [\(job)/1.0#3] - Task \(job)/1.0#3 switched from RUNNING to FINISHED"))
        #expect(lines[1].contains(" WARN  JobMaster [\(job)] - "))
        #expect(lines[2].contains(" INFO  Workers [] - "))
    }

    @Test func jsonLinesAreObjectsWhateverTheMessageHolds() throws {
        let log = try log(["log.format": "json"])
        log(.error, "Task", "Task \(job)/1.0#3 failed: \"quoted\"\nsecond line \u{1}")
        let line = text(log)
        #expect(line.hasSuffix("\n") && line.split(separator: "\n").count == 1)
        #expect(line.contains("\"level\":\"ERROR\",\"logger\":\"Task\",\"job\":\"\(job)\",\"task\":\"\(job)/1.0#3\""))
        #expect(line.contains("\\\"quoted\\\"\\nsecond line \\u0001\"}"))
    }

    @Test func aMessageCannotForgeALine() throws {
        let log = try log([:])
        log(.info, "Task", "first\n2026-11-22 10:00:00,000 ERROR JobMaster [] - forged")
        #expect(text(log).split(separator: "\n").last?.hasPrefix("    2026") == true)
    }

    @Test func eachLoggerHasItsOwnLevel() throws {
        let log = try log(["env.log.level": "WARN", "log.level.Task": "DEBUG", "log.level.Noise": "OFF"])
        log(.info, "JobMaster", "not seen")
        log(.debug, "Task", "seen")
        log(.error, "Noise", "not seen")
        log(.warning, "JobMaster", "seen too")
        #expect(text(log).split(separator: "\n").map { $0.split(separator: " - ").last ?? "" } == ["seen", "seen too"])
    }

    @Test func fullFilesAreSetAsideAndTheOldestGo() throws {
        let folder = Folder()
        let log = try log(["env.log.dir": folder.path, "env.log.max": "2", "log.file.max-size": "64kb"])
        for number in 0..<5000 { log(.info, "Task", "line \(number) of some that fill the files more than thrice") }
        #expect(log.files.map(\.name).sorted() == folder.names && folder.names.count == 3)
        #expect(log.files.allSatisfy { $0.bytes <= 64 << 10 })
        #expect(text(log).hasSuffix("line 4999 of some that fill the files more than thrice\n"))
    }

    @Test func filesOfOtherProcessesInTheFolderAreTheirs() throws {
        let folder = Folder()
        let log = try log(["env.log.dir": folder.path])
        log(.info, "Task", "mine")
        for other in ["swiftwater-taskmanager-1.log", "secrets.txt", log.currentFile + "x"] { close(open("\(folder.path)/\(other)", O_CREAT | O_WRONLY, 0o600)) }
        close(open("\(folder.path)/\(log.currentFile).1", O_CREAT | O_WRONLY, 0o600))
        #expect(log.files.map(\.name) == [log.currentFile, log.currentFile + ".1"])
        #expect(log.read(file: "secrets.txt", offset: 0, limit: 100) == nil)
    }

    @Test func withoutAFolderTheLastLinesAreKept() throws {
        let log = try log([:])
        for number in 0..<20_000 { log(.info, "Task", "line \(number) of so many that the first ones must go") }
        #expect(log.files.count == 1 && log.files[0].bytes <= 1 << 20)
        let tail = try #require(log.read(file: log.currentFile, offset: -60, limit: 60))
        #expect(String(decoding: tail.bytes, as: UTF8.self).hasSuffix("line 19999 of so many that the first ones must go\n"))
    }

    @Test(arguments: ["../passwd", "/etc/passwd", "..", ".", "", "a/b", "link", "pipe"])
    func onlyRegularFilesOfTheFolderAreRead(name: String) throws {
        let folder = Folder()
        symlink("/etc/passwd", "\(folder.path)/link")
        mkfifo("\(folder.path)/pipe", 0o600)
        let log = try log(["env.log.dir": folder.path])
        log(.info, "Task", "here")
        #expect(log.read(file: name, offset: 0, limit: 100) == nil)
        #expect(log.files.map(\.name) == [log.currentFile])
        #expect(log.read(file: log.currentFile, offset: 1 << 40, limit: 100)?.bytes == [])
    }
}
