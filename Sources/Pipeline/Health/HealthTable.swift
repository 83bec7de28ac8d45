import Foundation
import Tables
import Workspace

/// One row for every run of a source and every delivery to a sink, in the workspace and wherever rows go: who watches the tables in
/// Sentinel sees there too that a feed has stopped.
package struct HealthTable: Sendable {
    /// Defined in `Content/Tables`.
    package static let name = "VestigeHealth_CL"

    let workspace: Workspace
    let sinks: [String]
    /// The stored schema.
    let schema: Schema

    func write(_ outcomes: [SourceOutcome], now: Int64) throws {
        try append(
            outcomes.map { o in
                var row = row("Source", o.source, o.error, isPartial: o.error != nil && o.counts.kept > 0, o.runID, now)
                row["TargetTable"] = .string(o.table)
                row["StartTime"] = .datetime(now - Int64(o.seconds * Double(DateTime.ticksPerSecond)))
                row["RowsRead"] = .long(Int64(o.counts.read))
                row["RowsKept"] = .long(Int64(o.counts.kept))
                row["RowsRemoved"] = .long(Int64(o.counts.removed))
                row["BytesRead"] = .long(Int64(o.bytes))
                if let first = o.gaps.first, let last = o.gaps.last {
                    (row["GapStart"], row["GapEnd"]) = (.datetime(first.from), .datetime(last.to))
                    if o.error == nil { row["Status"] = .string("Partial") }
                }
                if !o.notes.isEmpty { row["Notes"] = .array(o.notes.map { .string($0) }) }
                return row
            }, now)
    }

    func write(_ outcomes: [DeliveryOutcome], now: Int64) throws {
        let waiting = try workspace.outboxSizes()
        // A sink that had nothing to get has nothing to tell.
        let told = outcomes.filter { $0.rows + $0.refused > 0 || $0.error != nil || !$0.leftOut.isEmpty }
        try append(
            told.map { o in
                var row = row(
                    "Sink", o.sink, o.error, isPartial: o.error != nil && o.rows > 0, UUID().uuidString.lowercased(),
                    now)
                row["RowsSent"] = .long(Int64(o.rows))
                row["RowsRefused"] = .long(Int64(o.refused))
                row["BytesSent"] = .long(Int64(o.bytes))
                row["RowsWaiting"] = .long(Int64(waiting[o.sink]?.rows ?? 0))
                row["BytesWaiting"] = .long(Int64(waiting[o.sink]?.bytes ?? 0))
                if !o.notes.isEmpty { row["Notes"] = .array(o.notes.map { .string($0) }) }
                return row
            }, now)
    }

    private func row(
        _ kind: String, _ subject: String, _ error: OperatorError?, isPartial: Bool, _ id: String, _ now: Int64
    ) -> [String: Value] {
        [
            "TimeGenerated": .datetime(now), "ChangeType": .string("Added"), "SourceName": .string("vestige"),
            "RowId": .string(id.replacing("-", with: "")), "SubjectKind": .string(kind), "Subject": .string(subject),
            "EndTime": .datetime(now),
            "Status": .string(error == nil ? "Success" : isPartial ? "Partial" : "Failure"),
            "Reason": .string(error.map { [$0.got, $0.means].compactMap { $0 }.joined(separator: ": ") } ?? ""),
            "NextStep": .string(error?.next ?? ""),
        ]
    }

    private func append(_ rows: [[String: Value]], _ now: Int64) throws {
        guard !rows.isEmpty else { return }
        let values = rows.map { row in schema.columns.map { row[$0.name] ?? ($0.type == .string ? .string("") : .null) }
        }
        try workspace.append(Batch(schema: schema, rows: values), to: Self.name, run: "health", now: now, sinks: sinks)
    }
}
