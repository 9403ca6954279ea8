import Dataflow
import REST
import Testing

/// What a request says is taken as it is meant, or refused in words: nothing of it is dropped.
struct RequestTests {
    private func refusal(_ body: JSON, _ fields: BodyFields) -> String? {
        do throws(Refusal) { _ = try fields.checked(body) } catch { return error.status == .badRequest ? error.words : "\(error.status)" }
        return nil
    }

    @Test func aValueOfAnotherTypeIsRefusedWithItsNameAndTheTypeWanted() {
        #expect(refusal(["sql": "x", "savepointPath": 5], .submission) == "\"savepointPath\" in the body is the number 5: text is wanted")
        #expect(refusal(["drain": "maybe"], .stop) == "\"drain\" in the body is the text \"maybe\": true or false is wanted")
        #expect(refusal(["targetDirectory": 7], .stop) == "\"targetDirectory\" in the body is the number 7: text is wanted")
        #expect(refusal(["formatType": "BOGUS"], .savepoint) == "\"formatType\" in the body is the text \"BOGUS\": CANONICAL or NATIVE is wanted")
        #expect(refusal(["sql": "x", "configuration": ["a": [1]]], .submission) == "\"configuration\" in the body is an object, and \"a\" in it is a list: text is wanted")
        #expect(refusal(["timeout": 1.5], .drain)?.contains("a whole number is wanted") == true)
        #expect(refusal(["parallelism": "2"], .run)?.contains("a whole number is wanted") == true)
        for body: JSON in [[1], "text", 5, nil] { #expect(refusal(body, .checkpoint)?.hasPrefix("the body is ") == true, "\(body)") }
    }

    @Test func anUnknownNameIsRefusedWithThoseThatThereAre() {
        #expect(refusal(["sql": "x", "savepoint": "/s"], .submission)
            == "the body has \"savepoint\", which is not known; there are: sql, configuration, savepointPath, allowNonRestoredState")
        #expect(refusal([:], .submission) == "the body has no \"sql\"")
    }

    @Test func bothSpellingsOfFlinkAreTaken() throws {
        #expect(try BodyFields.savepoint.checked(["targetDirectory": "/s"]) == ["target-directory": "/s"])
        #expect(try BodyFields.stop.checked(["target-directory": "/s", "drain": true]) == ["targetDirectory": "/s", "drain": true])
        #expect(refusal(["target-directory": "/s", "targetDirectory": "/t"], .stop)?.contains("twice") == true)
    }

    /// From recorded requests, and what its clients' classes write: null for what is not said.
    @Test func whatFlinksClientsSendIsTaken() {
        for (body, fields): (JSON, BodyFields) in [
            (["cancel-job": false, "target-directory": "file:///s", "formatType": "NATIVE"], .savepoint), (["triggerId": "0123456789abcdef0123456789abcdef"], .savepoint),
            (["cancel-job": false, "target-directory": nil, "formatType": "CANONICAL", "triggerId": nil], .savepoint), ([:], .savepoint),
            (["drain": false, "targetDirectory": "file:///s"], .stop), (["drain": nil, "targetDirectory": nil, "formatType": nil, "triggerId": nil], .stop),
            (["checkpointType": "FULL"], .checkpoint), (["entryClass": "SqlJob", "parallelism": 1, "programArgsList": ["1000"]], .run),
            (["sql": "x", "configuration": ["parallelism.default": 2, "a": true]], .submission),
        ] { #expect(refusal(body, fields) == nil, "\(body)") }
    }

    @Test func filtersNameWhatFiguresAreOf() throws {
        #expect(try MetricFilters.names([], of: "jobs") == nil)
        #expect(try MetricFilters.names(["a,b", "c"], of: "jobs") == ["a", "b", "c"])
        #expect(try MetricFilters.subtasks([]) == nil)
        let subtasks = try #require(try MetricFilters.subtasks(["1,3-5"]))
        #expect((0...6).filter { index in subtasks.contains { $0.contains(index) } } == [1, 3, 4, 5])
        for strange: Substring in ["", "a", "1,", "5-3", "1-", "-1", "1-2-3", "+1", "99999999999999999999"] {
            #expect(throws: Refusal.self, "\(strange)") { try MetricFilters.subtasks([strange]) }
        }
        #expect(throws: Refusal.self) { try MetricFilters.names(["a,"], of: "taskmanagers") }
    }

    @Test func aJobsOwnSettingsAreNotThoseOfTheCluster() {
        let own = JobSettings.own(["a": "1", "b": "2", "c": "3"], in: ["a": "1", "b": "9"])
        #expect(own.map(\.key) == ["b", "c"] && own.map(\.value) == ["2", "3"])
    }

    @Test func requirementsNameEveryVertexAndNoOther() throws {
        let vertices = [("aa", 8), ("bb", 1)]
        func refusal(_ body: JSON) -> String? {
            do throws(Refusal) { _ = try Requirements.bounds(body, of: vertices) } catch { return error.status == .badRequest ? error.words : "\(error.status)" }
            return nil
        }
        func bounds(_ lower: JSON, _ upper: JSON) -> JSON { ["parallelism": ["lowerBound": lower, "upperBound": upper]] }
        #expect(try Requirements.bounds(["bb": bounds(1, 1), "aa": bounds(2, 4)], of: vertices) == [0: 2...4, 1: 1...1])
        #expect(try Requirements.bounds(["aa": bounds(-1, -1), "bb": bounds(nil, 1)], of: vertices) == [0: 1...8, 1: 1...1])
        #expect(refusal(["aa": bounds(1, 2)]) == "The request is incomplete, missing job vertex [bb] resource requirements.")
        #expect(refusal(["aa": bounds(1, 2), "bb": bounds(1, 1), "cc": bounds(1, 1)]) == "Job vertex [cc] was not found in the JobGraph.")
        #expect(refusal(["aa": bounds(5, 1), "bb": bounds(0, 1)]) == "The requested lower bound [5] for job vertex [aa] is higher than the upper bound [1].\n"
            + "Both, the requested lower bound [0] and upper bound [1] for job vertex [bb] must be greater than zero.")
        for body: JSON in [[:], ["aa": bounds(1, 9), "bb": bounds(1, 1)], ["aa": bounds(1, "2"), "bb": bounds(1, 1)], ["aa": [:], "bb": bounds(1, 1)], [1]] {
            #expect(refusal(body) != nil, "\(body.text)")
        }
    }

    @Test func boundsThatNoSlotsCanMeetAreToldOf() {
        #expect(RequirementShortage.words([0: 1...8, 1: 4...8], held: 2, free: 2) == nil)
        #expect(RequirementShortage.words([0: 1...8, 1: 5...8], held: 2, free: 2)?.hasPrefix("5 subtasks are wanted at least, and there are slots for 4") == true)
    }

    @Test func numbersAreWrittenAsTheyAre() {
        for number: Int64 in [0, 7, -7, 10, 99, 100, -1_234_567_890, .max, .min] { #expect(JSON.integer(number).text == "\(number)") }
        #expect(JSON.array([1, 20, 300]).text == "[1,20,300]")
    }

    @Test func failuresHaveNamesThatFlinksUsersKnow() {
        let names = StreamError.Kind.allCases.map(\.className)
        #expect(Set(names).count == names.count && names.allSatisfy { $0.hasPrefix("java.") || $0.hasPrefix("org.apache.flink.") })
    }

    @Test func savepointsGoToFoldersThatAreTheSameEverywhere() throws {
        for folder in ["/s", "file:///s", "s3://bucket/s"] { #expect(try SavepointPath.directory(folder) == folder) }
        #expect(try SavepointPath.directory(nil) == nil && SavepointPath.directory("") == nil)
        for folder in ["savepoints", "./s", "../s", "a/b:c", ":s"] { #expect(throws: Refusal.self, "\(folder)") { try SavepointPath.directory(folder) } }
        #expect(SavepointPath.location("/s/savepoint-1") == "file:/s/savepoint-1")
        #expect(SavepointPath.location("file:///s/savepoint-1") == "file:/s/savepoint-1")
        #expect(SavepointPath.location("s3://bucket/savepoint-1") == "s3://bucket/savepoint-1")
        #expect(SavepointPath.location("") == "")
    }

    @Test func anEndedJobsVertexIsNotHeldBack() {
        let loads = JSON.loadsOfEnded(at: 17)
        #expect(loads["status"] == "deprecated" && loads["backpressureLevel"] == "ok" && loads["end-timestamp"] == 17 && loads["subtasks"].array.isEmpty)
    }
}
