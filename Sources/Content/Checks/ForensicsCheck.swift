import KQL
import Tables

/// Checks that hunts, controls and categories of harm fit together and that their queries bind.
enum ForensicsCheck {
    /// What the state query of a control gives.
    private static let stateColumns = ["DeviceId", "TimeGenerated", "ChangeType", "IsOff", "Shown"]

    static func run(_ library: ContentLibrary, _ catalog: ContentCatalog) -> [ContentProblem] {
        var problems: [ContentProblem] = []
        var ids: [String: String] = [:]
        let harms = Set(library.havoc.map(\.id))
        for hunt in library.hunts {
            if let other = ids.updateValue(hunt.slug, forKey: hunt.id) {
                problems.append(ContentProblem(hunt.file, "has the id of '\(other)'"))
            }
            if let harm = hunt.harm, !harms.contains(harm) {
                problems.append(ContentProblem(hunt.file, "there is no category of harm '\(harm)' under Havoc/"))
            }
            for table in hunt.needs where library.tables[table] == nil {
                problems.append(ContentProblem(hunt.file, "'needs' names '\(table)', which is no table"))
            }
            _ = bind(hunt.query, hunt.file, catalog, &problems)
        }
        let known = Set(library.controls.map(\.id))
        for control in library.controls {
            for other in control.sameAs where !known.contains(other) {
                problems.append(ContentProblem(control.file, "'sameAs' names '\(other)', which is no control"))
            }
            guard let state = control.state else { continue }
            guard let schema = bind(state, control.file, catalog, &problems) else { continue }
            for column in stateColumns where schema.index(of: column) == nil {
                problems.append(ContentProblem(control.file, "the state does not give '\(column)'"))
            }
        }
        return problems
    }

    private static func bind(
        _ query: String, _ file: String, _ catalog: ContentCatalog, _ problems: inout [ContentProblem]
    ) -> Schema? {
        do { return try Binder(catalog: catalog).bind(try Parser.parse(query)).results.last?.plan.schema } catch let
            problem as Diagnostic
        {
            let (line, column) = problem.position(in: query)
            problems.append(ContentProblem(file, "query \(line):\(column): \(problem.code): \(problem.message)"))
        } catch { problems.append(ContentProblem(file, "\(error)")) }
        return nil
    }
}
