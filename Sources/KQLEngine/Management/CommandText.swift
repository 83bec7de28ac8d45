import KQL

/// A management command's text, taken apart: its words, and the query after its first bar.
struct CommandText {
    /// Words and bracketed groups; a name in brackets or quotes is given without them.
    let words: [String]
    /// KQL over the command's table, without the bar; empty when there is none.
    let pipeline: String
    /// Where the words are, as UTF-8 offsets.
    let ranges: [Range<Int>]

    /// - Parameter text: a command, its dot included.
    init(_ text: String) {
        let bytes = Array(text.utf8)
        var words: [String] = []
        var ranges: [Range<Int>] = []
        var i = 0
        var rest = bytes.count
        scan: while i < bytes.count {
            switch bytes[i] {
            case 32, 9, 10, 13, 59: i += 1
            case 124:
                rest = i
                break scan
            case 47 where i + 1 < bytes.count && bytes[i + 1] == 47:
                while i < bytes.count, bytes[i] != 10 { i += 1 }
            default:
                let start = i
                i = Self.end(of: bytes, from: i)
                words.append(Self.name(String(decoding: bytes[start..<i], as: UTF8.self)))
                ranges.append(start..<i)
            }
        }
        self.words = words
        self.ranges = ranges
        pipeline = rest < bytes.count ? String(decoding: bytes[(rest + 1)...], as: UTF8.self) : ""
    }

    /// Where the word that starts at `from` ends: quotes and brackets hold it together.
    private static func end(of bytes: [UInt8], from: Int) -> Int {
        var depth = 0
        var quote: UInt8?
        var i = from
        while i < bytes.count {
            let b = bytes[i]
            if let q = quote {
                if b == q { quote = nil }
            } else {
                switch b {
                case 34, 39: quote = b
                case 40, 91, 123: depth += 1
                case 41, 93, 125: depth -= 1
                case 32, 9, 10, 13, 59, 124: if depth <= 0 { return i }
                default: break
                }
            }
            i += 1
        }
        return i
    }

    /// A name without its brackets and quotes: `['x']`, `["x"]`, `[x]`, `"x"`, `(x)`.
    private static func name(_ word: String) -> String {
        var text = word[...]
        func strip(_ open: Character, _ close: Character) -> Bool {
            guard text.count >= 2, text.first == open, text.last == close else { return false }
            text = text.dropFirst().dropLast()
            while text.first == " " { text = text.dropFirst() }
            while text.last == " " { text = text.dropLast() }
            return true
        }
        while strip("(", ")") || strip("[", "]") || strip("'", "'") || strip("\"", "\"") {}
        return String(text)
    }
}
