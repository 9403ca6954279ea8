import AWS
import Testing

@Suite struct AnswerParserTests {
    /// What becomes of these pieces, the last of them followed by the connection's end.
    private func outcome(_ pieces: [String], limit: Int = 1_000) -> String {
        var parser = AnswerParser(limitBytes: limit)
        for (index, piece) in pieces.enumerated() {
            switch Array(piece.utf8).withUnsafeBytes({ parser.take($0) }) {
            case .more: continue
            case .whole(let response, let isLast):
                return index == pieces.count - 1 ? words(response) + (isLast ? ", last" : "") : "early"
            case .malformed: return "malformed"
            case .tooLarge: return "too large"
            }
        }
        return parser.ended().map { words($0) + ", ended" } ?? "cut off"
    }

    private func words(_ response: HTTPResponse) -> String {
        let type = response.header("content-type").map { " \($0)" } ?? ""
        return "\(response.status)\(type): \(String(decoding: response.body, as: UTF8.self))"
    }

    private static let answers = [
        ("HTTP/1.1 200 OK\r\nContent-Type:  text/x \r\nContent-Length: 5\r\n\r\nhello", "200 text/x: hello"),
        ("HTTP/1.1 400 \r\ncontent-length: 0\r\nConnection: Close\r\n\r\n", "400: , last"),
        ("HTTP/1.0 200 OK\nContent-Length: 2\n\nhi", "200: hi, last"),
        ("HTTP/1.1 204 None\r\n\r\n", "204: , last"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "200: x"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;a=b\r\nWiki\r\nC\r\npedia in\r\n12\r\n0\r\nX-Trailer: 1\r\n\r\n", "200: Wikipedia in\r\n12"),
    ]

    @Test(arguments: answers) func answersAreFoundHoweverTheyAreCut(text: String, expected: String) {
        #expect(outcome([text]) == expected)
        #expect(outcome(text.utf8.map { String(decoding: [$0], as: UTF8.self) }) == expected)
        let bytes = Array(text.utf8)
        for cut in 1..<bytes.count {
            let halves = [bytes[..<cut], bytes[cut...]].map { String(decoding: $0, as: UTF8.self) }
            #expect(outcome(halves) == expected)
            #expect(outcome([halves[0]]) == "cut off", "after \(cut) bytes")
        }
    }

    @Test func anAnswerWithoutLengthEndsWithTheConnection() {
        #expect(outcome(["HTTP/1.1 200 OK\r\n\r\nsome", " more"]) == "200: some more, ended")
    }

    @Test func whatIsNoAnswerIsSaidToBeNone() {
        for text in [
            "hello there\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP", "HTTP/1.1 101 Switch\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nmore",
        ] {
            #expect(outcome([text]) == "malformed", "\(text)")
        }
        #expect(outcome([String(repeating: "x", count: 70_000)]) == "malformed")
        #expect(outcome(["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"], limit: 8) == "too large")
        #expect(outcome(["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n"], limit: 8) == "cut off")
        #expect(outcome(["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nx"], limit: 8) == "too large")
        #expect(outcome(["HTTP/1.1 200 OK\r\n\r\n123456789"], limit: 8) == "too large")
    }
}
