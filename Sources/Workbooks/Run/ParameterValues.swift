import KQL
import Tables

/// What a parameter is set to.
struct ParameterValue: Sendable {
    enum Content: Sendable {
        /// Texts, and whether all were chosen.
        case texts([String], isAll: Bool)
        /// Ticks.
        case time(start: Int64, end: Int64)
    }

    let content: Content
    let label: String

    /// As text, for comparing with a condition's value.
    var plain: String {
        switch content {
        case .texts(let texts, _): texts.joined(separator: ",")
        case .time: label
        }
    }
}

/// The parameters of a page and how they are put into texts.
struct ParameterValues: Sendable {
    private var values: [String: (parameter: WorkbookParameter?, value: ParameterValue)] = [:]

    init() {}

    mutating func set(_ name: String, _ value: ParameterValue, _ parameter: WorkbookParameter?) {
        values[name] = (parameter, value)
    }

    subscript(name: String) -> ParameterValue? { values[name]?.value }

    /// Ticks; the time range that a parameter holds.
    func range(_ name: String?) -> (start: Int64, end: Int64)? {
        guard let name, case .time(let start, let end)? = values[name]?.value.content else { return nil }
        return (start, end)
    }

    /// Whether an item is shown.
    func holds(_ condition: WorkbookItem.Condition) -> Bool {
        let actual = values[condition.parameter]?.value.plain ?? ""
        return (actual == condition.value) == condition.isEqual
    }

    enum Place: Sendable { case query, text }

    /// Replaces `{Name}` and `{Name:form}`; unknown names stay as they are.
    ///
    /// A value that goes into a query between quotes cannot end them: quotes and backslashes in it are escaped.
    func substitute(_ text: String, _ place: Place) -> String {
        guard text.contains("{") else { return text }
        var out = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            out += rest[..<open]
            guard let close = rest[open...].firstIndex(of: "}") else {
                out += rest[open...]
                return out
            }
            let inner = rest[rest.index(after: open)..<close]
            let parts = inner.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if let name = parts.first, let (parameter, value) = values[String(name)] {
                out += Self.form(value, parameter, parts.count > 1 ? String(parts[1]) : "value", place)
                rest = rest[rest.index(after: close)...]
            } else {
                out += "{"
                rest = rest[rest.index(after: open)...]
            }
        }
        return out + rest
    }

    private static func form(_ value: ParameterValue, _ parameter: WorkbookParameter?, _ form: String, _ place: Place)
        -> String
    {
        switch value.content {
        case .time(let start, let end): return time(start, end, value.label, form, place)
        case .texts(let texts, let isAll):
            if form == "label" { return value.label }
            if form == "escape" { return WorkbookAddress.escape(texts.joined(separator: ",")) }
            guard place == .query else { return texts.joined(separator: ", ") }
            let quote = parameter?.quote ?? ""
            if isAll, let all = parameter?.allValue { return quote + all + quote }
            let escaped = texts.map { KQLLiteral.escaped($0) }
            return escaped.map { quote + $0 + quote }.joined(separator: parameter?.delimiter ?? ",")
        }
    }

    private static func time(_ start: Int64, _ end: Int64, _ label: String, _ form: String, _ place: Place) -> String {
        let from = DateTime.format(start)
        let to = DateTime.format(end)
        switch form {
        case "label": return label
        case "start": return place == .query ? "datetime(\(from))" : String(from.prefix(16))
        case "end": return place == .query ? "datetime(\(to))" : String(to.prefix(16))
        case "startISO": return from
        case "endISO": return to
        case "seconds": return String((end - start) / DateTime.ticksPerSecond)
        case "grain": return grain(end - start)
        default: return place == .query ? " between (datetime(\(from)) .. datetime(\(to)))" : label
        }
    }

    /// A step that gives a chart some tens of points.
    static func grain(_ ticks: Int64) -> String {
        let hours = Double(ticks) / Double(DateTime.ticksPerSecond) / 3600
        switch hours {
        case ...1: return "1m"
        case ...4: return "5m"
        case ...24: return "30m"
        case ...72: return "1h"
        case ...336: return "6h"
        case ...2160: return "1d"
        default: return "7d"
        }
    }
}
