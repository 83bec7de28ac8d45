import Content
import Tables

/// An Azure Workbook, read from its JSON ("Notebook/1.0").
///
/// The format has no published reference beyond its schema
/// (https://github.com/microsoft/Application-Insights-Workbooks, `schema/workbook.json`); numbers of kinds and
/// formatters are those that files in the field use.
package struct WorkbookDocument: Sendable {
    /// The file's name, and the last part of the page's address.
    package let id: String
    /// The file's own title, else its first heading, else its id.
    package let title: String
    let items: [WorkbookItem]
    /// The template's name in Azure's gallery, by which links of other workbooks call this one.
    let template: String?
    let role: WorkbookRole

    /// Reads a file's JSON; what is missing or of another type is as if it were not there.
    package init(_ file: WorkbookFile) {
        id = file.id
        role = file.role
        template = file.document.words("fromTemplateId")
        items = file.document.objects("items").map { WorkbookItem($0) }
        title = file.document.words("title") ?? Self.heading(items) ?? file.id
    }

    /// The first heading of any text.
    private static func heading(_ items: [WorkbookItem]) -> String? {
        for item in items {
            guard case .text(let markdown, _) = item.kind else { continue }
            let line = markdown.split(whereSeparator: \.isNewline).first { $0.hasPrefix("#") }
            if let line { return String(line.drop { $0 == "#" || $0 == " " }) }
        }
        return nil
    }
}

/// One item of a workbook.
struct WorkbookItem: Sendable {
    indirect enum Kind: Sendable {
        case text(markdown: String, style: TextStyle)
        case parameters([WorkbookParameter])
        case links([WorkbookLink], isTabs: Bool)
        case query(WorkbookQuery)
        case group([WorkbookItem], title: String?)
        /// A kind that only Azure can show.
        case unsupported(String)
    }

    enum TextStyle: String, Sendable { case plain, info, success, warning, error, upsell }

    struct Condition: Sendable {
        let parameter: String
        let isEqual: Bool
        let value: String
    }

    let name: String
    let kind: Kind
    /// Percent of the row; 100 when not given.
    let width: Int
    /// All must hold for the item to be shown.
    let conditions: [Condition]

    init(_ item: JSON) {
        let content = Self.content(item)
        name = item.text("name") ?? ""
        width = item.count("customWidth") ?? (item["halfWidth"] == nil ? 100 : 50)
        let conditions = item.objects("conditionalVisibilities") + [item.object("conditionalVisibility")]
        self.conditions = conditions.compactMap { condition in
            guard let parameter = condition.words("parameterName") else { return nil }
            return Condition(
                parameter: parameter, isEqual: condition.text("comparison") != "isNotEqualTo",
                value: condition.text("value") ?? "")
        }
        switch item.count("type") {
        case 1:
            let style = content.text("style").flatMap { TextStyle(rawValue: $0) }
            kind = .text(markdown: content.text("json") ?? "", style: style ?? .plain)
        case 3: kind = .query(WorkbookQuery(content))
        case 9: kind = .parameters(content.objects("parameters").map { WorkbookParameter($0) })
        case 11:
            kind = .links(
                content.objects("links").map { WorkbookLink($0) }, isTabs: (content.text("style") ?? "tabs") == "tabs")
        case 12:
            kind = .group(content.objects("items").map { WorkbookItem($0) }, title: content.words("title"))
        default:
            let type = item.text("type") ?? "none"
            kind = .unsupported("items of type \(type) need the Azure portal")
        }
    }

    /// Old files keep the content as JSON in a string.
    private static func content(_ item: JSON) -> JSON {
        guard let text = item["content"]?.string else { return item.object("content") }
        guard let inner = try? JSON(parsing: text), inner.members != nil else { return [:] }
        return inner
    }
}

/// A tab or a link.
struct WorkbookLink: Sendable {
    let label: String
    /// Whether following it sets a parameter; else it leads to an address.
    let setsParameter: Bool
    /// For a tab, the parameter that it sets; for a link, the address.
    let cellValue: String
    let subTarget: String

    init(_ link: JSON) {
        label = link.text("linkLabel") ?? ""
        setsParameter = link.text("linkTarget")?.lowercased() == "parameter"
        cellValue = link.text("cellValue") ?? ""
        subTarget = link.text("subTarget") ?? ""
    }
}
