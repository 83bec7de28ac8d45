import CQueryGuard
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
    package static func leave(after seconds: Double) {
        let thread = Thread {
            Thread.sleep(forTimeInterval: seconds)
            _exit(0)
        }
        thread.start()
    }
}
