/// The tables and views that a script has created so far.
struct Catalog {
    enum Entry {
        case table(TableDefinition)
        /// Bound when it was created: later changes of the tables below do not reach it.
        case view(Plan)

        var isView: Bool { if case .view = self { true } else { false } }
    }

    static let name = "default_catalog"
    static let database = "default_database"

    private var entries: [String: Entry] = [:]
    /// Something was created, though it may be gone.
    private var wasUsed = false

    /// Sorted, for messages and SHOW TABLES.
    var names: [String] { entries.keys.sorted() }

    func names(ofViews views: Bool) -> [String] { names.filter { entries[$0]?.isView == views } }

    /// Nil when there is none. Throws when another catalog or database is named.
    func entry(_ name: ObjectNameSyntax) throws(SQLError) -> Entry? { entries[try Catalog.simpleName(name)] }

    /// Throws with a near name when there is none.
    func expectEntry(_ name: ObjectNameSyntax) throws(SQLError) -> Entry {
        if let entry = try entry(name) { return entry }
        let known = names
        let hint = nearNameHint(name.last.text, among: known)
            ?? (known.isEmpty ? (wasUsed ? "there is no table any more: all were dropped" : "no table has been created") : "known: " + listing(known))
        throw SQLError("table '\(name.text)' not found", at: name.range, hint: hint)
    }

    mutating func add(_ entry: Entry, as name: ObjectNameSyntax) throws(SQLError) {
        let key = try Catalog.simpleName(name)
        if let old = entries[key] {
            throw SQLError("\(old.isView ? "view" : "table") '\(key)' exists already", at: name.range, hint: "IF NOT EXISTS keeps it, DROP removes it")
        }
        entries[key] = entry
        wasUsed = true
    }

    mutating func drop(_ drop: DropSyntax) throws(SQLError) {
        guard let entry = try entry(drop.name) else {
            if drop.ifExists { return }
            throw SQLError(
                "\(drop.view ? "view" : "table") '\(drop.name.text)' not found", at: drop.name.range, hint: nearNameHint(drop.name.last.text, among: names))
        }
        guard entry.isView == drop.view else {
            throw SQLError("'\(drop.name.text)' is a \(entry.isView ? "view" : "table")", at: drop.name.range, hint: "DROP \(entry.isView ? "VIEW" : "TABLE")")
        }
        entries[try Catalog.simpleName(drop.name)] = nil
    }

    /// There is one catalog with one database; their names may be written before the table's.
    private static func simpleName(_ name: ObjectNameSyntax) throws(SQLError) -> String {
        let path = name.parts.dropLast().map(\.text)
        guard [database][...].starts(with: path) || path == [Catalog.name, database] else {
            throw SQLError("database '\(path.joined(separator: "."))' not found", at: name.range, hint: "the only one is \(Catalog.name).\(database)")
        }
        return name.last.text
    }
}
