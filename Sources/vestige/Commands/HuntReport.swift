import Content
import Forensics
import KQLEngine
import Tables

/// What hunts found, as a page for people.
struct HuntReport {
    /// Rows of one hunt that are shown.
    let rowsMax: Int
    let width: Int?

    private static let times = ["Timestamp", "EventTime", "AlertTime", "TimeGenerated"]
    /// Columns that tell most, behind those that a hunt maps to entities.
    private static let telling = [
        "AccountName", "InitiatingProcessFileName", "ActionType", "FolderPath", "RegistryKey", "RegistryValueName",
        "RegistryValueData", "RemoteIP", "RemoteUrl", "EventType", "AlertTitle", "Content", "ConfigurationId", "CveId",
        "SoftwareName",
    ]

    /// A heading with the hunt's weight and techniques, and its results as a table.
    ///
    /// - Parameter chosen: the only results to show, by their number; nil for all.
    func text(_ hunt: HuntDefinition, _ table: ResultTable, chosen: [Int]? = nil) throws -> String {
        let all = try table.rows()
        let rows = chosen.map { $0.map { all[$0] } } ?? all
        let count =
            chosen == nil ? Human.rows(rows.count) : "\(Human.count(rows.count)) new of \(Human.rows(all.count))"
        var out = "\(hunt.slug)  \(hunt.title)\n"
        out += "  \(hunt.mark.rawValue), \(hunt.techniques.joined(separator: " ")): \(count)\n"
        guard !rows.isEmpty else {
            return out + "  blind to \(hunt.blind.map(\.text).joined(separator: "; "))\n"
        }
        let shown = Array(rows.prefix(rowsMax))
        let columns = self.columns(hunt, table.schema, shown)
        var lines = TextTable(columns.map { table.schema[$0].name }, numbers: columns.map { _ in false })
        for row in shown { lines.append(columns.map { row[$0].isNull ? "" : row[$0].text }) }
        for line in lines.rendered(width: width.map { max($0 - 2, 40) }).split(separator: "\n") { out += "  \(line)\n" }
        if rows.count > shown.count { out += "  … and \(Human.count(rows.count - shown.count)) more\n" }
        return out
    }

    /// The time, what the hunt maps to entities, then what tells most; only columns that hold something.
    private func columns(_ hunt: HuntDefinition, _ schema: Schema, _ rows: [[Value]]) -> [Int] {
        let mapped = hunt.entities.flatMap { $0.fields.map(\.column) }.filter { $0 != "ProcessId" }
        let time = Self.times.first { schema.index(of: $0) != nil }
        var names: [String] = []
        for name in [time].compactMap({ $0 }) + mapped + Self.telling where !names.contains(name) { names.append(name) }
        let filled = names.compactMap { schema.index(of: $0) }.filter { column in
            rows.contains { !$0[column].isNull && !$0[column].text.isEmpty }
        }
        return Array(filled.prefix(6))
    }

    /// One line over all: how many were asked, found something, and could not be asked.
    static func summary(asked: Int, found: Int, rows: Int, unanswered: [String: Int]) -> String {
        var out = "\(asked) hunts: \(found) found something (\(Human.rows(rows)))"
        for (reason, count) in unanswered.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            out += "; \(count) not answered: \(reason)"
        }
        return out + "\n"
    }
}
