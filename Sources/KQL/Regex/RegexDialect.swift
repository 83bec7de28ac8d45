/// Why a regular expression is refused.
package struct RegexProblem: Error, Sendable, Equatable {
    package let message: String

    package init(message: String) { self.message = message }
}

/// A regular expression of Kusto's dialect (https://learn.microsoft.com/kusto/query/regex) in the dialect of RE2.
///
/// RE2 knows `\w`, `\d`, `\s` and `\b` for ASCII only. A text of ASCII alone is searched with those; for any other the
/// classes are written out, and word boundaries are found by marks that `RegexMarks` puts into the text.
package struct RegexPattern: Sendable, Equatable {
    /// For texts of ASCII alone.
    package let ascii: String
    /// For any text.
    package let unicode: String
    /// Whether the second form is for texts with marks at their word boundaries.
    package let isMarked: Bool
    /// Whether the marks are needed for ASCII texts too, for `\b{start}` and `\b{end}`.
    package let isAlwaysMarked: Bool
    /// Whether places that are no boundary have a mark too, for `\B`.
    package let isDense: Bool

    /// - Throws: `RegexProblem`, which names what RE2 cannot be told.
    package init(_ pattern: String) throws(RegexProblem) {
        var plain = RegexTranslator(pattern, isMarked: false)
        try plain.run()
        guard plain.hasBoundary || plain.hasWordEdge else {
            (ascii, unicode, isMarked, isAlwaysMarked) = (plain.ascii, plain.unicode, false, false)
            isDense = false
            return
        }
        var marked = RegexTranslator(pattern, isMarked: true)
        try marked.run()
        (ascii, unicode, isMarked, isAlwaysMarked) = (plain.ascii, marked.unicode, true, plain.hasWordEdge)
        isDense = plain.hasInside
    }
}

/// Marks where words begin and end, as characters in the text that no text has.
package enum RegexMarks {
    /// U+FDD0 before the first character of a word, U+FDD1 after its last; U+FDD2 anywhere else, when that is asked
    /// for.
    static let start = "\\x{fdd0}"
    static let end = "\\x{fdd1}"
    static let inside = "\\x{fdd2}"
    static let edges = "\\x{fdd0}\\x{fdd1}"
    static let all = "\\x{fdd0}-\\x{fdd2}"
    static let points = CodePoints([0xFDD0...0xFDD2])

    /// The text with marks, and for each of its bytes and its end the offset in the text without.
    package static func marked(_ text: UnsafeBufferPointer<UInt8>, dense: Bool) -> (bytes: [UInt8], offsets: [Int]) {
        var bytes: [UInt8] = []
        var offsets: [Int] = []
        bytes.reserveCapacity(text.count + text.count / 2)
        offsets.reserveCapacity(text.count + text.count / 2)
        var wasWord = false
        var at = 0
        func mark(_ last: UInt8) {
            bytes += [0xEF, 0xB7, last]
            offsets += [at, at, at]
        }
        while at < text.count {
            let length = text[at] < 0x80 ? 1 : text[at] < 0xE0 ? 2 : text[at] < 0xF0 ? 3 : 4
            let end = min(at + length, text.count)
            let scalar = String(decoding: text[at..<end], as: UTF8.self).unicodeScalars.first
            let isWord = scalar.map(UnicodeSets.isWord) ?? false
            if isWord != wasWord { mark(isWord ? 0x90 : 0x91) } else if dense { mark(0x92) }
            wasWord = isWord
            for i in at..<end {
                bytes.append(text[i])
                offsets.append(i)
            }
            at = end
        }
        if wasWord { mark(0x91) } else if dense { mark(0x92) }
        offsets.append(at)
        return (bytes, offsets)
    }
}

/// Reads a pattern from its start to its end and writes both forms.
struct RegexTranslator {
    private let u: [Unicode.Scalar]
    private var i = 0
    private let isMarked: Bool
    private(set) var ascii = ""
    private(set) var unicode = ""
    /// `\b` or `\B` was met.
    private(set) var hasBoundary = false
    /// `\B` was met.
    private(set) var hasInside = false
    /// `\b{start}` or `\b{end}` was met.
    private(set) var hasWordEdge = false

    private struct Flags {
        var isVerbose = false
        var isUnicode = true
        var dotTakesAll = false
    }

    private var flags = Flags()
    private var outer: [Flags] = []

    init(_ pattern: String, isMarked: Bool) {
        u = Array(pattern.unicodeScalars)
        self.isMarked = isMarked
    }

    private func at(_ n: Int) -> Unicode.Scalar? { i + n < u.count ? u[i + n] : nil }

    private mutating func both(_ text: String) {
        ascii += text
        unicode += text
    }

    /// Something that takes one character.
    private mutating func atom(_ plain: String, _ wide: String) {
        ascii += plain
        unicode += isMarked ? "(?:[\(RegexMarks.all)]?\(wide))" : wide
    }

    private mutating func atom(_ plain: CodePoints, _ wide: CodePoints) {
        func text(_ set: CodePoints) -> String {
            set.ranges.isEmpty ? "[^\\x{0}-\\x{10ffff}]" : "[\(set.text)]"
        }
        atom(text(plain), text(isMarked ? wide.subtracting(RegexMarks.points) : wide))
    }

    mutating func run() throws(RegexProblem) {
        while let c = at(0) {
            switch c {
            case "\\": try escape()
            case "[": try bracket()
            case "(": try open()
            case ")":
                flags = outer.popLast() ?? flags
                i += 1
                both(")")
            case ".":
                i += 1
                if isMarked {
                    atom(".", flags.dotTakesAll ? "[^\(RegexMarks.all)]" : "[^\\n\(RegexMarks.all)]")
                } else {
                    both(".")
                }
            case "$":
                i += 1
                ascii += "$"
                unicode += isMarked ? "(?:[\(RegexMarks.all)]?$)" : "$"
            case "^", "|", "*", "+", "?":
                i += 1
                both(String(Character(c)))
            case "{": repetition()
            case _ where flags.isVerbose && c.properties.isWhitespace: i += 1
            case "#" where flags.isVerbose:
                while let next = at(0), next != "\n" {
                    _ = next
                    i += 1
                }
            default:
                i += 1
                atom(String(Character(c)), String(Character(c)))
            }
        }
    }

    /// `{n,m}` as it stands; any other brace is itself.
    private mutating func repetition() {
        var n = 1
        while let c = at(n), ("0"..."9").contains(c) || c == "," { n += 1 }
        if at(n) == "}", n > 1 {
            for _ in 0...n {
                if let c = at(0) { both(String(Character(c))) }
                i += 1
            }
        } else {
            i += 1
            atom("\\{", "\\{")
        }
    }

    // MARK: Groups

    private mutating func open() throws(RegexProblem) {
        outer.append(flags)
        guard at(1) == "?" else {
            i += 1
            return both("(")
        }
        switch (at(2), at(3)) {
        case ("=", _), ("!", _), ("<", "="), ("<", "!"):
            throw RegexProblem(message: "look-around is not part of Kusto's regular expressions")
        case ("P", "="): throw RegexProblem(message: "references to groups are not part of Kusto's regular expressions")
        case ("P", "<"), ("<", _):
            i += at(2) == "P" ? 4 : 3
            var name = ""
            while let c = at(0), c != ">" {
                name.unicodeScalars.append(c)
                i += 1
            }
            i += 1
            guard !name.isEmpty, name.unicodeScalars.allSatisfy(UnicodeSets.asciiWord.holds) else {
                throw RegexProblem(
                    message: "the local engine takes letters, digits and _ in the name of a group, not '\(name)'")
            }
            both("(?P<\(name)>")
        default: try flagGroup()
        }
    }

    /// `(?flags)` or `(?flags:`.
    private mutating func flagGroup() throws(RegexProblem) {
        i += 2
        var on = "", off = ""
        var isOff = false
        while let c = at(0), c != ")", c != ":" {
            i += 1
            switch c {
            case "-": isOff = true
            case "x": flags.isVerbose = !isOff
            case "u": flags.isUnicode = !isOff
            case "i", "m", "s", "U":
                if c == "s" { flags.dotTakesAll = !isOff }
                if isOff { off.unicodeScalars.append(c) } else { on.unicodeScalars.append(c) }
            default: throw RegexProblem(message: "the flag '\(c)' is not one that the local engine has")
            }
        }
        let text = on + (off.isEmpty ? "" : "-\(off)")
        if at(0) == ":" {
            i += 1
            return both("(?\(text):")
        }
        i += 1
        // They are for the rest of the group around them.
        _ = outer.popLast()
        if !text.isEmpty { both("(?\(text))") }
    }

    // MARK: Escapes

    private mutating func escape() throws(RegexProblem) {
        switch at(1) {
        case "b", "B", "<", ">": return try boundary()
        case "A":
            i += 2
            return both("\\A")
        case "z":
            i += 2
            ascii += "\\z"
            unicode += isMarked ? "(?:[\(RegexMarks.all)]?\\z)" : "\\z"
            return
        default: break
        }
        let start = i
        var reader = RegexClassReader(u, isVerbose: flags.isVerbose, isUnicode: flags.isUnicode)
        let item = try reader.escape(&i)
        precondition(i > start, "an escape takes its characters")
        if isMarked, item.isNegated || item.wide == nil {
            return atom(item.asciiText, try item.withoutMarks())
        }
        atom(item.asciiText, item.wideText)
    }

    private mutating func boundary() throws(RegexProblem) {
        let kind = at(1)
        i += 2
        if kind == "B" {
            hasBoundary = true
            hasInside = true
            ascii += "\\B"
            unicode += isMarked ? "[\(RegexMarks.inside)]" : "\\B"
            return
        }
        var edge = kind == "<" ? "start" : kind == ">" ? "end" : ""
        if kind == "b", at(0) == "{" {
            while let c = at(0), c != "}" {
                if c != "{" { edge.unicodeScalars.append(c) }
                i += 1
            }
            i += 1
        }
        switch edge {
        case "":
            hasBoundary = true
            ascii += "\\b"
            unicode += isMarked ? "[\(RegexMarks.edges)]" : "\\b"
        case "start", "end":
            hasWordEdge = true
            both(edge == "start" ? "[\(RegexMarks.start)]" : "[\(RegexMarks.end)]")
        default:
            throw RegexProblem(
                message: "'\\b{\(edge)}' is not in the local engine; it has \\b, \\b{start} and \\b{end}")
        }
    }

    // MARK: Classes

    private mutating func bracket() throws(RegexProblem) {
        let start = i
        var reader = RegexClassReader(u, isVerbose: flags.isVerbose, isUnicode: flags.isUnicode)
        let parsed: RegexClass
        do throws(RegexProblem) { parsed = try reader.bracket(&i) } catch {
            // Patterns from before classes could nest have brackets in them that close nothing, as in `[["\]]`.
            i = start
            var plain = RegexClassReader(u, isVerbose: flags.isVerbose, isUnicode: flags.isUnicode, nests: false)
            parsed = try plain.bracket(&i)
        }
        if parsed.needsSets {
            return atom(try parsed.set(isUnicode: false), try parsed.set(isUnicode: true))
        }
        let extra = isMarked && parsed.isNegated ? RegexMarks.all : ""
        atom("[\(parsed.body(isUnicode: false))]", "[\(parsed.body(isUnicode: true))\(extra)]")
    }
}
