import ArgumentParser
import Foundation
import KQL
import KQLEngine
import Pipeline

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a person reads: talk on standard error, data on standard output.
struct Console: Sendable {
    var isQuiet: Bool
    var hasColor: Bool

    /// Whether standard error is a terminal.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    init(isQuiet: Bool, noColor: Bool) {
        self.isQuiet = isQuiet
        hasColor = !noColor && ProcessInfo.processInfo.environment["NO_COLOR"] == nil && Self.isTerminal
    }

    func say(_ text: String) {
        if !isQuiet { Self.write(text + "\n", to: .standardError) }
    }

    func warn(_ text: String) { Self.write(paint("warning:", 33) + " \(text)\n", to: .standardError) }

    func fail(_ text: String) { Self.write(paint("error:", 31) + " \(text)\n", to: .standardError) }

    /// A message that has its own form.
    func raw(_ text: String) { Self.write(text + "\n", to: .standardError) }

    /// Replaces the terminal's current line; nothing when standard error is no terminal.
    func progress(_ text: String) {
        if !isQuiet, Self.isTerminal { Self.write("\r\u{1B}[K\(text)", to: .standardError) }
    }

    func paint(_ text: String, _ code: Int) -> String { hasColor ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }

    /// Writes data. What goes wrong is told at the command's end (`StandardOutput.finish`).
    static func out(_ text: String) { StandardOutput.write(Array(text.utf8)) }

    static func out(_ bytes: [UInt8]) { StandardOutput.write(bytes) }

    /// Talk that nobody can hear is no reason to stop.
    private static func write(_ text: String, to handle: FileHandle) { try? handle.write(contentsOf: Data(text.utf8)) }
}

/// Options that every command takes.
struct TalkOptions: ParsableArguments {
    @Flag(help: "Say nothing but errors.") var quiet = false
    @Flag(help: "Do not use colours; NO_COLOR does the same.") var noColor = false

    var console: Console { Console(isQuiet: quiet, noColor: noColor) }
}

/// Turns errors into messages and exit codes: 1 when the work failed, 2 for mistakes in the command or the configuration.
enum Failure {
    @discardableResult
    static func report(_ error: any Error, _ console: Console = Console(isQuiet: false, noColor: false)) -> Int32 {
        switch error {
        case let exit as ExitCode: return exit.rawValue
        case let known as OperatorError:
            console.fail(known.rendered)
            return known.isConfiguration ? 2 : 1
        case QueryError.invalid(let diagnostic, let query):
            console.raw(diagnostic.render(in: query))
            return 1
        case let query as QueryError:
            console.fail(query.message)
            return 1
        case is CancellationError:
            console.fail("interrupted")
            return 130
        default:
            let other = OperatorError(error, title: "the command failed")
            console.fail(other.rendered)
            return other.isConfiguration ? 2 : 1
        }
    }
}

extension Console {
    static var inputIsTerminal: Bool { isatty(STDIN_FILENO) == 1 }
    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Columns of the terminal that shows standard output; nil when there is none.
    static var outputWidth: Int? {
        guard outputIsTerminal else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
        return Int(size.ws_col)
    }

    /// Lines of the terminal that shows standard output; nil when there is none.
    static var outputHeight: Int? {
        var size = winsize()
        guard outputIsTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 1 else { return nil }
        return Int(size.ws_row)
    }
}
