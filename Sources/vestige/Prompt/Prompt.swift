import Foundation
import KQL
import KQLEngine
import Pipeline
import Synchronization
import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The interactive prompt of `vestige query`.
struct Prompt: Sendable {
    let target: QueryTarget
    let printer: ResultPrinter
    let timespan: String?
    let limits: QueryLimits
    let parameters: [String: String]

    private static let help = """
        Enter      runs a query that is complete, else starts a new line
        Alt-Enter  starts a new line
        Tab        completes tables, columns, operators and functions
        Up, Down   walk through lines, then through earlier queries; Ctrl-R searches them
        Ctrl-C     drops what was typed, or stops a query that runs
        Ctrl-D     leaves; so do 'exit' and 'quit'
        .show tables, .show functions, .show table NAME cslschema: what there is

        """

    /// Runs until the user leaves.
    func run() async {
        let catalog = await target.catalog()
        var history = PromptHistory(file: PromptHistory.standardFile)
        printer.console.say("\(target.title); Tab completes, 'help' tells the keys, Ctrl-D leaves")
        let hasColor = Console.outputIsTerminal && printer.console.hasColor
        let interrupt = Interrupt()
        let signals = interrupt.watch()
        defer { signals.cancel() }
        while true {
            var editor = PromptEditor(completer: Completer(catalog: catalog), hasColor: hasColor)
            switch editor.read(history) {
            case .end: return
            case .dropped: continue
            case .query(let text):
                let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
                switch trimmed.lowercased().trimmingCharacters(in: CharacterSet(charactersIn: ";")) {
                case "": continue
                case "exit", "quit": return
                case "help", "?": Console.out(Self.help)
                default:
                    history.add(trimmed)
                    await answer(trimmed, interrupt, hasColor: hasColor)
                }
            }
        }
    }

    private func answer(_ text: String, _ interrupt: Interrupt, hasColor: Bool) async {
        do {
            let result = try await ask(text, interrupt)
            let shown = try printer.text(result, width: Console.outputWidth, bold: hasColor)
            Pager.show(shown)
            printer.console.say(printer.summary(result))
            for warning in result.warnings { printer.console.say(warning.render(in: text)) }
            if let truncation = result.truncation { printer.console.warn(truncation) }
        } catch { Failure.report(error, printer.console) }
    }

    /// Asks; Ctrl-C gives up waiting and stops the work.
    private func ask(_ text: String, _ interrupt: Interrupt) async throws -> QueryResult {
        interrupt.reset()
        let task = Task {
            try await target.ask(text, parameters: parameters, timespan: timespan, limits: limits) { interrupt.isSet }
        }
        interrupt.onSet { task.cancel() }
        defer { interrupt.onSet(nil) }
        return try await task.value
    }
}

/// Whether the user pressed Ctrl-C while a query runs.
private final class Interrupt: Sendable {
    private let flag = Atomic(false)
    private let action: Mutex<(@Sendable () -> Void)?> = Mutex(nil)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func reset() { flag.store(false, ordering: .relaxed) }

    func onSet(_ body: (@Sendable () -> Void)?) { action.withLock { $0 = body } }

    /// Watches the signal as long as the source lives. One source serves the whole prompt:
    /// making one anew for every query would lose signals in between.
    func watch() -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let signals = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        signals.setEventHandler { [self] in
            flag.store(true, ordering: .relaxed)
            action.withLock { $0 }?()
        }
        signals.resume()
        return signals
    }
}

/// Shows text a screen at a time, when it is longer than the screen.
enum Pager {
    static func show(_ text: TerminalText) {
        guard let height = Console.outputHeight, text.text.utf8.lazy.filter({ $0 == 10 }).count >= height,
            page(text.text)
        else {
            Console.draw(text)
            return
        }
    }

    /// Gives the text to `PAGER`, or to `less`; false when there is none.
    private static func page(_ text: String) -> Bool {
        let wanted = ProcessInfo.processInfo.environment["PAGER"].flatMap { $0.isEmpty ? nil : $0 } ?? "less -FRSX"
        // The pager must stay in the terminal's foreground, where Foundation's Process would not leave it.
        guard let pipe = popen(wanted, "w") else { return false }
        signal(SIGPIPE, SIG_IGN)
        let bytes = Array(text.utf8)
        _ = fwrite(bytes, 1, bytes.count, pipe)
        // The shell's answer when there is no such program.
        return pclose(pipe) >> 8 != 127
    }
}
