/// A piece of a page, HTML or SVG. The only way from a text to markup escapes the text; elements and attributes are
/// those of two lists, in which there is none that runs a script or styles by text. So nothing that came with data
/// can begin markup.
///
/// ```swift
/// Markup(.td, [.class: isNumeric ? "num" : nil]) { text }
/// ```
package struct Markup: Sendable {
    /// The markup as it is sent.
    private(set) var source: String

    /// An attribute whose value is nil is left out.
    package typealias Attributes = KeyValuePairs<AttributeName, String?>

    /// Nothing.
    package init() { source = "" }

    /// A text, escaped.
    package init(text: String) { source = Self.escape(text) }

    /// An element with its content.
    package init(
        _ element: ElementName, _ attributes: Attributes = [:], @MarkupBuilder content: () throws -> Markup
    ) rethrows {
        source = Self.opening(element.rawValue, attributes)
        source += ">"
        source += try content().source
        source += "</\(element.rawValue)>"
    }

    /// An element that has no content, such as `input` or SVG's `line`.
    package init(empty element: ElementName, _ attributes: Attributes = [:]) {
        source = Self.opening(element.rawValue, attributes) + "/>"
    }

    /// A way to another page.
    package init(
        link: Link, _ attributes: Attributes = [:], @MarkupBuilder content: () throws -> Markup
    ) rethrows {
        source = Self.opening("a", attributes) + " href=\"\(Self.escape(link.text))\""
        // Whom a page of this site leads to does not learn of it, and cannot move it.
        if link.leavesSite { source += " rel=\"noopener noreferrer\"" }
        source += ">"
        source += try content().source
        source += "</a>"
    }

    /// A form that is posted to a page.
    package init(
        postTo page: Link, _ attributes: Attributes = [:], @MarkupBuilder content: () throws -> Markup
    ) rethrows {
        precondition(!page.leavesSite, "forms stay within the site")
        source = Self.opening("form", attributes) + " method=\"post\" action=\"\(Self.escape(page.text))\">"
        source += try content().source
        source += "</form>"
    }

    /// A style sheet or script that is part of the program, as it is.
    init(_ asset: PageAsset) {
        source = "<\(asset.element)>\(asset.text)</\(asset.element)>"
    }

    /// The first line of an HTML document.
    static let documentType = Markup(literal: "<!doctype html>\n")
    /// A line's end between elements, where it means nothing to a reader of the page but much to one of its source.
    package static let newline = Markup(literal: "\n")

    private init(literal: StaticString) { source = literal.description }

    /// Whether there is nothing.
    package var isEmpty: Bool { source.isEmpty }

    /// One after the other.
    package static func + (a: Markup, b: Markup) -> Markup {
        var sum = a
        sum.source += b.source
        return sum
    }

    /// Appends.
    package static func += (a: inout Markup, b: Markup) { a.source += b.source }

    private static func opening(_ element: String, _ attributes: Attributes) -> String {
        var out = "<" + element
        for (name, value) in attributes {
            guard let value else { continue }
            out += " "
            out += name.rawValue
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
}

extension Sequence<Markup> {
    /// One after the other.
    package func joined() -> Markup { reduce(into: Markup()) { $0 += $1 } }
}

/// Content of an element: elements, and texts, which are escaped.
@resultBuilder package enum MarkupBuilder {
    /// Markup as it is.
    package static func buildExpression(_ markup: Markup) -> Markup { markup }
    /// A text, escaped.
    package static func buildExpression(_ text: String) -> Markup { Markup(text: text) }
    /// Several pieces.
    package static func buildExpression(_ parts: [Markup]) -> Markup { parts.joined() }
    /// One after the other.
    package static func buildBlock(_ parts: Markup...) -> Markup { parts.joined() }
    /// The pieces of a loop.
    package static func buildArray(_ parts: [Markup]) -> Markup { parts.joined() }
    /// A piece that may be missing.
    package static func buildOptional(_ part: Markup?) -> Markup { part ?? Markup() }
    /// A piece of a condition.
    package static func buildEither(first part: Markup) -> Markup { part }
    /// A piece of a condition's other way.
    package static func buildEither(second part: Markup) -> Markup { part }
}

/// A whole page, as it is sent. Only markup becomes one.
package struct HTMLPage: Sendable {
    /// The page's text.
    package let text: String

    init(_ document: Markup) { text = (Markup.documentType + document + Markup.newline).source }

    /// The content security policy of every page: its own style sheet and scripts, known by their digests, and
    /// nothing else (https://www.w3.org/TR/CSP3/). Without `unsafe-inline`, markup that got in all the same could
    /// neither run nor hide anything.
    package static let policy: String = {
        let styles = PageAsset.allCases.filter { $0.element == .style }.map(\.digest).joined(separator: " ")
        let scripts = PageAsset.allCases.filter { $0.element == .script }.map(\.digest).joined(separator: " ")
        return "default-src 'none'; style-src \(styles); script-src \(scripts); connect-src 'self'; "
            + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    }()
}

/// A number as an attribute of SVG: at most one decimal. What cannot be a place on a page, such as the scaled ends of
/// numbers too far apart to scale, is its origin.
package func coordinate(_ number: Double) -> String {
    guard number.isFinite, abs(number) < 1e9 else { return "0" }
    let tenths = (number * 10).rounded() / 10
    return tenths == tenths.rounded() ? String(Int(tenths)) : String(tenths)
}
