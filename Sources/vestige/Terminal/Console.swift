import ArgumentParser
import Azure
import Content
import Foundation
import KQL
import KQLEngine
import Pipeline
import Tables

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

    func say(_ text: TerminalText) {
        if !isQuiet { Self.tell("\(text)\n") }
    }

    func warn(_ text: TerminalText) { Self.tell("\(paint("warning:", 33)) \(text)\n") }

    func fail(_ text: TerminalText) { Self.tell("\(paint("error:", 31)) \(text)\n") }

    /// A message that has its own form.
    func raw(_ text: TerminalText) { Self.tell("\(text)\n") }

    /// Replaces the terminal's current line; nothing when standard error is no terminal.
    func progress(_ text: TerminalText) {
        if !isQuiet, Self.isTerminal { Self.tell("\r\u{1B}[K\(text)") }
    }

    private func paint(_ text: TerminalText, _ code: Int) -> TerminalText { text.styled(hasColor ? code : nil) }

    /// Writes a drawing of the program's own to standard output.
    static func draw(_ text: TerminalText) { StandardOutput.write(Array(text.text.utf8)) }

    /// Writes text for people, without what would steer a terminal. What goes wrong is told at the command's end
    /// (`StandardOutput.finish`).
    static func out(_ text: String) { draw(TerminalText(lines: text)) }

    /// Writes data. A terminal that shows it is not steered by it; a file or a program gets it as it is.
    static func out(_ bytes: [UInt8]) {
        if outputIsTerminal { out(String(decoding: bytes, as: UTF8.self)) } else { StandardOutput.write(bytes) }
    }

    /// Writes JSON: at a terminal with escapes for what would steer it, which are the same values.
    static func out(json bytes: [UInt8]) {
        StandardOutput.write(
            outputIsTerminal
                ? Array(SteeringCharacters.escaped(inJSON: String(decoding: bytes, as: UTF8.self)).utf8) : bytes)
    }

    static func out(json text: String) { out(json: Array(text.utf8)) }

    /// Writes a value as a line of JSON.
    static func out(line value: JSON) { out(json: value.bytes + [10]) }

    /// Talk that nobody can hear is no reason to stop.
    private static func tell(_ text: TerminalText) {
        try? FileHandle.standardError.write(contentsOf: Data(Secret.hidden(in: text.text).utf8))
    }
}

extension Console {
    /// Tells of content files that are not used, or not wholly.
    func warn(leftOut problems: [ContentProblem]) {
        for problem in problems {
            warn("\(problem.isNotice ? "content" : "content left out"): \(problem.description)")
        }
    }
}

/// The same for texts that are no literals: their line ends are layout, such as that of a rendered error.
extension Console {
    @_disfavoredOverload func say(_ text: String) { say(TerminalText(lines: text)) }
    @_disfavoredOverload func warn(_ text: String) { warn(TerminalText(line: text)) }
    @_disfavoredOverload func fail(_ text: String) { fail(TerminalText(lines: text)) }
    @_disfavoredOverload func raw(_ text: String) { raw(TerminalText(lines: text)) }
    @_disfavoredOverload func progress(_ text: String) { progress(TerminalText(line: text)) }
}

/// Options that every command takes.
struct TalkOptions: ParsableArguments {
    @Flag(help: "Say nothing but errors.") var quiet = false
    @Flag(help: "Do not use colours; NO_COLOR does the same.") var noColor = false

    var console: Console { Console(isQuiet: quiet, noColor: noColor) }
}

/// Turns errors into messages and exit codes: 1 when the work failed, 2 for mistakes in the command or the
/// configuration.
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
            console.fail("\(query.message)")
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
