import KQL
import Tables

/// Checks that the content of triage fits together: queries bind and give what is read, and every point comes from
/// somewhere.
package enum TriageCheck {
    package static func run(_ library: ContentLibrary, _ catalog: ContentCatalog) -> [ContentProblem] {
        guard let derivation = library.triage.derivation else {
            guard let table = library.triage.models.first else { return [] }
            return [ContentProblem(table.file, "no file of kind 'derivation' says where the points come from")]
        }
        var problems: [ContentProblem] = []
        for (input, query) in derivation.inputs.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let name = "input '\(input.rawValue)'"
            do {
                guard let schema = try Binder(catalog: catalog).bind(try Parser.parse(query)).results.last?.plan.schema
                else { continue }
                for (column, type) in input.columns + [("Time", .datetime), ("Gone", .bool)] {
                    guard let i = schema.index(of: column) else {
                        problems.append(ContentProblem(derivation.file, "\(name) gives no column '\(column)'"))
                        continue
                    }
                    if schema[i].type != type {
                        problems.append(
                            ContentProblem(
                                derivation.file,
                                "\(name) gives '\(column)' as \(schema[i].type.name), triage reads \(type.name)"))
                    }
                }
            } catch let problem as Diagnostic {
                let (line, column) = problem.position(in: query)
                problems.append(
                    ContentProblem(
                        derivation.file, "\(name) \(line):\(column): \(problem.code): \(problem.message)"))
            } catch { problems.append(ContentProblem(derivation.file, "\(name): \(error)")) }
        }
        for table in library.triage.tables.values.sorted(by: { $0.id < $1.id }) {
            for point in table.points where point == .humanImpact || point == .missionWellbeing {
                if library.triage.table(for: point) == nil {
                    problems.append(ContentProblem(table.file, "no table gives the value of '\(point.rawValue)'"))
                }
            }
        }
        return problems
    }
}
