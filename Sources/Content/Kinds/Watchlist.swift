import Foundation
import Tables

/// A list of things to look up, such as allowed addresses: `Content/Watchlists/ALIAS.csv`, or imported.
/// Queries read it as in Microsoft Sentinel, with `_GetWatchlist('ALIAS')`
/// (https://learn.microsoft.com/azure/sentinel/watchlists-queries).
package struct Watchlist: Sendable {
    package let alias: String
    package let rows: Batch

    /// Reads a CSV file whose first line names the columns. All of them are text, as in Sentinel.
    ///
    /// - Parameters:
    ///   - searchKey: the column that `SearchKey` repeats; the first when nil.
    ///   - updated: ticks; when the list was brought in.
    package init(alias: String, csv: [UInt8], searchKey: String?, updated: Int64, file: String) throws(ContentProblem) {
        self.alias = alias
        var records = CSV.records(csv)
        guard !records.isEmpty else { throw ContentProblem(file, "is empty; its first line must name the columns") }
        let names = records.removeFirst().map(\.trimmed)
        guard Set(names).count == names.count, !names.contains("") else {
            throw ContentProblem(file, "its first line has an empty name, or one twice")
        }
        for reserved in ["SearchKey", "_DTItemId", "LastUpdatedTimeUTC"] where names.contains(reserved) {
            throw ContentProblem(file, "'\(reserved)' is a column that every watchlist has")
        }
        let key = searchKey ?? names[0]
        guard let keyIndex = names.firstIndex(of: key) else {
            throw ContentProblem(file, "has no column '\(key)' to search by")
        }
        for (i, record) in records.enumerated() where record.count > names.count {
            throw ContentProblem("\(file):\(i + 2)", "has \(record.count) fields, but there are \(names.count) columns")
        }
        let schema = Schema(
            [
                ColumnSpec("_DTItemId", .string), ColumnSpec("LastUpdatedTimeUTC", .datetime),
                ColumnSpec("SearchKey", .string),
            ]
                + names.map { ColumnSpec($0, .string) })
        rows = Batch(
            schema: schema,
            rows: records.enumerated().map { i, record in
                let fields = names.indices.map { Value.string($0 < record.count ? record[$0] : "") }
                return [.string("\(alias)-\(i + 1)"), .datetime(updated), fields[keyIndex]] + fields
            })
    }
}
