import Tables

/// A table of the workspace: `Content/Tables/*.yaml`.
package struct TableDefinition: Sendable {
    package enum Kind: String, Sendable {
        /// Snapshots of things that last: only changes are kept.
        case state
        /// Things that happen once.
        case event
    }

    package let name: String
    package let description: String
    package let kind: Kind
    /// Columns that tell one thing from another.
    package let key: [String]
    /// Columns of the key that may be empty: a row without any of the others is no row of this table.
    package let keyMayBeEmpty: [String]
    /// By how much a number has to move to count as a change, by column: the digits behind that are noise.
    package let significance: [String: Double]
    /// Columns that do not count as a change, such as the time of the last report.
    package let volatile: [String]
    /// When an event happened; nil for state tables.
    package let time: String?
    package let columns: [ColumnSpec]
    package let columnDescriptions: [String: String]
    /// Columns that a Log Analytics workspace gets under another name (`as:`), by their own.
    package let sentNames: [String: String]
    /// The group of tables that share a data collection rule, which a sink's rule may name in place of a list; nil for
    /// a table that no group sends.
    package let rule: String?
    /// Whether the file says which rule the table goes by, if only `none`.
    package let statesRule: Bool
    package let file: String

    /// What every table has besides its own columns.
    package static let systemColumns: [ColumnSpec] = [
        ColumnSpec("TimeGenerated", .datetime), ColumnSpec("ChangeType", .string), ColumnSpec("SourceName", .string),
        ColumnSpec("RowId", .string),
    ]

    /// What is said of a column that does not count as a change.
    package static let volatileNote =
        "as of the row: it counts as no change, so that it lags behind until another changes or the next full copy"

    /// Fields of a source's records that no column takes: a service may add some at any time, and they are kept.
    package static let unmapped = ColumnSpec("Unmapped", .dynamic)

    /// The stored schema: system columns first.
    package var schema: Schema { Schema(Self.systemColumns + columns + [Self.unmapped]) }

    /// The table as a Log Analytics workspace has it.
    package var sent: SentTable { SentTable(name, schema, renamed: sentNames) }

    /// The columns that sources fill.
    package var ownSchema: Schema { Schema(columns) }

    init(yaml: Fields, file: String) throws {
        self.file = file
        try yaml.only([
            "name", "description", "kind", "rule", "key", "keyMayBeEmpty", "volatile", "significance", "time",
            "columns",
        ])
        name = try yaml.string("name")
        description = try yaml.string("description")
        let kindText = try yaml.string("kind")
        guard let kind = Kind(rawValue: kindText) else {
            throw yaml.fail("'kind' must be state or event, not \"\(kindText)\"", at: "kind")
        }
        self.kind = kind
        key = try yaml.strings("key")
        keyMayBeEmpty = try yaml.strings("keyMayBeEmpty")
        volatile = try yaml.strings("volatile")
        significance = try Self.significance(yaml)
        time = try yaml.optionalString("time")
        let group = try yaml.optionalString("rule")
        if let group, group.wholeMatch(of: /[a-z][a-z0-9-]*/) == nil {
            throw yaml.fail("'rule' must be a group's name in small letters, or none", at: "rule")
        }
        statesRule = group != nil
        rule = group == "none" ? nil : group
        var columns: [ColumnSpec] = []
        var descriptions: [String: String] = [:]
        var sentNames: [String: String] = [:]
        for column in try yaml.list("columns") {
            try column.only(["name", "type", "description", "as"])
            let name = try column.string("name")
            let typeText = try column.string("type")
            guard let type = ScalarType(name: typeText) else { throw column.fail("'\(typeText)' is not a type") }
            if columns.contains(where: { $0.name == name }) { throw column.fail("column '\(name)' is there twice") }
            if (Self.systemColumns + [Self.unmapped]).contains(where: { $0.name == name }) {
                throw column.fail("column '\(name)' is one that every table has")
            }
            columns.append(ColumnSpec(name, type))
            descriptions[name] = try column.optionalString("description")
            sentNames[name] = try column.optionalString("as")
        }
        guard !columns.isEmpty else { throw yaml.fail("'columns' is missing") }
        self.columns = columns
        self.sentNames = sentNames
        for name in volatile where kind == .state {
            descriptions[name] = [descriptions[name], Self.volatileNote].compactMap(\.self).joined(separator: "; ")
        }
        columnDescriptions = descriptions
        guard !key.isEmpty else { throw yaml.fail("'key' is missing") }
        for name in keyMayBeEmpty where !key.contains(name) { throw yaml.fail("'\(name)' is not a column of the key") }
        for name in significance.keys.sorted() where !columns.contains(ColumnSpec(name, .real)) {
            throw yaml.fail("'significance.\(name)' is not a column of real numbers")
        }
        for name in key + volatile + (time.map { [$0] } ?? []) where !columns.contains(where: { $0.name == name }) {
            throw yaml.fail("'\(name)' is not a column of the table")
        }
    }

    private static func significance(_ yaml: Fields) throws -> [String: Double] {
        var out: [String: Double] = [:]
        for (name, text) in try yaml.texts("significance") {
            guard let amount = Double(text), amount > 0, amount.isFinite else {
                throw yaml.fail("'significance.\(name)' must be a number above 0, not \"\(text)\"")
            }
            out[name] = amount
        }
        return out
    }
}
