import Columnar

/// What a call means once its argument types are known.
package struct Resolution: Equatable, Sendable {
    /// The name for `Expression.call`.
    package var name: String
    package var result: DataType
    /// The type that each argument is to be cast to, in order; equal to the given one where no cast is needed.
    package var arguments: [DataType]
    /// False for functions that give another value at each call: never folded into a constant.
    package var isDeterministic = true
}

package enum FunctionError: Error, Equatable, CustomStringConvertible {
    /// No such function. `names` holds all known names, for finding a near one.
    case unknown(name: String, names: [String])
    /// Flink's words for what does not fit.
    case wrongArguments(String)

    package var description: String {
        switch self {
        case .unknown(let name, _): "No match found for function signature \(name)"
        case .wrongArguments(let words): words
        }
    }
}

/// The stateless scalar functions and operators of Flink SQL.
///
/// Operators are functions by their sign or words: `+ - * / %`, `= <> < <= > >=`, `AND OR NOT`, `IS NULL`, `IS NOT NULL`,
/// `IS TRUE`, `IS NOT TRUE`, `IS FALSE`, `IS NOT FALSE`, `IS UNKNOWN`, `IS NOT UNKNOWN`, `IS DISTINCT FROM`, `IS NOT DISTINCT FROM`,
/// `IN` (value, then the list), `LIKE` and `SIMILAR TO` (value, pattern[, escape]), `||`, and unary minus is `-` with one argument.
/// Words that SQL writes as keywords inside a call are character literals, where they stand in this list:
/// `EXTRACT('DAY', t)`, `FLOOR(t, 'DAY')`, `CEIL(t, 'DAY')`, `TIMESTAMPADD('DAY', n, t)`, `TIMESTAMPDIFF('DAY', t1, t2)`,
/// `TRIM('BOTH', what, from)`, `POSITION(what, in)`, `OVERLAY(s, new, from[, for])`.
package enum FunctionCatalogue {
    /// - Parameters:
    ///   - literals: the values of arguments that are literals, where known; the result type of a few functions depends on them
    ///     (`ROUND(d, 2)`, `TIMESTAMPADD('HOUR', 1, date)`).
    package static func resolve(
        name: String, arguments: [DataType], literals: [Value?] = []
    ) throws(FunctionError) -> Resolution {
        let word = name.uppercased()
        guard let function = table[aliases[word] ?? word] else { throw .unknown(name: name, names: names) }
        let known = arguments.indices.map { $0 < literals.count ? literals[$0] : nil }
        return try function.resolve(arguments, literals: known)
    }

    /// Every name that `resolve` knows, sorted.
    package static let names: [String] = (Array(table.keys) + Array(aliases.keys)).sorted()

    /// What each named function takes, in Flink's words, sorted: `ABS(<NUMERIC>)`.
    package static let forms: [String] = table.values.filter { $0.name.first?.isLetter == true && !$0.name.contains(" ") }
        .map(\.forms).filter { $0.first?.isLetter == true }.sorted()

    /// Whether the function gives the same value for the same arguments. Unknown names do not.
    package static func isDeterministic(_ name: String) -> Bool { table[name]?.isDeterministic ?? false }

    static let aliases: [String: String] = [
        "!=": "<>", "CHARACTER_LENGTH": "CHAR_LENGTH", "LENGTH": "CHAR_LENGTH", "CEILING": "CEIL", "SUBSTR": "SUBSTRING", "POW": "POWER",
        "IS UNKNOWN": "IS NULL", "IS NOT UNKNOWN": "IS NOT NULL", "DAY": "DAYOFMONTH", "LCASE": "LOWER", "UCASE": "UPPER",
    ]

    static let table: [String: Function] = {
        var table: [String: Function] = [:]
        for function in operators + conditionals + numerics + texts + times {
            precondition(table.updateValue(function, forKey: function.name) == nil, "\(function.name) stands twice in the catalogue")
        }
        return table
    }()
}
