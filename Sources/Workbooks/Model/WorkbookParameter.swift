import Tables

/// A parameter that readers set.
struct WorkbookParameter: Sendable {
    enum Control: Sendable {
        case text, dropdown, timeRange, options
        /// What only Azure gives a choice of, such as a subscription: here it is the workspace.
        case fixed

        init(number: Int?) {
            self =
                switch number {
                case 1: .text
                case 2: .dropdown
                case 4: .timeRange
                case 10: .options
                default: .fixed
                }
        }
    }

    struct Choice: Sendable {
        let value: String
        let label: String
        let isDefault: Bool
    }

    /// The marks that stand in place of values.
    enum Mark {
        /// Every choice.
        static let all = "value::all"
        /// The first choice.
        static let first = "value::1"
    }

    let name: String
    let label: String
    let description: String
    let control: Control
    let isRequired: Bool
    let isHidden: Bool
    let quote: String
    let delimiter: String
    let query: String?
    let choices: [Choice]
    /// What was saved with the workbook: texts, or one of the marks.
    let saved: [String]
    let allValue: String?
    let hasAll: Bool
    /// Milliseconds, for time ranges.
    let durations: [Int64]
    /// Milliseconds; of the saved time range.
    let savedDuration: Int64?
    let timeRange: String?

    init(_ parameter: JSON) {
        let name = parameter.text("name") ?? ""
        self.name = name
        label = parameter.words("label") ?? name
        description = parameter.text("description") ?? ""
        control = Control(number: parameter.count("type"))
        isRequired = parameter.flag("isRequired")
        isHidden = parameter.flag("isHiddenWhenLocked")
        quote = parameter.text("quote") ?? (parameter.flag("multiSelect") ? "'" : "")
        delimiter = parameter.text("delimiter") ?? ","
        query = parameter.words("query")
        choices = Self.choices(parameter.words("jsonData"))
        let settings = parameter.object("typeSettings")
        allValue = settings.words("selectAllValue")
        hasAll = settings["additionalResourceOptions"]?.array?.contains(.string(Mark.all)) ?? false
        durations = settings.objects("selectableValues").compactMap { $0["durationMs"]?.integer }
        timeRange = parameter.words("timeContextFromParameter")
        let value = parameter["value"].flatMap { $0 == .null ? nil : $0 } ?? parameter["defaultValue"] ?? .null
        saved = value.array?.compactMap(\.scalarText) ?? value.scalarText.map { [$0] } ?? []
        savedDuration = value["durationMs"]?.integer
    }

    /// Choices that stand in the file: texts, or objects with value, label and whether they are chosen.
    private static func choices(_ data: String?) -> [Choice] {
        guard let data, let items = (try? JSON(parsing: data))?.array else { return [] }
        return items.compactMap { item in
            guard let value = item.scalarText ?? item.text("value") else { return nil }
            return Choice(value: value, label: item.text("label") ?? value, isDefault: item.flag("selected"))
        }
    }
}
