import Foundation
import Tables
import Workspace

/// Takes what the server wrote into its audit file over into the workspace, and from there wherever rows go.
package struct AuditIntake: Sendable {
    /// Defined in `Content/Tables`.
    package static let table = "VestigeAudit_CL"
    /// Under which name it is kept where the next intake goes on.
    private static let source = "vestige-audit"
    private static let rowsMax = 10_000

    private let workspace: Workspace
    private let file: AuditFile
    /// The stored schema.
    private let schema: Schema
    private let sinks: [String]

    /// - Parameters:
    ///   - schema: the stored one.
    ///   - sinks: names of those that get the table's rows.
    package init(workspace: Workspace, file: AuditFile, schema: Schema, sinks: [String] = []) {
        self.workspace = workspace
        self.file = file
        self.schema = schema
        self.sinks = sinks
    }

    /// Where an earlier intake ended.
    private struct Place {
        var offset: UInt64 = 0
        var head = AuditFile.Head.origin

        init(_ text: String?) {
            guard let stored = text.flatMap({ try? JSON(parsing: $0) }), let offset = stored["offset"]?.integer,
                let sequence = stored["sequence"]?.integer, let hash = stored["hash"]?.string
            else { return }
            self.offset = UInt64(clamping: offset)
            head = AuditFile.Head(sequence: sequence, hash: hash)
        }

        var text: String {
            let json: JSON = [
                "offset": .integer(Int64(clamping: offset)), "sequence": .integer(head.sequence),
                "hash": .string(head.hash),
            ]
            return json.text
        }
    }

    /// The entry that was taken in last; nil before the first.
    package static func last(in workspace: Workspace) throws -> AuditFile.Head? {
        let head = Place(try workspace.checkpoint(of: source)).head
        return head == .origin ? nil : head
    }

    /// Begins anew, once a file was moved away and another stands in its place.
    package static func restart(in workspace: Workspace) throws { try workspace.forgetCheckpoint(of: source) }

    /// Takes in what is new.
    ///
    /// - Returns: how many entries.
    /// - Throws: `OperatorError` at a line that does not follow from those that were taken in: what stands before it is
    ///   kept, and nothing behind it is believed.
    @discardableResult
    package func take(now: Int64) throws -> Int {
        var place = Place(try workspace.checkpoint(of: Self.source))
        var count = 0
        for part in file.parts(after: place.head.sequence) { count += try take(part, &place, now) }
        return count
    }

    /// Takes in what is new in one part.
    private func take(_ part: String, _ place: inout Place, _ now: Int64) throws -> Int {
        // Where it went on in one part says nothing of the next.
        if let first = try file.firstSequence(of: part), first > place.head.sequence { place.offset = 0 }
        let size = (try? FileManager.default.attributesOfItem(atPath: part))?[.size] as? UInt64 ?? 0
        guard size >= place.offset else { throw tampered("the file is shorter than it was") }
        let lines = try AuditLines(path: part, from: place.offset)
        var rows: [[Value]] = []
        var count = 0
        var fault: OperatorError?
        while fault == nil, let (bytes, isWhole) = try lines.next() {
            // Somebody is writing it.
            guard isWhole else { break }
            guard let line = AuditLine(parsing: bytes), line.previous == place.head.hash,
                line.head.sequence == place.head.sequence + 1
            else {
                fault = tampered("entry \(place.head.sequence + 1) is missing, or was changed")
                break
            }
            rows.append(row(line))
            place.head = line.head
            place.offset = lines.offset
            if rows.count >= Self.rowsMax {
                try store(&rows, place, now)
                count += Self.rowsMax
            }
        }
        count += rows.count
        if !rows.isEmpty { try store(&rows, place, now) }
        if let fault { throw fault }
        return count
    }

    private func store(_ rows: inout [[Value]], _ place: Place, _ now: Int64) throws {
        try workspace.append(
            Batch(schema: schema, rows: rows), to: Self.table, run: "audit", now: now, sinks: sinks,
            checkpoint: (Self.source, place.text))
        rows.removeAll()
    }

    private func row(_ line: AuditLine) -> [Value] {
        schema.columns.map { column in
            switch column.name {
            case "ChangeType": .string("Added")
            case "SourceName": .string("vestige")
            case "RowId": .string(String(line.head.hash.prefix(32)))
            case "Hash": .string(line.head.hash)
            default:
                line.members[column.name == "EndTime" ? "TimeGenerated" : column.name].map {
                    Value($0).converted(to: column.type)
                }
                    ?? (column.type == .string ? .string("") : .null)
            }
        }
    }

    private func tampered(_ what: String) -> OperatorError {
        OperatorError(
            "the audit file \(file.path) is not the one that was collected before", got: what,
            means: "somebody changed it, cut it or put another in its place",
            safe: "what was collected of it stays in the workspace and wherever it was sent",
            next:
                "compare them: vestige audit verify \(file.path). Once that is settled, move the file away: a new chain "
                + "begins with: vestige audit restart")
    }
}
