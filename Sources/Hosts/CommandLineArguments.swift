import Glibc

/// The process's arguments as the commands' parsers take them: Flink's manual joins `-Dkey=value`, they want `-D key=value`.
package func commandLineArguments(_ arguments: [String] = Array(CommandLine.arguments.dropFirst())) -> [String] {
    arguments.flatMap { word in
        word.hasPrefix("-D") && word.count > 2 && word.contains("=") ? ["-D", String(word.dropFirst(2))] : [word]
    }
}

/// Usage ends with code 2, as with every command of ours.
package func endWithUsage(_ words: String) -> Never {
    let bytes = Array((words + "\n").utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
    exit(2)
}
