import Content
import Foundation
import TestKit
import Testing

/// Rules and decision tables that are not what they should be: each is told of with its place.
@Suite struct RuleFormTests {
    private static let rule = """
        id: 0c2d9a4e-1111-4222-8333-444455556666
        name: A rule
        description: Finds.
        severity: Medium
        queryFrequency: 1h
        queryPeriod: 1h
        triggerOperator: gt
        triggerThreshold: 0
        tactics: [CredentialAccess]
        relevantTechniques: [T1110]
        query: DeviceInfo | project DeviceName
        entityMappings: [{entityType: Host, fieldMappings: [{identifier: FullName, columnName: DeviceName}]}]
        version: 1.0.0
        kind: Scheduled
        """

    /// What is said of a content folder with one file over the built-in content.
    private func problems(_ path: String, _ text: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("form-\(UUID().uuidString)")
        let file = folder.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try text.write(to: file, atomically: true, encoding: .utf8)
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, folder.path])
        let catalog = ContentCatalog(library)
        let found =
            problems + library.judgingProblems + TriageCheck.run(library, catalog) + RuleCheck.run(library, catalog)
        return found.map(\.description).filter { $0.contains(folder.path) }.joined(separator: "\n")
    }

    @Test(arguments: [
        ("", "", ""), ("1h\nqueryPeriod: 1h", "1m\nqueryPeriod: 1h", "from 5 minutes to 14 days"),
        ("queryPeriod: 1h", "queryPeriod: 30m", "must not be longer"),
        ("queryFrequency: 1h\nqueryPeriod: 1h", "queryFrequency: 5m\nqueryPeriod: 2d", "an hour or more"),
        ("queryPeriod: 1h", "queryPeriod: soon", "is a length of time"), ("Medium", "Grave", "is one of Informational"),
        ("Scheduled", "scheduled", "is one of Scheduled, NRT"), ("1.0.0", "v1", "'version' is written 1.0.0"),
        ("[CredentialAccess]", "[Stealing]", "no tactic 'Stealing'"), ("[T1110]", "[1110]", "is no technique"),
        ("FullName", "Fullname", "no identifier 'Fullname'"),
        ("columnName: DeviceName", "columnName: Device", "no column 'Device'"),
        ("project DeviceName", "project DeviceNam", "DeviceNam"),
        ("query: DeviceInfo | project DeviceName", "query: union * | project DeviceName", "may not search everywhere"),
        ("id: 0c2d", "id: x0c2d", "must be a GUID"),
        ("kind: Scheduled", "kind: Scheduled\ntrigger: 1", "unknown field 'trigger'"),
        ("kind: Scheduled", "kind: Scheduled\nsuppressionEnabled: true\nsuppressionDuration: 25h", "24 hours at most"),
        ("kind: Scheduled", "kind: Scheduled\ncustomDetails: {'a b': DeviceName}", "'a b' is a word"),
        (
            "kind: Scheduled", "kind: Scheduled\nalertDetailsOverride: {alertDisplayNameFormat: 'on {{Nothing}}'}",
            "no column 'Nothing'"
        ),
        (
            "kind: Scheduled",
            "kind: Scheduled\nincidentConfiguration: {groupingConfiguration: {enabled: true, matchingMethod: Selected}}",
            "needs 'groupByEntities'"
        ),
    ])
    func limitsOfTheFormAreKnown(_ from: String, _ to: String, _ message: String) throws {
        let text = from.isEmpty ? Self.rule : Self.rule.replacing(from, with: to)
        #expect(from.isEmpty || text != Self.rule)
        let said = try problems("Rules/a.yaml", text)
        #expect(message.isEmpty ? said.isEmpty : said.contains(message), "\(said)")
    }

    private static let table = """
        id: two
        kind: model
        title: Two
        version: 1.0.0
        points: [in-kev]
        outcomes: [{id: wait}, {id: go, days: 3}]
        rows: ["no -> wait", "yes -> go"]
        """

    @Test(arguments: [
        ("", "", ""), ("\"yes -> go\"", "\"no -> go\"", "stands twice"),
        (", \"yes -> go\"", "", "1 combinations have no row"),
        ("yes -> go", "maybe -> go", "no value 'maybe'"), ("yes -> go", "yes -> run", "no outcome 'run'"),
        ("[in-kev]", "[in-keff]", "no point 'in-keff'"), ("yes -> go", "yes", "a value a point"),
        ("kind: model", "kind: tree", "'kind' is one of model, point, derivation"),
        ("kind: model", "kind: point", "must name the point"),
        ("rows:", "unknown: {in-kev: perhaps}\nrows:", "no point 'in-kev' with a value 'perhaps'"),
    ])
    func decisionTablesAreWhole(_ from: String, _ to: String, _ message: String) throws {
        let said = try problems("Triage/two.yaml", from.isEmpty ? Self.table : Self.table.replacing(from, with: to))
        #expect(message.isEmpty ? said.isEmpty : said.contains(message), "\(said)")
    }

    @Test func twoRulesOfOneFolderHaveTwoIds() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("form-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("Rules"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["a", "b"] {
            try Self.rule.write(
                to: folder.appendingPathComponent("Rules/\(name).yaml"), atomically: true, encoding: .utf8)
        }
        #expect(
            ContentLibrary.load(folders: [folder.path]).library.judgingProblems.map(\.description).contains {
                $0.contains("has the id of")
            })
    }
}
