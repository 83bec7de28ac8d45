/// A piece of a page, HTML or SVG. The only way from a text to markup escapes the text; names of elements and
/// attributes are literals of the program, so nothing that came with data can begin markup.
///
/// ```swift
/// Markup("td", ["class": isNumeric ? "num" : nil]) { text }
/// ```
struct Markup: Sendable {
    /// The markup as it is sent.
    private(set) var source: String

    /// An attribute whose value is nil is left out.
    typealias Attributes = KeyValuePairs<StaticString, String?>

    init() { source = "" }

    /// A text, escaped.
    init(text: String) { source = Self.escape(text) }

    /// An element with its content.
    init(
        _ element: StaticString, _ attributes: Attributes = [:], @MarkupBuilder content: () throws -> Markup
    ) rethrows {
        source = Self.opening(element, attributes)
        source += ">"
        source += try content().source
        source += "</"
        source += element.description
        source += ">"
    }

    /// An element that has no content, such as `input` or SVG's `line`.
    init(empty element: StaticString, _ attributes: Attributes = [:]) {
        source = Self.opening(element, attributes) + "/>"
    }

    /// A style sheet or script that is part of the program, as it is.
    init(asset: [UInt8]) { source = String(decoding: asset, as: UTF8.self) }

    /// The first line of an HTML document.
    static let documentType = Markup(literal: "<!doctype html>\n")
    /// A line's end between elements, where it means nothing to a reader of the page but much to one of its source.
    static let newline = Markup(literal: "\n")

    private init(literal: StaticString) { source = literal.description }

    var isEmpty: Bool { source.isEmpty }

    static func + (a: Markup, b: Markup) -> Markup {
        var sum = a
        sum.source += b.source
        return sum
    }

    static func += (a: inout Markup, b: Markup) { a.source += b.source }

    private static func opening(_ element: StaticString, _ attributes: Attributes) -> String {
        var out = "<" + element.description
        for (name, value) in attributes {
            guard let value else { continue }
            out += " "
            out += name.description
            out += "=\""
            out += escape(value)
            out += "\""
        }
        return out
    }

    /// Escapes what would begin markup, in text and in quoted attributes. Control characters, which no page may have,
    /// are left out.
    private static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 38 || $0 == 60 || $0 == 62 || $0 == 34 || $0 == 39 || $0 < 32 }) else {
            return text
        }
        var out = ""
        for c in text.unicodeScalars {
            switch c {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "\n", "\t": out.unicodeScalars.append(c)
            default: if c.value >= 32 { out.unicodeScalars.append(c) }
            }
        }
        return out
    }

    /// A web address that may stand in a link: within the site, or over HTTPS.
    static func isSafe(address: String) -> Bool {
        (address.hasPrefix("/") && !address.hasPrefix("//") && !address.hasPrefix("/\\")) || address.hasPrefix("#")
            || address.hasPrefix("?") || address.hasPrefix("https://")
    }
}

extension Sequence<Markup> {
    func joined() -> Markup { reduce(into: Markup()) { $0 += $1 } }
}

/// Content of an element: elements, and texts, which are escaped.
@resultBuilder enum MarkupBuilder {
    static func buildExpression(_ markup: Markup) -> Markup { markup }
    static func buildExpression(_ text: String) -> Markup { Markup(text: text) }
    static func buildExpression(_ parts: [Markup]) -> Markup { parts.joined() }
    static func buildBlock(_ parts: Markup...) -> Markup { parts.joined() }
    static func buildArray(_ parts: [Markup]) -> Markup { parts.joined() }
    static func buildOptional(_ part: Markup?) -> Markup { part ?? Markup() }
    static func buildEither(first part: Markup) -> Markup { part }
    static func buildEither(second part: Markup) -> Markup { part }
}

/// A number as an attribute of SVG or a part of a style: at most one decimal. What cannot be a place on a page, such as
/// the scaled ends of numbers too far apart to scale, is its origin.
func coordinate(_ number: Double) -> String {
    guard number.isFinite, abs(number) < 1e9 else { return "0" }
    let tenths = (number * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(Int(tenths)) : String(tenths)
}
