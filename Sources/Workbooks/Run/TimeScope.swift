import KQL
import KQLEngine
import Tables

/// Tables seen through a time range: rows whose `TimeGenerated` is outside are not there,
/// as when a workbook's panel takes its time range from a parameter.
struct TimeScope: TableProvider {
    let base: any TableProvider
    /// Ticks.
    let start: Int64
    let end: Int64

    func schema(ofTable name: String) -> Schema? { base.schema(ofTable: name) }
    var tableNames: [String] { base.tableNames }
    var wildcardTableNames: [String] { base.wildcardTableNames }
    func function(named name: String) -> FunctionDeclaration? { base.function(named: name) }
    var functionNames: [String] { base.functionNames }

    func scan(_ table: String, predicates: [ScanPredicate]) throws -> BatchIterator {
        guard let schema = base.schema(ofTable: table), let i = schema.index(of: "TimeGenerated"), schema[i].type == .datetime else {
            return try base.scan(table, predicates: predicates)
        }
        let range = [
            ScanPredicate(column: "TimeGenerated", comparison: .greaterOrEqual, value: .datetime(start)),
            ScanPredicate(column: "TimeGenerated", comparison: .lessOrEqual, value: .datetime(end)),
        ]
        let next = try base.scan(table, predicates: predicates + range)
        return {
            guard let batch = try next() else { return nil }
            let times = try batch.column(i)
            let rows = (0..<batch.count).filter { row in
                guard case .datetime(let t) = times[row] else { return false }
                return t >= start && t <= end
            }
            return rows.count == batch.count ? batch : batch.gather(rows.map { Int32($0) })
        }
    }
}
