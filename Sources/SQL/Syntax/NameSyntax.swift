/// One name as written, without its backticks. Names are told apart by case, as in Flink.
struct NameSyntax: Equatable {
    let text: String
    let range: SourceRange

    static func == (a: NameSyntax, b: NameSyntax) -> Bool { a.text == b.text }
}

/// A name of one or more parts: `t`, `db.t`, `catalog.db.t`. Never empty.
struct ObjectNameSyntax: Equatable {
    let parts: [NameSyntax]

    var last: NameSyntax { parts[parts.count - 1] }
    var text: String { parts.map(\.text).joined(separator: ".") }
    var range: SourceRange { parts[0].range.through(last.range) }
}
