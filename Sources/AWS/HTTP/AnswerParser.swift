import NIOCore

/// Takes an HTTP/1.1 answer out of the bytes of a connection. It has a length, comes in chunks, or ends with the connection.
package struct AnswerParser {
    package enum Step {
        case more
        /// `isLast`: the connection carries no other. Nothing followed the answer.
        case whole(HTTPResponse, isLast: Bool)
        case malformed
        case tooLarge
    }

    private enum Part {
        case head
        case body(left: Int)
        case chunk(left: Int)
        /// The line behind a chunk, or with the size of the next.
        case chunkEnd, chunkSize, trailer
        case untilClose
    }

    private let limitBytes: Int
    private var part = Part.head
    private var response = HTTPResponse(status: 0)
    private var isLast = false
    /// Of the head, or of a line between chunks.
    private var line: [UInt8] = []

    package init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// Something of the answer has come.
    private(set) var hasBegun = false

    package mutating func take(_ bytes: UnsafeRawBufferPointer) -> Step {
        var rest = bytes
        hasBegun = hasBegun || !rest.isEmpty
        while !rest.isEmpty {
            switch part {
            case .head:
                guard takeHead(&rest) else { return line.count > 65_536 ? .malformed : .more }
                if let wrong = readHead() { return wrong }
            case .body(let left):
                let step = takeBody(&rest, left)
                if case .more = step {} else { return step }
            case .chunk(let left):
                guard response.body.count + left <= limitBytes else { return .tooLarge }
                let count = min(left, rest.count)
                response.body.append(contentsOf: rest.prefix(count))
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                part = count == left ? .chunkEnd : .chunk(left: left - count)
            case .chunkEnd, .chunkSize, .trailer:
                guard takeLine(&rest) else { return line.count > 4_096 ? .malformed : .more }
                defer { line.removeAll(keepingCapacity: true) }
                switch part {
                case .chunkEnd:
                    guard line.isEmpty else { return .malformed }
                    part = .chunkSize
                case .chunkSize:
                    guard let size = AnswerParser.hexadecimal(line) else { return .malformed }
                    part = size == 0 ? .trailer : .chunk(left: size)
                default: if line.isEmpty { return rest.isEmpty ? .whole(response, isLast: isLast) : .malformed }
                }
            case .untilClose:
                guard response.body.count + rest.count <= limitBytes else { return .tooLarge }
                response.body.append(contentsOf: rest)
                return .more
            }
            // An answer without a body.
            if case .body(left: 0) = part { return rest.isEmpty ? .whole(response, isLast: isLast) : .malformed }
        }
        return .more
    }

    /// The connection has ended: nil, the answer has not.
    package func ended() -> HTTPResponse? {
        if case .untilClose = part { return response }
        return nil
    }

    private mutating func takeBody(_ rest: inout UnsafeRawBufferPointer, _ left: Int) -> Step {
        let count = min(left, rest.count)
        response.body.append(contentsOf: rest.prefix(count))
        guard count == left else {
            part = .body(left: left - count)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            return .more
        }
        return count == rest.count ? .whole(response, isLast: isLast) : .malformed
    }

    /// Up to and with the empty line.
    private mutating func takeHead(_ rest: inout UnsafeRawBufferPointer) -> Bool {
        for (index, byte) in rest.enumerated() {
            line.append(byte)
            guard byte == 0x0A, line.count >= 4, line[line.count - 2] == 0x0A || line[line.count - 2] == 0x0D && line[line.count - 3] == 0x0A else { continue }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(index + 1))
            return true
        }
        return false
    }

    /// Up to a newline, which is left out.
    private mutating func takeLine(_ rest: inout UnsafeRawBufferPointer) -> Bool {
        let end = rest.firstIndex(of: 0x0A)
        line.append(contentsOf: rest.prefix(end ?? rest.count))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst((end ?? rest.count - 1) + 1))
        if end != nil, line.last == 0x0D { line.removeLast() }
        return end != nil
    }

    /// `HTTP/1.1 200 OK`, then `Name: value` lines. Answers what is wrong.
    private mutating func readHead() -> Step? {
        let lines = line.split(separator: 0x0A, omittingEmptySubsequences: true).map { $0.last == 0x0D ? $0.dropLast() : $0 }
        line.removeAll(keepingCapacity: true)
        guard let first = lines.first, first.starts(with: "HTTP/1.".utf8), let space = first.firstIndex(of: 0x20),
            let status = Int(String(decoding: first[(space + 1)...].prefix(3), as: UTF8.self)), (100..<600).contains(status)
        else { return .malformed }
        // What comes before the answer itself.
        if status < 200 { return status == 101 ? .malformed : nil }
        response.status = status
        isLast = first.starts(with: "HTTP/1.0".utf8)
        var length: Int?
        var isChunked = false
        for line in lines.dropFirst() where !line.isEmpty {
            guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex else { return .malformed }
            let name = String(decoding: line[..<colon].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
            let value = String(decoding: AnswerParser.trimmed(line[(colon + 1)...]), as: UTF8.self)
            response.headers.append((name, value))
            switch name {
            case "content-length":
                guard let number = Int(value), number >= 0, length ?? number == number else { return .malformed }
                length = number
            case "transfer-encoding": isChunked = value.lowercased() == "chunked"
            case "connection": if value.lowercased() == "close" { isLast = true }
            default: break
            }
        }
        if isChunked {
            part = .chunkSize
        } else if let length {
            guard length <= limitBytes else { return .tooLarge }
            response.body.reserveCapacity(length)
            part = .body(left: length)
        } else {
            (part, isLast) = (status == 204 || status == 304 ? .body(left: 0) : .untilClose, true)
        }
        return nil
    }

    private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var value = value
        while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        return value
    }

    /// Of a chunk's size; what follows a semicolon means nothing here.
    private static func hexadecimal(_ line: [UInt8]) -> Int? {
        let digits = line.prefix { $0 != 0x3B && $0 != 0x20 }
        guard (1...8).contains(digits.count) else { return nil }
        return Int(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
