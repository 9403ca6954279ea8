import Settings
import SQL

/// Compiles one script at a time: what several would cost together is bounded, and the other threads stay free for other questions.
actor ScriptCompiler {
    func compile(_ script: String, _ configuration: Configuration) throws(SQLError) -> CompiledScript {
        try SQL.compile(script: script, configuration: configuration)
    }
}
