import CKernels
import Glibc

/// Starts a thread of the operating system with a name that `top -H` and flame graphs show (15 bytes at most).
package func startThread(named name: String, _ body: @escaping @Sendable () -> Void) {
    final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name: name, body: body)).toOpaque()
    let failure = pthread_create(&thread, nil, { argument in
        let start = Unmanaged<Start>.fromOpaque(argument.unsafelyUnwrapped).takeRetainedValue()
        swiftwater_name_thread(start.name)
        start.body()
        return nil
    }, start)
    precondition(failure == 0, "no thread could be started: errno \(failure)")
    pthread_detach(thread)
}
