import Content
import Foundation
import TestKit
import Testing

/// What a Log Analytics workspace refuses is refused by the check of the content first.
@Suite struct LogAnalyticsTests {
    private func problems(_ files: [(String, String)]) throws -> [String] {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        for (name, text) in files { try FolderWriter.write(text, to: folder + "/" + name) }
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, folder])
        return (problems + ContentCheck.run(library)).map(\.description)
    }

    private func table(_ columns: String, name: String = "Assets", rule: String = "none") -> String {
        "name: \(name)\ndescription: x\nkind: state\nrule: \(rule)\nkey: [AssetId]\n"
            + "columns: [{name: AssetId, type: string}, \(columns)]\n"
    }

    @Test(arguments: [
        ("Title", "N4"), ("title", "N4"), ("TYPE", "N4"), ("Id", "N4"), ("UniqueId", "N4"), ("_ResourceId", "N4"),
        ("_SubscriptionId", "N4"), ("BilledSize", "N4"), ("tenantid", "N7"), ("TenantId", "N7"), ("_Owner", "N5"),
        ("1st", "N5"), ("Größe", "N5"), ("Asset-Tag", "N5"), ("X", "N5"), (String(repeating: "a", count: 46), "N5"),
        ("observedTIME", "N5"), ("assetid", "N5"),
    ]) func aColumnThatCannotBeThere(_ name: String, _ rule: String) throws {
        let found = try problems([("Tables/Assets.yaml", table("{name: '\(name)', type: string}"))])
        #expect(found.count == 1 && found[0].contains("Tables/Assets.yaml: \(rule): "), "\(found)")
        let mended = try problems([("Tables/Assets.yaml", table("{name: '\(name)', type: string, as: AssetOwner}"))])
        #expect(mended == [])
        // Another name that is no better.
        let worse = try problems([("Tables/Assets.yaml", table("{name: Owner, type: string, as: '\(name)'}"))])
        #expect(worse.count == 1 && worse[0].contains("\(rule): "), "\(worse)")
    }

    @Test func tablesFunctionsAndGroupsAreLookedAt() throws {
        let long = String(repeating: "T", count: 43)
        #expect(try problems([("Tables/L.yaml", table("{name: Owner, type: guid}", name: long))])[0].contains(": N1: "))
        #expect(try problems([("Tables/L.yaml", table("{name: Owner, type: guid}", name: "T_L"))]) == [])
        let many = (0..<495).map { "{name: C\($0), type: string}" }.joined(separator: ", ")
        #expect(try problems([("Tables/M.yaml", table(many, name: "Many"))])[0].contains(": I13: "))
        let function = "// name: SigninLogs\nprint x = 1\n"
        #expect(try problems([("Functions/SigninLogs.kql", function)])[0].contains("SigninLogs.kql: N3: "))
        let own = "// name: MDEMachines_CL\nprint x = 1\n"
        #expect(try problems([("Functions/own.kql", own)])[0].contains(": N3: "))
        let eleventh = try problems([
            ("Tables/E.yaml", table("{name: Owner, type: string}", name: "Eleventh", rule: "posture"))
        ])
        #expect(eleventh.count == 1 && eleventh[0].contains(": R2: 11 tables") && eleventh[0].contains("https://"))
    }

    @Test func everyShippedTableSaysWhichRuleItGoesBy() {
        let library = Repository.library()
        #expect(library.tables.values.filter { !$0.statesRule }.map(\.name) == [])
        #expect(library.ruleGroups.keys.sorted() == ["alerts", "knowledge", "ot", "posture", "vulnerability"])
        for (rule, tables) in library.ruleGroups { #expect(tables.count <= LogAnalytics.streamsPerRule, "\(rule)") }
        // What Microsoft's own connector delivers is not sent twice.
        let silent = library.tables.values.filter { $0.rule == nil }.map(\.name)
        #expect(silent.contains("DeviceProcessEvents") && !silent.contains("DeviceInfo"))
    }

    @Test func namesThereAreLawful() throws {
        let library = Repository.library()
        for table in library.tables.values {
            #expect(LogAnalytics.isTableName(table.sent.name), "\(table.sent.name)")
            for column in table.sent.columns { #expect(LogAnalytics.problem(ofColumn: column.name) == nil) }
            #expect(!table.sent.declaration.values.contains("guid"))
        }
        let alerts = try #require(library.tables["MDEAlerts_CL"]).sent
        #expect(alerts.stream == "Custom-MDEAlerts_CL" && alerts.declaration["AlertTitle"] == "string")
        #expect(alerts.declaration["Title"] == nil && alerts.declaration["ObservedTime"] == "datetime")
        #expect(library.tables["DeviceInfo"]?.sent.stream == "Custom-DeviceInfo_CL")
        #expect(library.tables(named: "ot")?.count == library.ruleGroups["ot"]?.count)
        #expect(library.tables(named: "DeviceInfo_CL") == ["DeviceInfo"])
        #expect(library.tables(named: "DeviceInfos") == nil)
    }

    private static let source = """
        id: our-assets
        description: x
        service: web
        path: https://example.org/assets.json
        format: json
        table: Assets
        columns: {AssetId: string, Owner: string}
        interval: 1h
        """

    @Test func bothEndingsOfYAMLAreReadAndOthersToldOf() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let good = table("{name: Owner, type: string}")
        try FolderWriter.write(good, to: folder + "/Tables/Assets.yml")
        try FolderWriter.write(Self.source, to: folder + "/Sources/our-assets.YML")
        for name in ["Tables/Old.yaml.bak", "sources/other.yaml", "stray.yaml", "Tables/notes.txt"] {
            try FolderWriter.write(good, to: folder + "/" + name)
        }
        for name in ["Tables/README.md", "Tables/.hidden", "Tables/Assets.yml~", "LICENSE"] {
            try FolderWriter.write("aside", to: folder + "/" + name)
        }
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, folder])
        #expect(library.tables["Assets"] != nil && library.sources.contains { $0.id == "our-assets" })
        var told = problems.map { $0.description.dropFirst(folder.count + 1) }.sorted()
        #expect(told.popLast()?.hasPrefix("stray.yaml: is not read: put it into Tables/ or Sources/") == true)
        #expect(problems.allSatisfy { $0.isNotice })
        #expect(
            told == [
                "Tables/Old.yaml.bak: is not read: Tables takes files that end in .yaml",
                "Tables/notes.txt: is not read: Tables takes files that end in .yaml",
                "sources: is not read: did you mean Sources?",
            ])
        try FileManager.default.createDirectory(atPath: folder + "/empty", withIntermediateDirectories: true)
        let empty = ContentLibrary.load(folders: [Repository.content, folder + "/empty"]).problems
        #expect(empty.count == 1 && empty[0].description.contains("none of the folders of content"))
    }

    @Test(
        arguments: [
            ("with a mark", [0xEF, 0xBB, 0xBF], String.Encoding.utf8, nil),
            ("UTF-16 with a mark", [0xFF, 0xFE], .utf16LittleEndian, "is UTF-16 text"),
            ("UTF-16 the other way", [0xFE, 0xFF], .utf16BigEndian, "is UTF-16 text"),
            ("UTF-16 without a mark", [], .utf16LittleEndian, "is UTF-16 text"),
            ("UTF-32", [0xFF, 0xFE, 0, 0], .utf32LittleEndian, "is UTF-32 text"),
            ("Latin-1", [], .isoLatin1, "Assets.yaml:2: is not UTF-8"),
        ] as [(String, [UInt8], String.Encoding, String?)])
    func anEditorsEncodingIsReadOrNamed(
        _ what: String, _ mark: [UInt8], _ encoding: String.Encoding, _ problem: String?
    )
        throws
    {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let text = table("{name: Owner, type: string}").replacing("description: x", with: "description: Geräte")
            .replacing("\n", with: "\r\n")
        let data = try #require(text.data(using: encoding))
        try FileManager.default.createDirectory(atPath: folder + "/Tables", withIntermediateDirectories: true)
        try (Data(mark) + data).write(to: URL(fileURLWithPath: folder + "/Tables/Assets.yaml"))
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, folder])
        if let problem {
            #expect(problems.count == 1 && problems[0].description.contains(problem), "\(problems.map(\.description))")
        } else {
            #expect(problems.map(\.description) == [])
            #expect(library.tables["Assets"]?.description == "Geräte")
        }
    }

    @Test func aProblemNamesTheLineOfItsValue() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let text = "# ours\nname: T\n\ndescription: x\nkind: stat\nkey: [a]\ncolumns: [{name: a, type: string}]\n"
        try FolderWriter.write(text, to: folder + "/Tables/T.yaml")
        let told = ContentLibrary.load(folders: [Repository.content, folder]).problems.map(\.description)
        #expect(told.count == 1 && told[0].contains("T.yaml:5:7: 'kind'"), "\(told)")
        try FolderWriter.write(text.replacing("stat\n", with: "state\nkeys: []\n"), to: folder + "/Tables/T.yaml")
        let unknown = ContentLibrary.load(folders: [Repository.content, folder]).problems.map(\.description)
        #expect(unknown.count == 1 && unknown[0].contains("T.yaml:6:1: unknown field 'keys'"), "\(unknown)")
    }
}
