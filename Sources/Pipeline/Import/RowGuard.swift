import Tables
import Workspace

/// Keeps rows from being in a table twice when the same history is imported again.
struct RowGuard {
    private let workspace: Workspace
    private let table: String
    /// Whether rows have ids; rows of other tables are told by all of their columns.
    private let hasIds: Bool
    /// Whether the table is one of the content.
    private let isKnown: Bool
    private let replaces: Bool
    /// Ids of the rows that the table held before; nil before they were looked up.
    private var stored: Set<RowDigest>?
    /// Rows of a table without ids that it held before, and how many of each; nil before they were looked up.
    private var counts: [RowDigest: Int]?
    /// Rows of this import: the same id at the same time.
    private var seen: Set<RowDigest> = []

    init(_ workspace: Workspace, _ table: String, _ target: ImportTarget, replaces: Bool) {
        self.workspace = workspace
        self.table = table
        isKnown = target.definition != nil
        hasIds = target.columns.contains { $0.name == "RowId" && $0.type == .string }
        self.replaces = replaces
    }

    /// The rows without those that are there already.
    ///
    /// - Parameter isExport: whether the file is an export: then equal rows of a table without ids are the same ones.
    mutating func withoutKnown(_ batch: Batch, isExport: Bool, hasHistory: Bool) throws -> Batch {
        guard isKnown || isExport, hasHistory else { return batch }
        return hasIds && batch.schema.index(of: "RowId") != nil
            ? try byId(batch) : isExport ? try byContent(batch) : batch
    }

    private mutating func byId(_ batch: Batch) throws -> Batch {
        let digests = RowDigests(key: workspace.digestKey)
        if stored == nil {
            var all: Set<RowDigest> = []
            if !replaces {
                try workspace.eachExtent(of: table, columns: ["RowId"]) { part in
                    all.formUnion(try digests(of: part, columns: ["RowId"]))
                }
            }
            stored = all
        }
        let ids = try digests(of: batch, columns: ["RowId"])
        let rows = try digests(of: batch, columns: ["RowId", "TimeGenerated"])
        var fresh: [Int32] = []
        for row in 0..<batch.count
        where stored?.contains(ids[row]) != true && seen.insert(rows[row]).inserted { fresh.append(Int32(row)) }
        return fresh.count == batch.count ? batch : batch.gather(fresh)
    }

    private mutating func byContent(_ batch: Batch) throws -> Batch {
        let digests = RowDigests(key: workspace.digestKey)
        var left = counts ?? [:]
        if counts == nil, !replaces {
            let names = try workspace.schemas()[table]?.names ?? []
            try workspace.eachExtent(of: table, columns: names) { part in
                for digest in try digests(of: part, columns: names) { left[digest, default: 0] += 1 }
            }
        }
        var fresh: [Int32] = []
        for (row, digest) in try digests(of: batch, columns: batch.schema.names).enumerated() {
            if let n = left[digest], n > 0 { left[digest] = n - 1 } else { fresh.append(Int32(row)) }
        }
        counts = left
        return fresh.count == batch.count ? batch : batch.gather(fresh)
    }
}
