import Content
import Foundation
import KQLEngine
import Tables
import Workspace

/// That rows were removed, or were kept from it: a row of `VestigeRemovals_CL` in the workspace. It holds none of what
/// was
/// removed, and the condition as it was written.
package struct RemovalRecord: Sendable {
    /// Defined in `Content/Tables`.
    package static let table = "VestigeRemovals_CL"

    package enum Kind: String, Sendable {
        case retention = "Retention"
        case purge = "Purge"
        case holdPlaced = "HoldPlaced"
        case holdReleased = "HoldReleased"
    }

    private let kind: Kind
    private let tables: [String]
    private let condition: String
    private let reason: String
    private let person: String
    private let removal: Removal?

    /// - Parameters:
    ///   - tables: all when empty.
    ///   - condition: which rows, as KQL.
    ///   - person: who asked for it; nobody for what happens by itself.
    package init(
        kind: Kind, tables: [String], condition: String = "", reason: String, person: String = "",
        removal: Removal? = nil
    ) {
        self.kind = kind
        self.tables = tables
        self.condition = condition
        self.reason = reason
        self.person = person
        self.removal = removal
    }

    /// Whether a removal could be recorded; asked before anything is removed.
    static func check(_ library: ContentLibrary) throws { _ = try schema(library) }

    private static func schema(_ library: ContentLibrary) throws -> Schema {
        guard let schema = library.tables[table]?.schema else {
            throw OperatorError(
                "a removal could not be recorded", got: "there is no table \(table) in the content",
                next: "vestige content check", isConfiguration: true)
        }
        return schema
    }

    package func write(to workspace: Workspace, _ library: ContentLibrary, now: Int64) throws {
        let schema = try Self.schema(library)
        let id = UUID().uuidString.lowercased()
        func time(_ ticks: Int64?) -> Value { ticks.map { .datetime($0) } ?? .null }
        let cells: [String: Value] = [
            "TimeGenerated": .datetime(now), "ChangeType": .string("Added"), "SourceName": .string("vestige"),
            "RowId": .string(id.replacing("-", with: "")), "RecordId": .string(id),
            "RemovalKind": .string(kind.rawValue),
            "TargetTables": .array(tables.map { .string($0) }), "Condition": .string(condition),
            "Reason": .string(reason), "Person": .string(person), "RowsRemoved": .long(Int64(removal?.rows ?? 0)),
            "FirstTime": time(removal?.low), "LastTime": time(removal?.high), "RecordTime": .datetime(now),
        ]
        let row = schema.columns.map { cells[$0.name] ?? ($0.type == .string ? .string("") : .null) }
        try workspace.declare(Self.table, schema)
        try workspace.append(Batch(schema: schema, rows: [row]), to: Self.table, run: "removals", now: now)
    }
}
