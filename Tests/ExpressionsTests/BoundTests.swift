import Columnar
import Expressions
import Testing

/// No function makes a string without bounds.
@Suite struct BoundTests {
    @Test func aStringHasABoundAndTheErrorNamesTheFunction() throws {
        let long = 2_147_483_647
        for expression in [
            call("LPAD", text("x"), int(long), text("y")), call("RPAD", text("x"), int(long), text("yz")), call("REPEAT", text("ab"), int(long)),
        ] {
            let error = #expect(throws: EvaluationError.self) { try constant(expression) }
            #expect(error?.description.contains("a result is longer than 64 MiB in \(expression)") == true, "\(String(describing: error))")
        }
        #expect(try constant(call("CHAR_LENGTH", call("REPEAT", text("ab"), int(1 << 20)))) == "2097152")
    }

    @Test func whatGrowsBySubstitutionIsBoundToo() throws {
        let million = call("REPEAT", text("a"), int(1 << 20)), thousand = call("REPEAT", text("b"), int(1 << 10))
        for expression in [
            call("REPLACE", million, text("a"), thousand), call("REGEXP_REPLACE", million, text("a"), thousand),
            bind("CONCAT", Array(repeating: million, count: 65)), bind("CONCAT_WS", [text(",")] + Array(repeating: million, count: 65)),
        ] {
            #expect(throws: EvaluationError.self) { try constant(expression) }
        }
    }

    @Test func aRowThatDoesNotNeedTheStringDoesNotFail() throws {
        let guarded = Expression.conditional(
            [.init(condition: call("<", column(0, .integer), int(10)), value: call("REPEAT", text("x"), column(0, .integer)))],
            otherwise: null(.string), type: DataType(.string))
        let batch = Batch.of([DataType(.integer)], [[.integer(3)], [.integer(2_000_000_000)]])
        #expect(try printed(guarded, over: batch) == ["xxx", nil])
    }
}

@Suite struct NotNullTests {
    private let guarded = Expression.call(Expression.notNull, [column(0, .integer), text("b")], type: DataType(.integer, nullable: false))

    @Test func aValueStaysAsItIs() throws {
        #expect(try values(guarded, over: Batch.of([DataType(.integer)], [[.integer(1)], [.integer(2)]])) == [.integer(1), .integer(2)])
    }

    @Test func nullFailsInFlinksWords() throws {
        let error = #expect(throws: EvaluationError.self) { try values(guarded, over: Batch.of([DataType(.integer)], [[.integer(1)], [.null]])) }
        #expect(
            error?.description == "Column 'b' is NOT NULL, however, a null value is being written into it. You can set job configuration "
                + "'table.exec.sink.not-null-enforcer'='DROP' to suppress this exception and drop such records silently.")
    }
}
