import KQL
import KQLEngine
import Tables

/// How the rows behind a statement are found again in the workspace.
package enum EvidenceQuery {
    /// Rows that one query asks for.
    private static let rowsMax = 50

    /// The column in which a table tells when something happened.
    private static func timeColumn(_ table: String) -> String {
        switch table {
        case "IoTAlerts_CL": "AlertTime"
        case _ where isPlant(table): "EventTime"
        default: "Timestamp"
        }
    }

    private static func isPlant(_ table: String) -> Bool { table.hasPrefix("IoT") }

    private static func condition(_ row: RowReference) -> String {
        var parts = ["\(timeColumn(row.table)) == datetime(\(DateTime.format(row.time)))"]
        if !isPlant(row.table) {
            parts += ["DeviceId == \(KQLLiteral.string(row.device))", "ReportId == \(row.report)"]
        } else if row.table == "IoTEvents_CL" {
            parts.append("Content has \(KQLLiteral.string(row.device))")
        } else if row.report != 0 {
            parts.append("AlertId == \(row.report)")
        }
        return parts.joined(separator: " and ")
    }

    /// KQL that gives rows of one table.
    package static func text(_ rows: [RowReference]) -> String {
        guard let first = rows.first else { return "" }
        precondition(rows.allSatisfy { $0.table == first.table }, "rows of one table")
        if rows.count == 1 { return "\(first.table)\n| where \(condition(first))" }
        let times = rows.map(\.time)
        let column = timeColumn(first.table)
        let range = [times.min(), times.max()].compactMap { $0 }.map { "datetime(\(DateTime.format($0)))" }
        let any = rows.sorted().map { "(\(condition($0)))" }.joined(separator: "\n    or ")
        return "\(first.table)\n| where \(column) between (\(range.joined(separator: " .. ")))\n| where \(any)"
    }

    /// KQL by table for rows as a case keeps them, so that whoever reads a report can find them again.
    package static func texts(_ rows: [CaseRow]) -> [String] {
        Dictionary(grouping: rows.map(\.reference), by: \.table).sorted { $0.key < $1.key }.map { text($0.value) }
    }

    /// The rows that are there, without their empty columns.
    ///
    /// - Throws: `QueryError`.
    static func find(_ references: some Sequence<RowReference>, _ engine: Engine) throws -> [RowReference: JSON] {
        var found: [RowReference: JSON] = [:]
        for (table, wanted) in Dictionary(grouping: Set(references), by: \.table) {
            // Rows of the plant are told apart by their text: one at a time.
            let size = isPlant(table) ? 1 : rowsMax
            let sorted = wanted.sorted()
            for start in stride(from: 0, to: sorted.count, by: size) {
                let part = Array(sorted[start..<min(start + size, sorted.count)])
                let answer = try engine.run(text(part)).primary
                for row in try answer.rows() {
                    let cells = zip(answer.schema.names, row).filter { !$1.isNull && $1 != .string("") }
                    let json = Digest.canonical(.object(JSON.Members(cells.map { ($0, JSON($1)) })))
                    let reference = size == 1 ? part.first : CaseRow(table: table, row: json)?.reference
                    // The first row is taken where several are alike, so that a second run takes the same.
                    if let reference, found[reference] == nil { found[reference] = json }
                }
            }
        }
        return found
    }
}

/// A row as a case keeps it.
package struct CaseRow: Sendable {
    package let table: String
    /// Its columns that are not empty.
    package let row: JSON
    package let reference: RowReference

    /// - Returns: nil for what holds no time.
    package init?(table: String, row: JSON) {
        let time = ["Timestamp", "EventTime", "AlertTime"].lazy.compactMap {
            row[$0]?.string.flatMap { DateTime.parse($0) }
        }.first
        guard let time else { return nil }
        self.table = table
        self.row = row
        let number = row["ReportId"]?.integer ?? row["AlertId"]?.integer ?? 0
        let content = table == "IoTEvents_CL" ? row["Content"]?.string.map(Self.address) : nil
        reference = RowReference(
            table: table, device: content ?? row["DeviceId"]?.string ?? "", time: time, report: number)
    }

    private static func address(_ text: String) -> String {
        text.firstMatch(of: /\d{1,3}(?:\.\d{1,3}){3}/).map { String($0.output) } ?? ""
    }

    /// A text of the row; empty where it says nothing.
    package func text(_ column: String) -> String { row[column]?.string ?? "" }
}
