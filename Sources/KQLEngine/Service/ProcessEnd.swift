import CQueryGuard
import Dispatch
import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a program that serves comes to its end.
package enum ProcessEnd {
    /// Until somebody else takes them over, SIGTERM and SIGINT end the program at once, with code 0: while it starts or
    /// stands by there is nothing to finish.
    package static func leaveOnSignals() { vestige_leave_on_signals() }

    /// Ends the program with code 0 after so many seconds if it has not ended by then.
    ///
    /// - Parameter finish: what has to be done before. It is given `finishSeconds`: a disk that answers no more does
    ///   not hold the program for ever.
    package static func leave(after seconds: Double, finish: @escaping @Sendable () -> Void = {}) {
        let thread = Thread {
            Thread.sleep(forTimeInterval: seconds)
            let done = DispatchSemaphore(value: 0)
            Thread {
                finish()
                done.signal()
            }.start()
            _ = done.wait(timeout: .now() + finishSeconds)
            _exit(0)
        }
        thread.start()
    }

    private static let finishSeconds = 5.0
}
