import Glibc
import Hosts
import REST
import Testing

struct RouteTests {
    @Test func rangesAreReadAsHTTPHasThem() {
        #expect(ByteRange("bytes=-500")?.offset == -500)
        #expect(ByteRange("bytes=100-")?.end(of: 150) == 150)
        #expect(ByteRange("bytes=100-119")?.end(of: 150) == 120)
        #expect(ByteRange("bytes=100-119")?.firstLimit == 20)
        #expect(ByteRange("bytes=100-900")?.end(of: 150) == 150)
        #expect(ByteRange("bytes=0-9223372036854775807")?.end(of: 150) == 150)
        for strange in ["bytes=", "bytes=-", "bytes=-0", "bytes=5-2", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", "bytes=+1-2", "bytes=99999999999999999999-"] {
            #expect(ByteRange(strange) == nil, "\(strange)")
        }
    }

    @Test func formsGiveTheirFile() {
        let boundary = Multipart.boundary(of: "multipart/form-data; boundary=\"xyz\"")
        #expect(boundary == "xyz")
        #expect(Multipart.boundary(of: "application/json") == nil)
        let form = Array("--xyz\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nno\r\n--xyz\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"a.sql\"\r\n\r\nSELECT 1;\r\n--xyz--\r\n".utf8)
        let file = Multipart.file(named: "jarfile", in: form, boundary: "xyz")
        #expect(file?.name == "a.sql" && file.map { String(decoding: $0.bytes, as: UTF8.self) } == "SELECT 1;")
        for length in 0..<(form.count - 10) { #expect(Multipart.file(named: "jarfile", in: Array(form[..<length]), boundary: "xyz") == nil) }
        #expect(Multipart.file(named: "jarfile", in: Array("--xyz\r\n\r\n\r\n--xyz".utf8), boundary: "xyz") == nil)
    }

    @Test func theProcesssOwnFolderGoesWithItsScripts() throws {
        let path = try StoredScripts(folder: nil).store(Array("SELECT 1;".utf8), name: "a.sql")
        let folder = String(path[..<path.lastIndex(of: "/")!])
        #expect(access(path, F_OK) == 0)
        StoredScripts.remove(folder: folder)
        #expect(access(folder, F_OK) != 0)
    }

    @Test func scriptsAreKeptUnderSafeNames() throws {
        let folder = Folder()
        let scripts = StoredScripts(folder: folder.path)
        let path = try scripts.store(Array("SELECT 1;".utf8), name: "../../etc/prices & co.sql")
        #expect(path.hasPrefix(folder.path + "/") && path.hasSuffix("_prices___co.sql"))
        let stored = try #require(scripts.all().first)
        #expect(stored.name == "prices___co.sql")
        #expect(try scripts.text(of: stored.id) == "SELECT 1;")
        for strange in ["../\(stored.id)", "..", "", "passwd", stored.id + "/..", String(repeating: "a", count: 36) + "_x.sql"] {
            #expect(throws: Refusal.self) { try scripts.text(of: strange) }
            #expect(throws: Refusal.self) { try scripts.remove(strange) }
        }
        try scripts.remove(stored.id)
        #expect(scripts.all().isEmpty)
    }

    @Test func onlyBoundedTextIsStored() {
        let scripts = StoredScripts(folder: Folder().path)
        #expect(throws: Refusal.self) { try scripts.store([80, 75, 3, 4], name: "job.jar") }
        #expect(throws: Refusal.self) { try scripts.store([0xFF, 0xFE], name: "a.sql") }
        #expect(throws: Refusal.self) { try scripts.store([UInt8](repeating: 32, count: StoredScripts.maximumBytes + 1), name: "a.sql") }
    }

    @Test func nothingInAnAnswerRunsInAPage() {
        let json: JSON = ["<b>": .string("a\"b\\c\n\t\u{1}</script>&é😀")]
        #expect(json.text == #"{"\u003cb\u003e":"a\"b\\c\n\t\u0001\u003c/script\u003e\u0026é😀"}"#)
        #expect(JSON.parse(json.bytes) == json)
    }

    @Test func flamesAreATreeOfCounts() {
        let tree = JSON(flames: [
            StackCount(subtask: 0, isOnCPU: true, frames: ["main", "a", "b"], count: 3), StackCount(subtask: 1, isOnCPU: true, frames: ["main", "a"], count: 2),
            StackCount(subtask: 0, isOnCPU: true, frames: ["main", "c"], count: 4),
        ])
        let main = tree["children"].array[0]
        #expect(tree["value"] == 9 && main["name"] == "main" && main["value"] == 9)
        #expect(main["children"].array.map { $0["name"] } == ["a", "c"])
        #expect(main["children"].array[0]["children"].array.map { $0["value"] } == [3])
    }
}
