/// Characters that steer a terminal or a log instead of being read: C0 and C1 controls, DEL, Unicode's own line ends,
/// and the marks that turn the direction of text, by which a name can be shown as another.
package enum SteeringCharacters {
    /// Whether a character steers.
    package static func contains(_ c: Unicode.Scalar) -> Bool {
        switch c.value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFFF9...0xFFFB: true
        default: false
        }
    }

    /// The text with U+FFFD for each that steers, and blanks for line ends and tabs: one line whatever came.
    package static func replaced(in text: String) -> String {
        replaced(in: text) { $0 == "\n" || $0 == "\r" || $0 == "\t" ? " " : "\u{FFFD}" }
    }

    /// The same, but line ends stay.
    package static func replaced(inLines text: String) -> String {
        replaced(in: text.replacing("\r\n", with: "\n")) { $0 == "\n" ? $0 : $0 == "\t" ? " " : "\u{FFFD}" }
    }

    /// JSON in which those that JSON allows as they are stand as escapes: the same values, and nothing that steers.
    package static func escaped(inJSON text: String) -> String {
        guard text.unicodeScalars.contains(where: { contains($0) && $0 != "\n" }) else { return text }
        var out = String.UnicodeScalarView()
        for c in text.unicodeScalars {
            guard contains(c), c != "\n" else {
                out.append(c)
                continue
            }
            let digits = String(c.value, radix: 16)
            out.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".unicodeScalars)
        }
        return String(out)
    }

    private static func replaced(in text: String, _ replacement: (Unicode.Scalar) -> Unicode.Scalar) -> String {
        guard text.unicodeScalars.contains(where: contains) else { return text }
        var out = String.UnicodeScalarView()
        for c in text.unicodeScalars { out.append(contains(c) ? replacement(c) : c) }
        return String(out)
    }
}

/// Text for a terminal or a log. What the program itself writes, literals, stands as it is; what is put into them,
/// and what comes as a `String`, can neither steer a terminal nor begin a line.
///
/// ```swift
/// console.say("\(file): \(count) rows")
/// ```
package struct TerminalText: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    /// The text as it may be written.
    package private(set) var text: String

    /// A literal of the program, with its line ends and escape sequences.
    package init(stringLiteral value: StaticString) { text = value.description }

    /// A literal of the program, with texts in it.
    package init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    /// A text that is one line, whatever is in it.
    package init(line: String) { text = SteeringCharacters.replaced(in: line) }

    /// A text whose line ends are the program's own, such as a rendered message or table.
    package init(lines: String) { text = SteeringCharacters.replaced(inLines: lines) }

    package var description: String { text }

    /// One after the other.
    package static func + (a: TerminalText, b: TerminalText) -> TerminalText {
        var sum = a
        sum.text += b.text
        return sum
    }

    /// Appends.
    package static func += (a: inout TerminalText, b: TerminalText) { a.text += b.text }

    /// In a colour or weight, by its number in ECMA-48's SGR; as it is when that is nil.
    package func styled(_ code: Int?) -> TerminalText {
        guard let code else { return self }
        return "\u{1B}[\(code)m\(self)\u{1B}[0m"
    }

    /// What an interpolated literal is built of.
    package struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        package init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

        /// A part of the literal.
        package mutating func appendLiteral(_ literal: StaticString) { text += literal.description }

        /// Text that is safe already.
        package mutating func appendInterpolation(_ other: TerminalText) { text += other.text }

        /// Any value, as one line.
        package mutating func appendInterpolation<T>(_ value: T) {
            text += SteeringCharacters.replaced(in: "\(value)")
        }
    }

    package typealias StringInterpolation = Interpolation
}

extension Sequence<TerminalText> {
    /// One after the other, with `separator` between them.
    package func joined(separator: TerminalText = "") -> TerminalText {
        var sum: TerminalText = ""
        var isFirst = true
        for part in self {
            sum += isFirst ? part : separator + part
            isFirst = false
        }
        return sum
    }
}
