import KQL
import KQLEngine
import Synchronization
import Tables
import Workspace

/// What a run of a rule has looked at before: of what was stored until then, all that is older than a time.
struct LookedAt: Equatable {
    /// The last part of the workspace that was there (`Workspace.lastExtent`).
    var extent: Int64
    /// Ticks; rows of earlier times were looked at.
    var time: Int64
}

/// The tables as one run of a rule sees them: rows of its window, or rows that arrived since the run before, in every
/// table of
/// the query and of the functions that it calls. Watchlists are seen whole.
struct RuleTables: TableProvider {
    enum Scope {
        /// Ticks; the first instant that counts, and the first that does not.
        case window(from: Int64, to: Int64)
        case arrival(since: LookedAt, to: Int64)

        var end: Int64 {
            switch self {
            case .window(_, let end), .arrival(_, let end): end
            }
        }
    }

    private let inner: any TableProvider
    private let workspace: Workspace
    private let scope: Scope
    /// Whether rows show when they were stored, for `ingestion_time()`.
    private let showsStoring: Bool
    private let scanned = ScannedTables()

    static let time = "TimeGenerated"
    /// The column in which the engine finds what `ingestion_time()` gives.
    private static let storing = "_IngestionTime"

    init(_ inner: any TableProvider, _ workspace: Workspace, scope: Scope, query: String) {
        self.inner = inner
        self.workspace = workspace
        self.scope = scope
        showsStoring = query.contains("ingestion_time")
    }

    /// The tables of which rows were asked for.
    var tables: Set<String> { scanned.names.withLock { $0 } }

    func schema(ofTable name: String) -> Schema? {
        guard let schema = inner.schema(ofTable: name) else { return nil }
        guard showsStoring, schema.index(of: Self.time) != nil, schema.index(of: Self.storing) == nil else {
            return schema
        }
        return Schema(schema.columns + [ColumnSpec(Self.storing, .datetime)])
    }

    var tableNames: [String] { inner.tableNames }
    var wildcardTableNames: [String] { inner.wildcardTableNames }
    var watchlistAliases: [String] { inner.watchlistAliases }
    func function(named name: String) -> FunctionDeclaration? { inner.function(named: name) }
    var functionNames: [String] { inner.functionNames }
    func note(ofTable name: String) -> EntityNote { inner.note(ofTable: name) }
    func note(ofFunction name: String) -> EntityNote { inner.note(ofFunction: name) }
    func rowCount(ofTable name: String) throws -> Int { try inner.rowCount(ofTable: name) }
    func statistics(ofTable name: String) throws -> TableStatistics { try inner.statistics(ofTable: name) }
    var outside: OutsideData { inner.outside }

    func scan(_ table: String, predicates: [ScanPredicate]) throws -> BatchIterator {
        guard let schema = inner.schema(ofTable: table), WatchlistTable.alias(table) == nil,
            let time = schema.index(of: Self.time)
        else { return try inner.scan(table, predicates: predicates) }
        scanned.names.withLock { _ = $0.insert(table) }
        var rest = try extents(table, predicates)[...]
        return {
            while let extent = rest.popFirst() {
                let batch = workspace.extent(extent.info, schema: schema, table: table)
                let times = try batch.column(time)
                let kept = (0..<batch.count).filter { row in
                    guard case .datetime(let time) = times[row] else { return false }
                    return counts(time, extent)
                }
                if kept.isEmpty { continue }
                let rows = kept.count == batch.count ? batch : batch.gather(kept.map { Int32($0) })
                return showsStoring && schema.index(of: Self.storing) == nil ? shown(rows, extent.stored) : rows
            }
            return nil
        }
    }

    private func counts(_ time: Int64, _ extent: StoredExtent) -> Bool {
        switch scope {
        case .window(let from, let to): from <= time && time < to
        case .arrival(let since, let to): time < to && !(extent.info.id <= since.extent && time < since.time)
        }
    }

    private func extents(_ table: String, _ predicates: [ScanPredicate]) throws -> [StoredExtent] {
        func bound(_ comparison: ScanPredicate.Comparison, _ time: Int64) -> ScanPredicate {
            ScanPredicate(column: Self.time, comparison: comparison, value: .datetime(time))
        }
        let before = predicates + [bound(.less, scope.end)]
        switch scope {
        case .window(let from, _):
            return try workspace.storedExtents(of: table, matching: before + [bound(.greaterOrEqual, from)])
        case .arrival(let since, _):
            let recent = try workspace.storedExtents(
                of: table, matching: before + [bound(.greaterOrEqual, since.time)])
            guard try workspace.lastExtent() > since.extent else { return recent }
            let known = Set(recent.map(\.info.id))
            let late = try workspace.storedExtents(of: table, matching: before).filter {
                $0.info.id > since.extent && !known.contains($0.info.id)
            }
            return (recent + late).sorted { $0.info.id < $1.info.id }
        }
    }

    private func shown(_ batch: Batch, _ stored: Int64) -> Batch {
        let columns = batch.schema.columns.indices.map { batch.lazyColumn($0) }
        let extra = LazyColumn(Column(constant: .datetime(stored), .datetime, count: batch.count))
        let schema = Schema(batch.schema.columns + [ColumnSpec(Self.storing, .datetime)])
        return Batch(schema: schema, columns: columns + [extra], count: batch.count)
    }

    /// Rows of the tables that were asked for that came after their window was looked at.
    ///
    /// - Parameters:
    ///   - looked: what the runs before had looked at.
    ///   - first: ticks; the first instant that any of them looked at.
    func lateRows(_ looked: LookedAt, since first: Int64) throws -> Int {
        guard try workspace.lastExtent() > looked.extent else { return 0 }
        var count = 0
        for table in tables.sorted() {
            guard let schema = inner.schema(ofTable: table), let time = schema.index(of: Self.time) else { continue }
            for extent in try workspace.storedExtents(of: table, matching: []) where extent.info.id > looked.extent {
                let times = try workspace.extent(extent.info, schema: schema, table: table).column(time)
                for row in 0..<extent.info.rows {
                    if case .datetime(let t) = times[row], first <= t, t < looked.time { count += 1 }
                }
            }
        }
        return count
    }
}

/// Names that parts of a query note while it runs.
private final class ScannedTables: Sendable {
    let names = Mutex<Set<String>>([])
}
