/// The named, typed columns of a table or of an edge of the job graph, in order.
package struct Schema: Hashable, Codable, Sendable {
    package struct Field: Hashable, Codable, Sendable {
        package var name: String
        package var type: DataType

        package init(_ name: String, _ type: DataType) {
            self.name = name
            self.type = type
        }
    }

    package var fields: [Field]

    package init(_ fields: [Field]) { self.fields = fields }

    package var count: Int { fields.count }
    package var types: [DataType] { fields.map(\.type) }
    package var names: [String] { fields.map(\.name) }

    package func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }
}
