import Foundation
import KQL
import Tables

/// Reads one query from the terminal: editing over several lines, history, completion.
struct PromptEditor {
    enum Outcome {
        case query(String)
        /// Ctrl-C: what was typed is dropped.
        case dropped
        case end
    }

    private let completer: Completer
    private let hasColor: Bool
    private var reader = KeyReader()
    private static let itemsMax = 60

    init(completer: Completer, hasColor: Bool) {
        self.completer = completer
        self.hasColor = hasColor
    }

    /// Reads until a query is complete.
    mutating func read(_ history: PromptHistory) -> Outcome {
        var buffer = LineBuffer()
        var screen = PromptScreen(hasColor: hasColor)
        var place = history.entries.count
        var draft = ""
        var below: [TerminalText] = []
        return RawTerminal.run {
            while true {
                Console.draw(screen.draw(buffer, width: Console.outputWidth ?? 80, below: below))
                below = []
                switch reader.next() {
                case .text(let text): buffer.insert(text)
                case .newline: buffer.insert("\n")
                case .enter:
                    if QueryEnd.isComplete(buffer.text) {
                        buffer.moveToEnd()
                        finish(&screen, buffer)
                        return .query(buffer.text)
                    }
                    buffer.insert("\n")
                case .tab: below = complete(&buffer)
                case .backspace: buffer.deleteBackward()
                case .delete: buffer.deleteForward()
                case .wordBackspace: buffer.deleteWordBackward()
                case .killLine: buffer.deleteToLineStart()
                case .killToEnd: buffer.deleteToLineEnd()
                case .left: buffer.moveLeft()
                case .right: buffer.moveRight()
                case .wordLeft: buffer.moveWordLeft()
                case .wordRight: buffer.moveWordRight()
                case .home: buffer.moveToLineStart()
                case .end: buffer.moveToLineEnd()
                case .up:
                    if !buffer.moveUp(), place > 0 {
                        if place == history.entries.count { draft = buffer.text }
                        place -= 1
                        buffer = LineBuffer(history.entries[place])
                    }
                case .down:
                    if !buffer.moveDown(), place < history.entries.count {
                        place += 1
                        buffer = LineBuffer(place == history.entries.count ? draft : history.entries[place])
                    }
                case .search: if let found = search(history, &screen) { buffer = LineBuffer(found) }
                case .clear:
                    Console.draw("\u{1B}[H\u{1B}[2J")
                    screen.leave()
                case .interrupt:
                    finish(&screen, buffer)
                    return .dropped
                case .endOfInput:
                    if buffer.isEmpty {
                        finish(&screen, buffer)
                        return .end
                    }
                    buffer.deleteForward()
                case .backTab, .escape: break
                }
            }
        }
    }

    private func finish(_ screen: inout PromptScreen, _ buffer: LineBuffer) {
        Console.draw(screen.draw(buffer, width: Console.outputWidth ?? 80) + "\r\n")
        screen.leave()
    }

    // MARK: Completion

    /// Completes as far as there is one way; gives lines that list the ways when there are several.
    private func complete(_ buffer: inout LineBuffer) -> [TerminalText] {
        let (start, items) = completer.complete(buffer.text, at: buffer.offset)
        guard let first = items.first else { return [] }
        let typed = buffer.offset - start
        var common = first.text
        for item in items.dropFirst() {
            while !item.text.lowercased().hasPrefix(common.lowercased()) { common.removeLast() }
        }
        if items.count == 1 {
            buffer.replace(
                from: start,
                with: first.text
                    + (first.kind == .function || first.kind == .aggregate || first.kind == .plugin ? "(" : " "))
            return []
        }
        if common.utf8.count > typed { buffer.replace(from: start, with: common) }
        return Self.list(items, width: Console.outputWidth ?? 80, hasColor: hasColor)
    }

    /// Names in columns, the details of a few beside them.
    static func list(_ items: [Completion], width: Int, hasColor: Bool) -> [TerminalText] {
        let shown = items.prefix(itemsMax)
        let cell = min((shown.map(\.text.count).max() ?? 0) + 2, width)
        func paint(_ item: Completion) -> TerminalText {
            let text = item.text + String(repeating: " ", count: max(1, cell - item.text.count))
            let colors: [Completion.Kind: Int] = [
                .column: 0, .table: 1, .variable: 36, .function: 33, .aggregate: 33, .operator: 34, .plugin: 35,
                .keyword: 90,
            ]
            return TerminalText(line: text).styled(hasColor ? colors[item.kind] ?? 0 : nil)
        }
        var lines: [TerminalText] = []
        if shown.count <= 8, shown.contains(where: { !$0.detail.isEmpty }) {
            lines = shown.map { paint($0) + TerminalText(line: String($0.detail.prefix(max(0, width - cell - 1)))) }
        } else {
            let across = max(1, (width - 1) / cell)
            var from = 0
            while from < shown.count {
                lines.append(shown[from..<min(shown.count, from + across)].map(paint).joined())
                from += across
            }
        }
        if items.count > shown.count { lines.append("… and \(items.count - shown.count) more") }
        return lines
    }

    // MARK: Search

    /// Ctrl-R: finds an earlier query by a part of it; nil when the search was given up.
    private mutating func search(_ history: PromptHistory, _ screen: inout PromptScreen) -> String? {
        var wanted = LineBuffer()
        var found: Int?
        while true {
            let text = found.map { history.entries[$0] } ?? ""
            let lines = text.split(separator: "\n").prefix(6).map { TerminalText(line: String($0)) }
            Console.draw(screen.draw(wanted, width: Console.outputWidth ?? 80, below: lines, prompt: "search: "))
            switch reader.next() {
            case .text(let more):
                wanted.insert(more)
                found = history.search(wanted.text, before: history.entries.count)
            case .backspace:
                wanted.deleteBackward()
                found = history.search(wanted.text, before: history.entries.count)
            case .search: found = history.search(wanted.text, before: found ?? history.entries.count) ?? found
            case .interrupt, .escape, .endOfInput: return nil
            default: return found.map { history.entries[$0] }
            }
        }
    }
}

/// Whether a query that is being typed is whole.
enum QueryEnd {
    /// False when Enter should start a new line: something is open or missing at the end of the text.
    static func isComplete(_ text: String) -> Bool {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if trimmed.isEmpty || trimmed.hasPrefix(".") { return true }
        // An empty line ends what cannot be completed.
        if text.hasSuffix("\n") || text.hasSuffix("\n ") { return true }
        do {
            // Declarations alone still want their query.
            if case .expression? = try Parser.parse(text).last { return true }
            return false
        } catch {
            let end = text.utf8.count - String(text.reversed().prefix { $0.isWhitespace }).utf8.count
            return error.range.lowerBound < end
        }
    }
}
