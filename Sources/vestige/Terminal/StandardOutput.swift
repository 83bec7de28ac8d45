import Foundation
import Pipeline
import Synchronization
import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Standard output, which carries data: what cannot be written is an error of the command, and a reader that has seen
/// enough is none.
enum StandardOutput {
    private struct State {
        /// The first error, as the system numbers it.
        var failure: Int32?
        /// Whether the reader has gone, as `head` does.
        var isClosed = false
    }

    private static let state = Mutex(State())

    /// Makes a reader that goes away an error of a write, and not the program's end.
    static func begin() { _ = signal(SIGPIPE, SIG_IGN) }

    /// Writes bytes, unless an earlier write failed.
    static func write(_ bytes: [UInt8]) {
        state.withLock { state in
            guard state.failure == nil, !state.isClosed else { return }
            switch writeAll(bytes) {
            case 0: break
            case EPIPE: state.isClosed = true
            case let code: state.failure = code
            }
        }
    }

    /// Writes rows that count as delivered afterwards: here a reader that has gone is an error too.
    static func deliver(_ bytes: [UInt8]) throws {
        write(
            Console.outputIsTerminal
                ? Array(SteeringCharacters.escaped(inJSON: String(decoding: bytes, as: UTF8.self)).utf8) : bytes)
        try finish()
        guard !state.withLock({ $0.isClosed }) else {
            throw OperatorError(
                "standard output was closed", got: "its reader has ended",
                safe: "what was not written stays in the outbox", next: "start the reader again, then the command")
        }
    }

    /// Tells what went wrong with the writes until now.
    static func finish() throws {
        guard let code = state.withLock({ $0.failure }) else { return }
        throw OperatorError(
            "standard output could not be written", got: String(cString: strerror(code)),
            means: code == ENOSPC || code == EDQUOT ? "the disk is full, and what was written is not the whole" : nil,
            next: "free space, or write to another place, then run the command again")
    }

    /// - Returns: 0, or the number of the error.
    private static func writeAll(_ bytes: [UInt8]) -> Int32 {
        var written = 0
        while written < bytes.count {
            let n = bytes[written...].withUnsafeBytes { raw in
                #if canImport(Glibc)
                    Glibc.write(STDOUT_FILENO, raw.baseAddress, raw.count)
                #else
                    Darwin.write(STDOUT_FILENO, raw.baseAddress, raw.count)
                #endif
            }
            if n >= 0 {
                written += n
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Somebody made the terminal or pipe one that does not wait.
                var ready = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                _ = poll(&ready, 1, 1_000)
            case let code: return code
            }
        }
        return 0
    }
}
