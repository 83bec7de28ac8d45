import Content
import KQL
import Tables
import TestKit
import Testing

/// Hunts and rules over the tables as a Log Analytics workspace has them: names of columns that the service keeps for
/// itself are others there, and functions of advanced hunting are taken.
@Suite struct SentinelNamesTests {
    /// The tables with the columns that are sent, under the names by which queries call them here.
    private struct SentCatalog: SchemaCatalog {
        let tables: [String: Schema]
        let functions: [String: FunctionDeclaration]

        func schema(ofTable name: String) -> Schema? { tables[name] }
        var tableNames: [String] { Array(tables.keys) }
        func function(named name: String) -> FunctionDeclaration? { functions[name] }
        var functionNames: [String] { Array(functions.keys) }
    }

    private static let library = Repository.library()
    /// Functions of the unified portal, which must not be called: there they are Microsoft's own
    /// (https://learn.microsoft.com/defender-xdr/advanced-hunting-assignedipaddresses-function and pages beside it).
    private static let taken: Set<String> = ["FileProfile", "DeviceFromIP", "AssignedIPAddresses", "SeenBy"]

    private static let catalog: SentCatalog = {
        var tables: [String: Schema] = [:]
        for table in library.tables.values {
            // Log Analytics adds these to whatever is sent.
            let own = [("TenantId", ScalarType.string), ("Type", .string), ("_ResourceId", .string)]
            let sent = table.sent.columns.filter { column in !own.contains { $0.0 == column.name } }
            tables[table.name] = Schema(sent + own.map { ColumnSpec($0.0, $0.1) })
        }
        let functions = library.functionDeclarations.filter { !taken.contains($0.key) }
        return SentCatalog(tables: tables, functions: functions)
    }()

    private func bind(_ query: String, _ file: String) throws {
        do {
            _ = try Binder(catalog: Self.catalog).bind(try Parser.parse(query))
        } catch let error as Diagnostic {
            Issue.record("\(file): \(error.code): \(error.message)")
        }
        // An exporter renames tables one by one: it cannot know which ones a pattern stands for.
        #expect(!query.contains(/(?i)\b(union|search)\b[^|]*\*/), "\(file): a pattern in place of a table")
        #expect(!query.contains(/(?i)\bexternaldata\b/), "\(file)")
    }

    @Test func huntsBind() throws {
        for hunt in Self.library.hunts { try bind(hunt.query, hunt.file) }
    }

    @Test func rulesBind() throws {
        for rule in Self.library.rules { try bind(rule.query, rule.file) }
    }

    @Test func statesOfControlsBind() throws {
        for control in Self.library.controls { if let state = control.state { try bind(state, control.file) } }
    }

    /// The catalog differs from the local one, or the tests above say nothing.
    @Test func columnsOfTheServiceHaveOtherNames() throws {
        let alerts = try #require(Self.catalog.schema(ofTable: "AlertInfo"))
        #expect(alerts.index(of: "Title") == nil && alerts.index(of: "AlertTitle") != nil)
        #expect(throws: Diagnostic.self) {
            _ = try Binder(catalog: Self.catalog).bind(try Parser.parse("AlertInfo | where Title == ''"))
        }
    }
}
