import CYaml

/// What a YAML document holds, in its order. Lines begin at 1.
indirect enum YAML: Equatable {
    /// `isPlain`: without quotes and no block of lines.
    case scalar(String, isPlain: Bool, line: Int)
    case mapping([Pair], line: Int)
    case sequence([YAML], line: Int)
    /// Not followed: nothing in a configuration repeats.
    case alias(line: Int)

    struct Pair: Equatable {
        let key, value: YAML
    }

    /// Where and why a text is none: `:line:column: …`, or without a place.
    struct Problem: Error, Equatable {
        let text: String
    }

    var line: Int {
        switch self {
        case .scalar(_, _, let line), .mapping(_, let line), .sequence(_, let line), .alias(let line): line
        }
    }

    var scalar: String? { if case .scalar(let text, _, _) = self { text } else { nil } }

    /// The only document of a text; nil when it holds none. A key that a mapping has twice is a problem.
    static func read(_ text: String) throws(Problem) -> YAML? {
        var text = text
        let result = text.withUTF8 { bytes in
            Result { () throws(Problem) in
                var reader = try YAMLReader(bytes)
                defer { reader.end() }
                return try reader.document()
            }
        }
        return try result.get()
    }
}

/// libyaml's events of one text as a tree.
private struct YAMLReader {
    /// No configuration is nested deeper; a hostile one must not exhaust the stack.
    private static let maximumDepth = 100

    /// At an address of its own: it points into itself.
    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)

    /// `bytes` outlive it.
    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(YAML.Problem) {
        guard yaml_parser_initialize(parser) == 1 else { throw YAML.Problem(text: ": too little memory to read it") }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    func end() {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    mutating func document() throws(YAML.Problem) -> YAML? {
        var root: YAML?
        while true {
            var event = try next()
            defer { yaml_event_delete(&event) }
            switch event.type {
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: break
            case YAML_DOCUMENT_START_EVENT:
                if root != nil { throw Self.problem(event.start_mark, "a second document begins") }
                root = try node(try next(), depth: 0)
            default: return root  // The stream's end.
            }
        }
    }

    /// The node that begins with an event, which it takes.
    private mutating func node(_ first: yaml_event_t, depth: Int) throws(YAML.Problem) -> YAML {
        var event = first
        defer { yaml_event_delete(&event) }
        let line = Int(event.start_mark.line) + 1
        guard depth < Self.maximumDepth else { throw Self.problem(event.start_mark, "nested too deeply") }
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            return .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE, line: line)
        case YAML_SEQUENCE_START_EVENT:
            var items: [YAML] = []
            while let item = try item(until: YAML_SEQUENCE_END_EVENT, depth: depth) { items.append(item) }
            return .sequence(items, line: line)
        case YAML_MAPPING_START_EVENT:
            var pairs: [YAML.Pair] = []
            var names: Set<String> = []
            while let key = try item(until: YAML_MAPPING_END_EVENT, depth: depth) {
                if let name = key.scalar, !names.insert(name).inserted { throw YAML.Problem(text: ":\(key.line): given twice: \(name)") }
                pairs.append(YAML.Pair(key: key, value: try node(try next(), depth: depth + 1)))
            }
            return .mapping(pairs, line: line)
        default: return .alias(line: line)
        }
    }

    private mutating func item(until last: yaml_event_type_t, depth: Int) throws(YAML.Problem) -> YAML? {
        var event = try next()
        if event.type != last { return try node(event, depth: depth + 1) }
        yaml_event_delete(&event)
        return nil
    }

    private func next() throws(YAML.Problem) -> yaml_event_t {
        var event = yaml_event_t()
        if yaml_parser_parse(parser, &event) == 1 { return event }
        let why = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        // What the reader of bytes refuses has no line.
        if parser.pointee.error == YAML_READER_ERROR { throw YAML.Problem(text: ": not YAML: \(why) at byte \(parser.pointee.problem_offset)") }
        throw Self.problem(parser.pointee.problem_mark, why)
    }

    private static func problem(_ mark: yaml_mark_t, _ why: String) -> YAML.Problem {
        YAML.Problem(text: ":\(mark.line + 1):\(mark.column + 1): not YAML: \(why)")
    }
}
