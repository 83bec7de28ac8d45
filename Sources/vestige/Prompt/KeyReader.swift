#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A key, or text that came at once.
enum Key: Sendable, Equatable {
    case text(String)
    case enter, newline, tab, backTab, escape
    case backspace, delete, wordBackspace, killLine, killToEnd
    case left, right, up, down, home, end, wordLeft, wordRight
    case interrupt, endOfInput, search, clear
}

/// Turns a terminal's bytes into keys.
struct KeyDecoder {
    private var bytes: [UInt8] = []

    /// Takes bytes; gives the keys that are complete.
    ///
    /// - Parameter isIdle: nothing follows for now, so that an escape alone is the key.
    mutating func feed(_ new: [UInt8], isIdle: Bool) -> [Key] {
        bytes += new
        var keys: [Key] = []
        while let (key, used) = next(isIdle: isIdle) {
            bytes.removeFirst(used)
            if let key {
                if case .text(let more) = key, case .text(let before)? = keys.last {
                    keys[keys.count - 1] = .text(before + more)
                } else {
                    keys.append(key)
                }
            }
        }
        return keys
    }

    var isWaiting: Bool { !bytes.isEmpty }

    /// The next key and its bytes; nil when more must come first.
    private func next(isIdle: Bool) -> (Key?, Int)? {
        guard let first = bytes.first else { return nil }
        switch first {
        case 27: return escape(isIdle: isIdle)
        case 13: return (.enter, 1)
        case 10: return (.newline, 1)
        case 9: return (.tab, 1)
        case 127, 8: return (.backspace, 1)
        case 1: return (.home, 1)
        case 2: return (.left, 1)
        case 3: return (.interrupt, 1)
        case 4: return (.endOfInput, 1)
        case 5: return (.end, 1)
        case 6: return (.right, 1)
        case 11: return (.killToEnd, 1)
        case 12: return (.clear, 1)
        case 14: return (.down, 1)
        case 16: return (.up, 1)
        case 18: return (.search, 1)
        case 21: return (.killLine, 1)
        case 23: return (.wordBackspace, 1)
        case ..<32: return (nil, 1)
        default:
            let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
            guard bytes.count >= length else { return isIdle ? (nil, bytes.count) : nil }
            return (.text(String(decoding: bytes[..<length], as: UTF8.self)), length)
        }
    }

    private func escape(isIdle: Bool) -> (Key?, Int)? {
        guard bytes.count > 1 else { return isIdle ? (.escape, 1) : nil }
        switch bytes[1] {
        case 13, 10: return (.newline, 2)
        case 98: return (.wordLeft, 2)
        case 102: return (.wordRight, 2)
        case 127, 8: return (.wordBackspace, 2)
        case 91, 79: break
        default: return (nil, 2)
        }
        // Paste in brackets: its text up to the closing sequence.
        if bytes.starts(with: Array("\u{1B}[200~".utf8)) {
            let close = Array("\u{1B}[201~".utf8)
            guard bytes.count >= 6 + close.count,
                let end = (6...bytes.count - close.count).first(where: {
                    bytes[$0..<$0 + close.count].elementsEqual(close)
                })
            else { return nil }
            let text = String(decoding: bytes[6..<end], as: UTF8.self).replacing("\r\n", with: "\n").replacing(
                "\r", with: "\n")
            return (
                .text(text.filter { $0 == "\n" || $0 == "\t" || !$0.unicodeScalars.contains { $0.value < 32 } }),
                end + close.count
            )
        }
        guard let last = bytes.dropFirst(2).firstIndex(where: { (64...126).contains($0) }) else {
            return isIdle ? (nil, bytes.count) : nil
        }
        let parameters = String(decoding: bytes[2..<last], as: UTF8.self)
        let isWord = parameters.hasSuffix(";5") || parameters.hasSuffix(";3")
        let key: Key? =
            switch bytes[last] {
            case 65: .up
            case 66: .down
            case 67: isWord ? .wordRight : .right
            case 68: isWord ? .wordLeft : .left
            case 72: .home
            case 70: .end
            case 90: .backTab
            case 126 where parameters == "3": .delete
            case 126 where parameters == "1" || parameters == "7": .home
            case 126 where parameters == "4" || parameters == "8": .end
            default: nil
            }
        return (key, last + 1)
    }
}

/// Reads keys from the terminal on standard input, which must be in raw mode.
struct KeyReader {
    private var decoder = KeyDecoder()
    private var waiting: [Key] = []

    /// The next key; waits for it.
    mutating func next() -> Key {
        while waiting.isEmpty {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN) { return .endOfInput }
            waiting = decoder.feed(Array(buffer.prefix(max(count, 0))), isIdle: false)
            // An escape alone is a key once nothing follows it.
            while decoder.isWaiting, waiting.isEmpty {
                var poller = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                if poll(&poller, 1, 50) > 0 { break }
                waiting = decoder.feed([], isIdle: true)
            }
        }
        return waiting.removeFirst()
    }
}

/// A terminal without echo and line editing of its own, for as long as a body runs.
enum RawTerminal {
    static func run<T>(_ body: () throws -> T) rethrows -> T {
        var before = termios()
        tcgetattr(STDIN_FILENO, &before)
        var raw = before
        cfmakeraw(&raw)
        // Output keeps its newlines.
        raw.c_oflag = before.c_oflag
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw)
        Console.draw("\u{1B}[?2004h")
        defer {
            Console.draw("\u{1B}[?2004l")
            tcsetattr(STDIN_FILENO, TCSADRAIN, &before)
        }
        return try body()
    }
}
