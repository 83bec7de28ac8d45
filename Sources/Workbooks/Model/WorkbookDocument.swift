import Content
import Tables

/// An Azure Workbook, read from its JSON ("Notebook/1.0").
///
/// The format has no published reference beyond its schema
/// (https://github.com/microsoft/Application-Insights-Workbooks, `schema/workbook.json`); numbers of kinds and
/// formatters are those that files in the field use.
package struct WorkbookDocument: Sendable {
    package let id: String
    package let title: String
    package let items: [WorkbookItem]

    package init(_ file: WorkbookFile) {
        id = file.id
        let bag = file.document.bagValue ?? Bag()
        items = (bag["items"]?.arrayValue ?? []).map { WorkbookItem($0) }
        title = bag["title"]?.stringValue ?? Self.heading(items) ?? file.id
    }

    /// The first heading of the first text.
    private static func heading(_ items: [WorkbookItem]) -> String? {
        for item in items {
            if case .text(let markdown, _) = item.kind {
                let line = markdown.split(separator: "\n").first { $0.hasPrefix("#") }
                return line.map { String($0.drop { $0 == "#" || $0 == " " }) }
            }
        }
        return nil
    }
}

/// One item of a workbook.
package struct WorkbookItem: Sendable {
    package indirect enum Kind: Sendable {
        case text(markdown: String, style: String)
        case parameters([WorkbookParameter], style: String)
        case links([WorkbookLink], style: String)
        case query(WorkbookQuery)
        case group([WorkbookItem], title: String?)
        /// A kind that only Azure can show.
        case unsupported(String)
    }

    package struct Condition: Sendable {
        let parameter: String
        let isEqual: Bool
        let value: String
    }

    package let name: String
    package let kind: Kind
    /// Percent of the row; 100 when not given.
    package let width: Int
    /// All must hold for the item to be shown.
    package let conditions: [Condition]

    init(_ value: Value) {
        let bag = value.bagValue ?? Bag()
        var content = bag["content"] ?? .null
        // Old files keep the content as JSON in a string.
        if case .string(let text) = content { content = (try? JSONReader.parse(text)) ?? .null }
        let inner = content.bagValue ?? Bag()
        name = bag["name"]?.text ?? ""
        width = bag["customWidth"].flatMap { Int($0.text) } ?? (bag["halfWidth"] == nil ? 100 : 50)
        var conditions: [Value] = bag["conditionalVisibilities"]?.arrayValue ?? []
        if let one = bag["conditionalVisibility"], case .bag = one { conditions.append(one) }
        self.conditions = conditions.compactMap { c in
            guard let c = c.bagValue, let parameter = c["parameterName"]?.stringValue else { return nil }
            return Condition(
                parameter: parameter, isEqual: c["comparison"]?.text != "isNotEqualTo", value: c["value"]?.text ?? "")
        }
        switch bag["type"]?.longValue {
        case 1: kind = .text(markdown: inner["json"]?.text ?? "", style: inner["style"]?.text ?? "plain")
        case 3: kind = .query(WorkbookQuery(inner))
        case 9:
            kind = .parameters(
                (inner["parameters"]?.arrayValue ?? []).map { WorkbookParameter($0.bagValue ?? Bag()) },
                style: inner["style"]?.text ?? "pills")
        case 11:
            kind = .links(
                (inner["links"]?.arrayValue ?? []).map { WorkbookLink($0.bagValue ?? Bag()) },
                style: inner["style"]?.text ?? "tabs")
        case 12:
            kind = .group(
                (inner["items"]?.arrayValue ?? []).map { WorkbookItem($0) }, title: inner["title"]?.stringValue)
        default: kind = .unsupported("items of type \(bag["type"]?.text ?? "?") need the Azure portal")
        }
    }
}

/// A parameter that readers set.
package struct WorkbookParameter: Sendable {
    package enum Control: Sendable { case text, dropdown, timeRange, options, fixed }

    package let name: String
    package let label: String
    package let description: String
    package let control: Control
    package let isRequired: Bool
    package let isMultiple: Bool
    package let isHidden: Bool
    package let quote: String
    package let delimiter: String
    package let query: String?
    package let choices: [Value]
    package let value: Value
    package let allValue: String?
    package let hasAll: Bool
    /// Milliseconds, for time ranges.
    package let durations: [Int64]
    package let timeRange: String?

    init(_ bag: Bag) {
        name = bag["name"]?.text ?? ""
        label = bag["label"]?.stringValue ?? name
        description = bag["description"]?.text ?? ""
        control =
            switch bag["type"]?.longValue {
            case 1: .text
            case 2: .dropdown
            case 4: .timeRange
            case 10: .options
            default: .fixed
            }
        isRequired = bag["isRequired"]?.boolValue ?? false
        isMultiple = bag["multiSelect"]?.boolValue ?? false
        isHidden = bag["isHiddenWhenLocked"]?.boolValue ?? false
        quote = bag["quote"]?.stringValue ?? (isMultiple ? "'" : "")
        delimiter = bag["delimiter"]?.stringValue ?? ","
        query = bag["query"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        choices = bag["jsonData"]?.stringValue.flatMap { try? JSONReader.parse($0) }?.arrayValue ?? []
        let settings = bag["typeSettings"]?.bagValue ?? Bag()
        allValue = settings["selectAllValue"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        hasAll = settings["additionalResourceOptions"]?.arrayValue?.contains(.string("value::all")) ?? false
        durations = (settings["selectableValues"]?.arrayValue ?? []).compactMap {
            $0.bagValue?["durationMs"]?.longValue
        }
        timeRange = bag["timeContextFromParameter"]?.stringValue
        let saved = bag["value"] ?? .null
        value = saved.isNull ? bag["defaultValue"] ?? .null : saved
    }
}

/// A tab or a link.
package struct WorkbookLink: Sendable {
    package let label: String
    package let target: String
    /// For a tab, the parameter that it sets; for a link, the address.
    package let cellValue: String
    package let subTarget: String

    init(_ bag: Bag) {
        label = bag["linkLabel"]?.text ?? ""
        target = bag["linkTarget"]?.text.lowercased() ?? ""
        cellValue = bag["cellValue"]?.text ?? ""
        subTarget = bag["subTarget"]?.text ?? ""
    }
}

/// A query and how its answer is drawn.
package struct WorkbookQuery: Sendable {
    package let text: String
    package let title: String
    package let visualization: String
    /// 0 medium, 1 small, 2 large, 3 full, 4 tiny.
    package let size: Int
    package let queryType: Int
    package let noDataMessage: String?
    package let timeRange: String?
    package let grid: GridSettings
    package let tiles: Bag
    package let chart: Bag
    package let stat: Bag
    package let card: Bag
    package let exportField: String?
    package let exportParameter: String?

    init(_ bag: Bag) {
        text = bag["query"]?.text ?? ""
        title = bag["title"]?.text ?? ""
        visualization = bag["visualization"]?.text ?? ""
        size = Int(bag["size"]?.longValue ?? 0)
        queryType = Int(bag["queryType"]?.longValue ?? 0)
        noDataMessage = bag["noDataMessage"]?.stringValue
        timeRange = bag["timeContextFromParameter"]?.stringValue
        grid = GridSettings(bag["gridSettings"]?.bagValue ?? Bag())
        tiles = bag["tileSettings"]?.bagValue ?? Bag()
        chart = bag["chartSettings"]?.bagValue ?? Bag()
        stat = bag["statSettings"]?.bagValue ?? Bag()
        card = bag["textSettings"]?.bagValue ?? Bag()
        exportField = bag["exportFieldName"]?.stringValue
        exportParameter = bag["exportParameterName"]?.stringValue
    }
}

/// How a grid's columns look.
package struct GridSettings: Sendable {
    package let formatters: [ColumnFormatter]
    package let labels: [String: String]
    package let rowLimit: Int
    package let hasFilter: Bool
    /// Column and whether it ascends.
    package let sort: [(column: String, isAscending: Bool)]

    init(_ bag: Bag) {
        formatters = (bag["formatters"]?.arrayValue ?? []).map { ColumnFormatter($0.bagValue ?? Bag()) }
        var labels: [String: String] = [:]
        for setting in bag["labelSettings"]?.arrayValue ?? [] {
            if let s = setting.bagValue, let column = s["columnId"]?.stringValue, let label = s["label"]?.stringValue {
                labels[column] = label
            }
        }
        self.labels = labels
        rowLimit = min(10_000, Int(bag["rowLimit"].flatMap { $0.converted(to: .long).longValue } ?? 250))
        hasFilter = bag["filter"]?.boolValue ?? false
        sort = (bag["sortBy"]?.arrayValue ?? []).compactMap { s in
            guard let s = s.bagValue, let key = s["itemKey"]?.stringValue else { return nil }
            return (Self.column(ofKey: key), s["sortOrder"]?.longValue != 2)
        }
    }

    /// The column of a generated sort key such as `$gen_bar_Count_1`.
    private static func column(ofKey key: String) -> String {
        guard key.hasPrefix("$gen_") else { return key }
        var parts = key.dropFirst(5).split(separator: "_", omittingEmptySubsequences: false)
        if parts.count > 2 {
            parts.removeFirst()
            if Int(parts[parts.count - 1]) != nil { parts.removeLast() }
        }
        return parts.joined(separator: "_")
    }
}

/// How one column, or all that match a pattern, are drawn.
package struct ColumnFormatter: Sendable {
    package let match: String
    package let kind: Int
    package let options: Bag
    package let numberFormat: Bag
    package let showsUTC: Bool

    init(_ bag: Bag) {
        match = bag["columnMatch"]?.text ?? ""
        kind = Int(bag["formatter"]?.longValue ?? 0)
        options = bag["formatOptions"]?.bagValue ?? Bag()
        numberFormat = bag["numberFormat"]?.bagValue ?? Bag()
        showsUTC = bag["dateFormat"]?.bagValue?["showUtcTime"]?.boolValue ?? false
    }

    func matches(_ column: String) -> Bool {
        if match == column { return true }
        guard match.contains(where: { "^$.*+|()[]".contains($0) }), let pattern = try? Regex(match) else {
            return false
        }
        return column.wholeMatch(of: pattern) != nil
    }
}
