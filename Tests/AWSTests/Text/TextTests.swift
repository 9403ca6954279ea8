import AWS
import Testing

struct TextTests {
    @Test(arguments: [
        ("a b", "a%20b"), ("ä/ü", "%C3%A4/%C3%BC"), ("1+1=2&c", "1%2B1%3D2%26c"), ("A-Z_a.z~0", "A-Z_a.z~0"), ("100%", "100%25"), ("*'()!", "%2A%27%28%29%21"),
        ("a//b", "a//b"), ("😀", "%F0%9F%98%80"), ("\n", "%0A"),
    ])
    func keysAreEncodedByteByByte(key: String, encoded: String) {
        #expect(PercentEncoding.encode(key, keeping: "/") == encoded)
        #expect(PercentEncoding.decode(encoded) == key)
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy")])
    func base64ThereAndBack(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded.utf8) == Array(text.utf8))
    }

    @Test(arguments: ["Z", "Zg=", "Zg=a", "Z===", "Zm 9", "=Zm9", "Zm9v\n"])
    func whatIsNoBase64IsRefused(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test func timesAreReadAndWritten() {
        #expect(UnixTime(iso: "2013-05-24T00:00:00Z")?.basic == "20130524T000000Z")
        #expect(UnixTime(iso: "2026-11-22T16:35:07.123Z")?.seconds == 1_795_365_307)
        #expect(UnixTime(http: "Fri, 24 May 2013 00:00:00 GMT") == UnixTime(iso: "20130524T000000Z"))
        #expect(UnixTime(http: "Thu, 29 Feb 2024 23:59:59 GMT")?.basic == "20240229T235959Z")
        for text in ["", "yesterday", "2013-05-24", "2013-13-24T00:00:00Z", "2013-05-24T25:00:00Z"] { #expect(UnixTime(iso: text) == nil, "\(text)") }
        for text in ["", "Fri, 24 Mai 2013 00:00:00 GMT", "Fri, 24 May 2013 00:00 GMT"] { #expect(UnixTime(http: text) == nil, "\(text)") }
    }

    @Test(arguments: [
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000", true), ("https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com", false),
        ("minio:9000", "https://minio:9000", true), ("http://localhost:80/base/", "http://localhost/base", true), ("https://[::1]:443", "https://[::1]", true),
        ("http://s3.localhost:8333", "http://s3.localhost:8333", true),
    ])
    func endpointsAreRead(text: String, description: String, isBare: Bool) {
        let endpoint = Endpoint(text)
        #expect(endpoint?.description == description)
        #expect(endpoint?.isBare == isBare)
    }

    @Test(arguments: ["", "ftp://x", "http://", "http://a:b", "http://a:70000", "http://a b", "https://user@host"])
    func whatIsNoEndpointIsRefused(text: String) {
        #expect(Endpoint(text) == nil)
    }

    // MARK: XML

    @Test func elementsEntitiesAndAttributes() {
        let text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- a > comment --><List xmlns="http://x/y>z" a='1'>
              <Key>a&amp;b &lt;&#x1F600;&#10;</Key><Empty/><s:Key>second</s:Key><Raw><![CDATA[<&>]]></Raw>
            </List>

            """
        let list = XML.parse(Array(text.utf8))
        #expect(list?.name == "List")
        #expect(list?.all("Key").map(\.text) == ["a&b <😀\n", "second"])
        #expect(list?.text("Empty") == "")
        #expect(list?.text("Raw") == "<&>")
        #expect(list?.text("None") == nil)
    }

    @Test func everyCutOffDocumentIsRefused() {
        let text = Array("<a><b>x&amp;y</b><c/></a>".utf8)
        for length in 0..<text.count { #expect(XML.parse(Array(text[..<length])) == nil, "\(length) bytes") }
        #expect(XML.parse(text) != nil)
    }

    @Test(arguments: ["<a></b>", "<a>&unknown;</a>", "<a/><b/>", "text", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", String(repeating: "<a>", count: 10_000)])
    func malformedDocumentsAreRefused(text: String) {
        #expect(XML.parse(Array(text.utf8)) == nil)
    }

    @Test func escapedTextReadsBack() {
        let odd = "a<b>&\"c\"\r\u{1F600}"
        #expect(XML.parse(Array("<a>\(XML.escape(odd))</a>".utf8))?.text == odd)
    }

    // MARK: JSON

    @Test func jsonValues() {
        let json = JSON(Array(#" {"a": "x\n\u00e4\ud83d\ude00", "b": [1, -2.5e3, true, null], "c": {}} "#.utf8))
        #expect(json?["a"]?.text == "x\nä😀")
        #expect(json?["b"] == .array([.number("1"), .number("-2.5e3"), .bool(true), .null]))
        #expect(json?["c"] == .object([:]))
    }

    @Test(arguments: ["", "{", "{\"a\"}", "[1,]", "\"open", "nul", "1 2", "{\"a\":1,}", "\"\\x\"", String(repeating: "[", count: 10_000)])
    func whatIsNoJSONIsRefused(text: String) {
        #expect(JSON(Array(text.utf8)) == nil)
    }
}
