import Content
import Tables
import TestKit
import Testing

@testable import Pipeline

/// Transforms that are bound once for all pages of a run.
@Suite(.serialized) struct TransformTests {
    private static let yaml = """
        id: own
        description: A list of a test's own.
        service: web
        path: https://lists.example/own.json
        table: Own_CL
        columns: {name: string, tags: dynamic}
        transform: |
          TRANSFORM
        interval: 1h
        """
    private static let table = """
        name: Own_CL
        description: A table of a test's own.
        kind: state
        key: [Name]
        columns:
          - {name: Name, type: string}
          - {name: Count, type: long}
        """

    /// Pages of several rows through one transform.
    private static func apply(_ text: String, _ pages: [[[Value]]]) throws -> [[[Value]]] {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let library = try Overlay.library(
            in: folder,
            added: ["Sources/own.yaml": yaml.replacing("TRANSFORM", with: text), "Tables/Own_CL.yaml": table])
        let source = try #require(library.sources.first { $0.id == "own" })
        let transform = try Transform(source: source, table: try #require(library.tables["Own_CL"]), now: 0)
        return try pages.map { rows in
            let page = Batch(schema: source.inputSchema, rows: rows.map { $0 + [.null] })
            return try transform.apply(page, given: nil).rows().map { Array($0.prefix(2)) }
        }
    }

    private static let first: [[Value]] = [[.string("a"), .array([.long(1)])], [.string("b"), .array([])]]
    private static let second: [[Value]] = [[.string("c"), .array([.long(1), .long(2)])]]

    @Test func eachPageIsTransformedByItself() throws {
        let out = try Self.apply(
            "source | project Name = name, Count = array_length(tags)", [Self.first, [], Self.second])
        #expect(out == [[[.string("a"), .long(1)], [.string("b"), .long(0)]], [], [[.string("c"), .long(2)]]])
    }

    /// What is computed from a page's rows must not be kept for the next one.
    @Test(arguments: [
        "source | extend n = toscalar(source | count) | project Name = name, Count = n",
        "let n = toscalar(source | summarize count()); source | project Name = name, Count = n",
        "source | as hint.materialized=true t | project Name = name, Count = toscalar(t | count)",
    ])
    func valuesOfOnePageAreNotKeptForTheNext(_ text: String) throws {
        let out = try Self.apply(text, [Self.first, Self.second])
        #expect(out == [[[.string("a"), .long(2)], [.string("b"), .long(2)]], [[.string("c"), .long(1)]]])
    }

    @Test func aPluginWhoseColumnsDependOnRowsIsBoundForEachPage() throws {
        let out = try Self.apply(
            "source | extend b = bag_pack('Count', array_length(tags)) | project Name = name, b | evaluate bag_unpack(b)",
            [Self.first, Self.second])
        #expect(out.map(\.count) == [2, 1])
        #expect(out[1] == [[.string("c"), .long(2)]])
    }

    @Test func everyShippedTransformCanBeBoundOnce() throws {
        let library = Repository.library()
        for source in library.sources {
            let table = try #require(library.tables[source.table])
            _ = try Transform(source: source, table: table, now: 0)
        }
    }
}
