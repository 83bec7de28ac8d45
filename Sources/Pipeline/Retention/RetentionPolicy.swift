import Content
import Tables

/// How long rows are kept: `retention:` of the configuration, and of a tenant.
package struct RetentionPolicy: Sendable, Equatable {
    /// How long rows of one table are kept.
    package enum Span: Sendable, Equatable {
        case forever
        /// Ticks.
        case time(Int64)

        /// Reads `365d`, `12h` or `forever`; nil for other texts and for less than a day.
        package init?(_ text: String) {
            if text == "forever" {
                self = .forever
                return
            }
            guard text.contains(where: \.isLetter), let ticks = TimeSpan.parse(text), ticks >= DateTime.ticksPerDay
            else {
                return nil
            }
            self = .time(ticks)
        }
    }

    /// Of tables that are not named.
    package var standard: Span = .forever
    package var tables: [String: Span] = [:]
    /// Tables that say what was done: they are kept unless they are named.
    package static let records: Set<String> = [RemovalRecord.table, "VestigeAudit_CL"]

    package init() {}

    package func span(of table: String) -> Span {
        tables[table] ?? (Self.records.contains(table) ? .forever : standard)
    }

    enum Settings {
        static let standard = Setting(
            "default", standard: "`forever`", meaning: "how long rows are kept, from when they were observed: `400d`"
        ) { yaml, name in try span(yaml, name, try yaml.string(name)) }
        static let tables = Setting.map(
            "tables", standard: "the default",
            "how long rows of single tables are kept, by their names: `30d`, or `forever`")
        static let all: [any SettingDeclaration] = [standard, tables]

        fileprivate static func span(_ yaml: Fields, _ name: String, _ text: String) throws -> Span {
            if let span = Span(text) { return span }
            throw yaml.fail(
                "'\(name)' must be a duration such as 400d, a day at least, or forever, not \"\(text.prefix(40))\"",
                at: name)
        }
    }

    /// - Throws: `ContentProblem`.
    init(reading yaml: Fields) throws {
        try yaml.only(Settings.all)
        standard = try yaml.optional(Settings.standard) ?? .forever
        for entry in try yaml.optional(Settings.tables) ?? [] {
            guard let span = Span(entry.text) else {
                throw ContentProblem(
                    entry.place,
                    "'tables.\(entry.name)' must be a duration such as 30d, a day at least, or forever, not "
                        + "\"\(entry.text.prefix(40))\"")
            }
            tables[entry.name] = span
        }
    }
}
