import KQL
import Tables

extension Executor {
    /// One schema of several, each as `getschema` gives it.
    ///
    /// Source: https://learn.microsoft.com/kusto/query/schema-merge-plugin.
    func schemaMerge(_ input: Plan, _ arguments: PluginArguments, _ shape: Schema) throws -> Batch {
        let keepsOrder =
            try (0..<arguments.count).compactMap { try arguments.constant($0, evaluator)?.boolValue }.first ?? true
        let all = try table(input)
        guard let names = try all.column(named: "ColumnName"), let ordinals = try all.column(named: "ColumnOrdinal"),
            let types = try all.column(named: "ColumnType")
        else { throw QueryError.runtime("schema_merge() needs schemas as getschema gives them") }
        var order: [String] = []
        var found: [String: ScalarType?] = [:]
        var places: [String: Int64] = [:]
        var problems: [String: String] = [:]
        for row in 0..<all.count {
            let name = names[row].text
            let type = ScalarType(name: types[row].text)
            let place = ordinals[row].longValue ?? -1
            guard let known = found[name] else {
                order.append(name)
                (found[name], places[name]) = (type, place)
                continue
            }
            if places[name] != place {
                if keepsOrder { problems[name] = "columns are out of order" }
                places[name] = max(places[name] ?? place, place)
            }
            guard known != type else { continue }
            if let common = Self.common(known, type) {
                found[name] = common
            } else {
                problems[name] = "can't reduce types"
            }
        }
        // Columns of one place follow each other as they came.
        let sorted = order.filter { problems[$0] == nil }.enumerated()
            .sorted { (places[$0.element] ?? 0, $0.offset) < (places[$1.element] ?? 0, $1.offset) }.map(\.element)
        var rows: [[Value]] = sorted.enumerated().map { place, name in
            let type = (found[name] ?? nil) ?? .dynamic
            return [.string(name), .long(Int64(place)), .string("System.\(type.dotNetName)"), .string(type.name)]
        }
        for name in order {
            guard let problem = problems[name] else { continue }
            rows.append([
                .string(name), .long(-1), .string("ERROR(unknown CSL type:ERROR(\(problem)))"),
                .string("ERROR(\(problem))"),
            ])
        }
        return Batch(schema: shape, rows: rows)
    }

    private static func common(_ a: ScalarType?, _ b: ScalarType?) -> ScalarType? {
        guard let a, let b else { return nil }
        let ladder: [ScalarType] = [.int, .long, .real]
        guard let i = ladder.firstIndex(of: a), let j = ladder.firstIndex(of: b) else { return nil }
        return ladder[max(i, j)]
    }
}
