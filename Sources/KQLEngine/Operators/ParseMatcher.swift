import KQL
import Tables

/// The pattern of a `parse` operator as a regular expression.
///
/// `simple`: the constants stand in the text as they are, from its start to its end, and every column fits its type.
/// `relaxed`: a column that does not fit its type is null. `regex`: the constants are patterns, found anywhere in the
/// text. Source: the page of the parse operator; the greedy columns of `regex` are what the service does.
struct ParseMatcher {
    private let regex: Regex
    private let groups: [Int]
    private let types: [ScalarType]
    private let isRelaxed: Bool

    init(_ plan: ParsePlan, _ context: QueryContext) throws {
        let isRegex = plan.kind == "regex"
        isRelaxed = plan.kind == "relaxed"
        var pattern = ""
        var types: [ScalarType] = []
        for (i, part) in plan.parts.enumerated() {
            switch part {
            case .text(let s): pattern += isRegex ? ParseMatcher.balanced(s, context) : ParseMatcher.quote(s)
            case .star: pattern += ".*?"
            case .column(_, let type):
                let body =
                    isRegex
                    ? ParseMatcher.shaped(
                        type, isLast: i == plan.parts.count - 1, isLazy: plan.flags.contains("U"))
                    : isRelaxed
                        ? ParseMatcher.relaxed(type, isLast: i == plan.parts.count - 1)
                        : ParseMatcher.lazy(type, isLast: i == plan.parts.count - 1)
                pattern += body.space + "(?P<vestige\(types.count)>\(body.text))"
                types.append(type)
            }
        }
        var flags = isRegex ? "" : "s"
        for f in plan.flags where "imsU".contains(f) && !flags.contains(f) { flags.append(f) }
        let prefix = flags.isEmpty ? "" : "(?\(flags))"
        let compiled = try context.regex(isRegex ? prefix + pattern : "\(prefix)^\(pattern)$")
        regex = compiled
        groups = types.indices.map { compiled.group(named: "vestige\($0)") ?? 0 }
        self.types = types
    }

    private static func lazy(_ type: ScalarType, isLast: Bool) -> (space: String, text: String) {
        switch type {
        case .long, .int: ("\\s*", "[+-]?\\d+")
        case .real, .decimal: ("\\s*", "[+-]?\\d+(?:\\.\\d*)?(?:[eE][+-]?\\d+)?")
        default: ("", isLast ? ".*" : ".*?")
        }
    }

    /// A number where one stands, else whatever stands there.
    private static func relaxed(_ type: ScalarType, isLast: Bool) -> (space: String, text: String) {
        let any = isLast ? ".*" : ".*?"
        switch type {
        case .long, .int, .real, .decimal:
            let number = lazy(type, isLast: false)
            return ("", "\(number.space)\(number.text)|\(any)")
        default: return ("", any)
        }
    }

    /// A column of the `regex` kind: what its type looks like, as the service was seen to read it, and else everything.
    /// A boolean is a word there and no number, a fraction has digits on both sides of its point.
    ///
    /// - Parameter isLazy: whether the flag `U` turns every `?` and `*` around; a shape that hangs on them is not used.
    private static func shaped(_ type: ScalarType, isLast: Bool, isLazy: Bool) -> (space: String, text: String) {
        switch type {
        case .long, .int: return ("\\s*", "[+-]?\\d+")
        case .real, .decimal: return ("\\s*", "[+-]?\\d+(?:\\.\\d+)?")
        case .bool: return ("\\s*", "(?i:true|false)")
        // Each with its braces or without: a brace that may be missing would be missing under `U`.
        case .guid: return ("\\s*", "\\{\(guidDigits)\\}|\(guidDigits)")
        case .datetime where !isLast && !isLazy:
            let time = "[Tt ]\\s*\\d{1,2}:\\d{1,2}(?::\\d{1,2}(?:\\.\\d*)?)?"
            let zone = "[Zz]|[-+]\\d{1,2}(?::\\d{1,2})?"
            return ("\\s*", "(?:\\d{4}-\\d{1,2}-\\d{1,2}|\\d{1,2}/\\d{1,2}/\\d{1,4})(?:\(time))?(?:\(zone))?")
        case .timespan where !isLast && !isLazy:
            let clock = "\\d+\\.\\d{1,2}:\\d{1,2}:\\d{1,2}|\\d{1,2}:\\d{1,2}(?::\\d{1,2})?"
            return ("\\s*", "-?(?:\(clock))(?:\\.\\d*)?")
        default: return ("", ".*")
        }
    }

    private static let guidDigits =
        "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"

    /// A constant of the `regex` kind; one that is no pattern by itself, such as a lone parenthesis, stands for its
    /// text.
    private static func balanced(_ s: String, _ context: QueryContext) -> String {
        (try? context.regex(s)) == nil ? quote(s) : s
    }

    static func quote(_ s: String) -> String {
        var out = ""
        for ch in s.unicodeScalars {
            if "\\.+*?()|[]{}^$".unicodeScalars.contains(ch) { out += "\\" }
            out.unicodeScalars.append(ch)
        }
        return out
    }

    /// The columns' values, or nil when the text does not fit.
    func values(of text: String) -> [Value]? {
        var copy = text
        return copy.withUTF8 { bytes -> [Value]? in
            guard let found = regex.search(bytes) else { return nil }
            var out: [Value] = []
            for (group, type) in zip(groups, types) {
                let piece = found[group].map { String(decoding: bytes[$0], as: UTF8.self) } ?? ""
                let value = type == .string ? Value.string(piece) : Value.string(piece.trimmed).converted(to: type)
                if value.isNull, !isRelaxed { return nil }
                out.append(value)
            }
            return out
        }
    }
}
