import Content
import TestKit
import Testing

/// What a source's file may say, by the service that it asks.
@Suite struct SourceKindTests {
    private static func problem(_ yaml: String) throws -> String {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try FolderWriter.write(yaml, to: folder + "/Sources/own.yaml")
        return ContentLibrary.load(folders: [folder]).problems.map(\.description).joined(separator: "\n")
    }

    private static let common = """
        id: own
        description: A source of a test's own.
        table: MDEMachines_CL
        columns: {id: string, seen: datetime}
        interval: 1h

        """

    @Test func everyServiceIsDeclaredOnce() {
        #expect(
            ServiceKind.all.map(\.service.rawValue).sorted()
                == SourceDefinition.Service.allCases.map(\.rawValue).sorted())
        for kind in ServiceKind.all {
            #expect(!kind.title.isEmpty && !kind.summary.isEmpty)
            #expect(kind.fields.isDisjoint(with: SourceDefinition.commonFields))
        }
    }

    /// Keys of one service in the file of another, and values that none takes.
    @Test(arguments: [
        ("service: web\npath: https://x.example\npartitions: 8\n", "partitions"),
        ("service: defender-endpoint\npath: /api/x\nquery: X\n", "query"),
        ("service: resource-graph\nquery: x\npath: /a\n", "path"),
        ("service: defender-endpoint\n", "'path' is missing"), ("service: graph-hunting\n", "'query' is missing"),
        ("service: defender-endpoint\npath: /a\npaging: page\n", "'paging' must be one of none, next-link, skip"),
        ("service: iot-sensor\npath: /a\npaging: skip\n", "'paging' must be one of none, page"),
        ("service: web\npath: https://x.example\nformat: xml\n", "'format' must be"),
        ("service: soap\n", "'service' must be"),
        ("", "'service' is missing"), ("service: graph-hunting\nquery: X\npartitions: 0\n", "between 1 and 1024"),
        ("service: graph-hunting\nquery: X\nwindow: {first: 1d, overlap: 1h}\n", "{from} and {to}"),
        ("service: defender-endpoint\npath: /a\npageSize: 0\n", "'pageSize'"),
        ("service: defender-endpoint\npath: /a\nlookbackMax: soon\n", "duration"),
        ("service: defender-endpoint\npath: /a\nparameters: {t: '{since}'}\n", "'since' goes with {since}"),
        ("service: defender-endpoint\npath: /a\nsince: {form: datetime, overlap: 1h}\n", "'since' goes with {since}"),
        (
            "service: defender-endpoint\npath: /a\nparameters: {t: '{since}'}\nsince: {overlap: 1h, column: nosuch}\n",
            "must be one of the source's 'columns'"
        ),
        ("service: defender-endpoint\npath: /a\nrole: devices\n", "deviceColumns"),
        ("service: defender-endpoint\npath: /a\nrole: users\n", "'role' must be devices"),
    ])
    func whatAServiceDoesNotTakeIsRefused(_ yaml: String, _ words: String) throws {
        let problem = try Self.problem(Self.common + yaml)
        #expect(problem.contains(words), "\(problem)")
    }

    @Test func aQueryIsDividedByTheDeviceOrByTheTablesKey() throws {
        func column(_ id: String) -> String? {
            guard case .hunting(let request)? = Repository.library().sources.first(where: { $0.id == id })?.request,
                case .division(let division) = request.reading
            else { return nil }
            return division.column
        }
        #expect(column("mde-windows-health") == "DeviceId")
        #expect(column("mde-vulnerability-kb") == "CveId")
        #expect(column("mde-configuration-kb") == "ConfigurationId")
    }

    @Test func oneSourceListsTheDevices() throws {
        let sources = Repository.library().sources.filter { $0.role != nil }
        #expect(sources.map(\.id) == ["mde-machines"])
        guard case .devices(let id, let name)? = sources.first?.role else {
            Issue.record("the role is another")
            return
        }
        let source = try #require(sources.first)
        let table = try #require(Repository.library().tables[source.table])
        #expect([id, name].allSatisfy { column in table.columns.contains { $0.name == column } })
    }
}
