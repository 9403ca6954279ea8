import Columnar
enum TextFunctions {
    static func kernel(_ name: String, _ arguments: [DataType], _ result: DataType, _ constants: [Column?]) throws(EvaluationError) -> Kernel? { nil }
}
