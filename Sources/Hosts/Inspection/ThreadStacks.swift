import CKernels
import Dataflow
import Glibc
import Synchronization

/// What the threads of this process are doing, read by interrupting one after the other: some microseconds of each thread's time.
package enum ThreadStacks {
    package struct Sample: Sendable {
        package var thread: Int32
        package var name: String
        /// Running, or ready to.
        package var isOnCPU: Bool
        /// What the thread last said it works on (`swiftwater_mark_thread`).
        package var mark: UInt64
        /// Innermost first.
        package var addresses: [UInt64]
    }

    private struct State {
        var names: [UInt64: String] = [:]
    }

    /// The reading of stacks and names is for one at a time.
    private static let state = Mutex(State())
    private static let depth = 128

    /// Every thread but the caller's, in the order of their numbers; only those whose names the filter takes.
    package static func take(where wanted: (String) -> Bool = { _ in true }) -> [Sample] {
        state.withLock { state in
            swiftwater_stacks_prepare()
            let own = swiftwater_thread_id()
            return threads().filter { $0 != own }.compactMap { thread in
                guard let (name, isOnCPU) = status(of: thread), wanted(name) else { return nil }
                var mark: UInt64 = 0
                var addresses = [UInt64](repeating: 0, count: depth)
                let count = swiftwater_stack_of(thread, &addresses, Int32(depth), &mark)
                addresses.removeLast(depth - Int(count))
                return Sample(thread: thread, name: name, isOnCPU: isOnCPU, mark: mark, addresses: addresses)
            }
        }
    }

    /// Outermost last, as the addresses are. Return addresses stand behind the call: all but the first are looked up one byte before.
    package static func names(of addresses: [UInt64]) -> [String] {
        state.withLock { state in
            addresses.enumerated().map { index, address in
                let address = index == 0 ? address : address - 1
                if let known = state.names[address] { return known }
                let name = swiftwater_symbol(address).map { demangled(String(cString: $0)) } ?? "0x" + String(address, radix: 16)
                if state.names.count > 20_000 { state.names = [:] }
                state.names[address] = name
                return name
            }
        }
    }

    private static func threads() -> [Int32] {
        guard let listing = opendir("/proc/self/task") else { return [] }
        defer { closedir(listing) }
        var found: [Int32] = []
        while let item = readdir(listing) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if let number = Int32(name) { found.append(number) }
        }
        return found.sorted()
    }

    /// `stat` has the name in parentheses, then the state's letter.
    private static func status(of thread: Int32) -> (name: String, isOnCPU: Bool)? {
        let descriptor = open("/proc/self/task/\(thread)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 512)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0, let first = bytes.firstIndex(of: UInt8(ascii: "(")), let last = bytes[..<count].lastIndex(of: UInt8(ascii: ")")), last + 2 < count else {
            return nil
        }
        return (String(decoding: bytes[(first + 1)..<last], as: UTF8.self), bytes[last + 2] == UInt8(ascii: "R"))
    }

    /// Swift's names as people write them, cut where generics make them endless.
    private static func demangled(_ name: String) -> String {
        var text = name
        if name.hasPrefix("$s") || name.hasPrefix("$S"), let plain = swift_demangle(name, name.utf8.count, nil, nil, 0) {
            text = String(cString: plain)
            free(plain)
        }
        return text.utf8.count > 300 ? String(text.prefix(297)) + "…" : text
    }
}

@_silgen_name("swift_demangle")
private func swift_demangle(
    _ name: UnsafePointer<CChar>?, _ length: Int, _ output: UnsafeMutablePointer<CChar>?, _ outputSize: UnsafeMutablePointer<Int>?, _ flags: UInt32
) -> UnsafeMutablePointer<CChar>?
