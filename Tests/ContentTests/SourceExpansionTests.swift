import Content
import TestKit
import Testing

/// Files that stand for several sources, and sources that take over what others say.
@Suite struct SourceExpansionTests {
    private func load(_ files: [String: String], builtIn: Bool = true) throws -> (ContentLibrary, [ContentProblem]) {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        for (name, text) in files { try FolderWriter.write(text, to: folder + "/Sources/" + name) }
        return ContentLibrary.load(folders: (builtIn ? [Repository.content] : []) + [folder])
    }

    private static let several = """
        for_each:
          - {kind: one, parts: 3, lists: {a: long}, condition: "X == 1"}
          - {kind: two, parts: 1, lists: {b: string, c: real}, condition: "X == 2"}
        id: own-${kind}
        description: All of ${kind}, kind ${kind}
        service: graph-hunting
        partitions: ${parts}
        query: T | where ${condition} and hash(DeviceId, {partitions}) == {partition}
        table: DeviceInfo
        columns: ${lists}
        transform: source | project DeviceId = "x"
        interval: 1h

        """

    @Test func aFileStandsForEachEntryOfItsList() throws {
        let (library, problems) = try load(["several.yaml": Self.several], builtIn: false)
        #expect(problems.map(\.description) == [])
        #expect(library.sources.map(\.id) == ["own-one", "own-two"])
        #expect(library.sources.map(\.description) == ["All of one, kind one", "All of two, kind two"])
        #expect(library.sources.map { $0.columns.map(\.name) } == [["a"], ["b", "c"]])
        #expect(library.sources.allSatisfy { $0.file.hasSuffix("several.yaml") })
    }

    @Test func shippedSourcesKeepTheirNames() {
        let ids = Set(Repository.library().sources.map(\.id))
        let named = [
            "mde-windows-health", "mde-macos-health", "mde-linux-health", "mde-other-health", "mde-exposure-score",
            "mde-exposure-score-by-group", "mde-secure-score", "iot-security-report", "iot-operational-report",
            "iot-mitigation-report",
        ]
        #expect(ids.isSuperset(of: named))
    }

    @Test func aSourceTakesOverWhatItDoesNotSay() throws {
        let (library, problems) = try load([
            "a.yaml": "id: mine\nextends: other\ndescription: Mine\n",
            "b.yaml": "id: other\nextends: mde-machines\ninterval: 2h\n",
        ])
        #expect(problems.map(\.description) == [])
        let mine = try #require(library.sources.first { $0.id == "mine" })
        let base = try #require(library.sources.first { $0.id == "mde-machines" })
        #expect(mine.description == "Mine" && mine.intervalSeconds == 7_200)
        #expect(mine.transform == base.transform && mine.columns == base.columns && mine.table == base.table)
    }

    @Test func anOverlayMayExtendWhatItReplaces() throws {
        let (library, problems) = try load([
            "own.yaml": "id: mde-macos-health\nextends: mde-macos-health\ninterval: 30m\n"
        ])
        #expect(problems.map(\.description) == [])
        let found = library.sources.filter { $0.id == "mde-macos-health" }
        #expect(found.count == 1 && found[0].intervalSeconds == 1_800)
        #expect(found[0].transform == "source" && !found[0].columns.isEmpty)
    }

    @Test(arguments: [
        ("id: a\nextends: no-such\n", "names 'no-such', which is no source"),
        ("id: a\nextends: mde-machine\n", "did you mean 'mde-machines'?"),
        ("id: a\nextends: [b]\n", "must be the id of a source"),
        ("id: a\nextends: a\n", "names 'a', which is no source"),
        ("for_each: {a: 1}\nid: x\n", "must be a list of mappings"),
        ("for_each: []\nid: x\n", "must be a list of mappings"),
        ("for_each: [{kind: a}]\nid: ${kinds}\n", "gives no 'kinds' for ${kinds}; did you mean 'kind'?"),
        ("for_each: [{kind: a, more: b}]\nid: ${kind}\n", "gives 'more', but ${more} stands nowhere"),
        ("for_each: [{kind: [a]}]\nid: x-${kind}\n", "is no text"),
        ("- a\n- b\n", "a mapping is expected"),
    ]) func whatCannotBeWrittenOutIsTold(_ text: String, _ reason: String) throws {
        let (library, problems) = try load(["a.yaml": text])
        #expect(problems.count == 1 && problems[0].description.contains(reason), "\(problems.map(\.description))")
        #expect(problems.first?.file.contains("a.yaml") == true)
        #expect(library.sources.count > 40)
    }

    @Test func aCircleIsTold() throws {
        let (_, problems) = try load([
            "a.yaml": "id: a\nextends: b\n", "b.yaml": "id: b\nextends: c\n", "c.yaml": "id: c\nextends: b\n",
        ])
        #expect(problems.count == 3)
        #expect(problems.allSatisfy { $0.description.contains("goes in a circle") }, "\(problems.map(\.description))")
    }
}
