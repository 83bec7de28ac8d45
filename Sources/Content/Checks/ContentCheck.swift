import KQL
import Tables

/// The tables and functions that content declares, for binding its queries.
package struct ContentCatalog: SchemaCatalog {
    private let tables: [String: Schema]
    private let functions: [String: FunctionDeclaration]
    private let notes: CatalogNotes

    package init(_ library: ContentLibrary, adding extra: [String: Schema] = [:]) {
        tables = library.tables.mapValues(\.schema).merging(extra) { _, new in new }
        functions = library.functionDeclarations
        notes = library.notes
    }

    package func schema(ofTable name: String) -> Schema? { tables[name] }
    package var tableNames: [String] { Array(tables.keys) }
    package func function(named name: String) -> FunctionDeclaration? { functions[name] }
    package var functionNames: [String] { Array(functions.keys) }
    package func note(ofFunction name: String) -> EntityNote { notes.functions[name] ?? EntityNote() }
}

/// Checks that content fits together: tables exist, KQL binds, transforms give the tables' columns.
package enum ContentCheck {
    package static func run(_ library: ContentLibrary) -> [ContentProblem] {
        var problems = library.forensicProblems + library.judgingProblems
        let catalog = ContentCatalog(library)
        for f in library.functions where f.parameters == "()" {
            bind("\(f.name)", f.file, catalog, &problems)
        }
        for s in library.sources {
            guard let table = library.tables[s.table] else {
                problems.append(ContentProblem(s.file, "table '\(s.table)' is not declared under Tables/"))
                continue
            }
            for (name, _) in s.ignored where !s.columns.contains(where: { $0.name == name }) {
                problems.append(ContentProblem(s.file, "'ignored' names '\(name)', which is none of its columns"))
            }
            let source = ContentCatalog(library, adding: ["source": s.inputSchema])
            do {
                let query = try Binder(catalog: source).bind(try Parser.parse(s.transform))
                guard let schema = query.results.last?.plan.schema else { continue }
                for column in schema.columns {
                    guard let i = table.schema.index(of: column.name) else {
                        problems.append(
                            ContentProblem(
                                s.file,
                                "the transform gives '\(column.name)', which table '\(table.name)' does not have"))
                        continue
                    }
                    if table.schema[i].type != column.type {
                        problems.append(
                            ContentProblem(
                                s.file,
                                "the transform gives '\(column.name)' as \(column.type.name), table '\(table.name)' has \(table.schema[i].type.name)"
                            ))
                    }
                }
                if schema.index(of: TableDefinition.unmapped.name) == nil, !s.leftOver.isEmpty {
                    let lost = s.leftOver.map(\.name).joined(separator: ", ")
                    problems.append(
                        ContentProblem(
                            s.file,
                            "the transform gives no 'Unmapped', where fields are kept that no column takes "
                                + "(\(lost)); end it with Unmapped, or name them under 'ignored' with the reason"
                        ))
                }
                for key in table.key where schema.index(of: key) == nil {
                    problems.append(ContentProblem(s.file, "the transform does not give the key column '\(key)'"))
                }
            } catch let problem as Diagnostic {
                let (line, column) = problem.position(in: s.transform)
                problems.append(
                    ContentProblem(s.file, "transform \(line):\(column): \(problem.code): \(problem.message)"))
            } catch {
                problems.append(ContentProblem(s.file, "\(error)"))
            }
        }
        for workbook in library.workbooks {
            for chart in workbook.unknownCharts {
                problems.append(ContentProblem(workbook.file, "there is no chart called '\(chart)'"))
            }
        }
        problems += TriageCheck.run(library, catalog) + RuleCheck.run(library, catalog)
        problems += LogAnalyticsCheck.run(library) + ForensicsCheck.run(library, catalog)
        return problems + ScenarioCheck.run(library)
    }

    private static func bind(
        _ query: String, _ file: String, _ catalog: ContentCatalog, _ problems: inout [ContentProblem]
    ) {
        do { _ = try Binder(catalog: catalog).bind(try Parser.parse(query)) } catch let problem as Diagnostic {
            problems.append(ContentProblem(file, "\(problem.code): \(problem.message)"))
        } catch { problems.append(ContentProblem(file, "\(error)")) }
    }
}
