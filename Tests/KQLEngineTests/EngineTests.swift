import KQL
import KQLEngine
import Tables
import Testing

@Suite struct EngineTests {
    private func rows(_ query: String) throws -> [[String]] {
        try Engine(provider: MemoryTables()).run(query).primary.rows().map { $0.map(\.text) }
    }

    private static let devices = """
        let Devices = datatable(Name:string, Platform:string, At:datetime, Ok:bool, Score:real)[
            "a", "Windows", datetime(2026-01-01), true, 1.5, "a", "Windows", datetime(2026-01-02), false, 2.5,
            "b", "macOS", datetime(2026-01-01), true, real(null), "c", "Linux", datetime(2026-01-03), false, 4.0];
        """

    /// Queries and their answers, worked out by hand from the language's reference pages.
    @Test(arguments: [
        (
            "Devices | summarize arg_max(At, Ok) by Name | order by Name asc | project Name, Ok",
            [["a", "false"], ["b", "true"], ["c", "false"]]
        ),
        ("Devices | summarize n = count(), good = countif(Ok), d = dcount(Platform)", [["4", "2", "3"]]),
        (
            "Devices | summarize make_set(Name) by Ok | order by Ok asc | project tostring(set_Name)",
            [["[\"a\",\"c\"]"], ["[\"a\",\"b\"]"]]
        ),
        ("Devices | where Name in ('a', 'c') and Score > 2 | project Name | order by Name asc", [["a"], ["c"]]),
        ("Devices | where Platform has 'win' or Platform contains 'AC' | distinct Name | order by Name asc", [["b"]]),
        (
            "Devices | join kind=inner (datatable(Name:string, Site:string)['a', 'x', 'c', 'y']) on Name | summarize count() by Site | order by Site asc",
            [["x", "2"], ["y", "1"]]
        ),
        (
            "Devices | join kind=leftanti (datatable(Name:string)['a']) on Name | project Name | order by Name asc",
            [["b"], ["c"]]
        ),
        (
            "print a = case(1 > 2, 'x', 2 > 1, 'y', 'z'), b = iff(true, 1, 2), c = tostring(parse_json('{\"k\":[1,2]}').k[1])",
            [["y", "1", "2"]]
        ),
        ("print d = dynamic([1,2,3]) | mv-expand d to typeof(long) | summarize sum(d)", [["6"]]),
        ("print b = dynamic({\"x\":1,\"y\":\"z\"}) | evaluate bag_unpack(b)", [["1", "z"]]),
        (
            "print bin(datetime(2026-05-06 07:08:09), 1h), datetime(2026-05-06) - 36h",
            [["2026-05-06T07:00:00.0000000Z", "2026-05-04T12:00:00.0000000Z"]]
        ),
        ("let f = (n:long) { n * 2 }; range x from 1 to 3 step 1 | extend y = f(x) | summarize sum(y)", [["12"]]),
        ("union (print x = 1), (print x = 2, y = 'b') | order by x desc", [["2", "b"], ["1", ""]]),
        ("Devices | top 1 by Score desc | project Name, round(Score, 0)", [["c", "4.0"]]),
        ("print 'CVE-2024-1 and CVE-2024-22' matches regex @'CVE-\\d{4}-\\d{2}\\b'", [["true"]]),
    ]) func answers(_ query: String, _ expected: [[String]]) throws {
        let text = query.hasPrefix("Devices") ? Self.devices + query : query
        #expect(try rows(text) == expected)
    }

    @Test(arguments: [
        ("Devics | take 1", 1, "did you mean"), ("print x = 1 | where y > 1", 1, ""),
        ("print x = strlen(1, 2, 3)", 1, ""), ("print 1\n| where", 2, ""),
    ]) func mistakesHaveAPlace(_ query: String, _ line: Int, _ hint: String) throws {
        let tables = MemoryTables()
        tables.set("Devices", schema: Schema([("Name", .string)]), batches: [])
        #expect {
            try Engine(provider: tables).run(query)
        } throws: { error in
            guard case QueryError.invalid(let diagnostic, let text)? = error as? QueryError else { return false }
            return diagnostic.position(in: text).line == line
                && (hint.isEmpty || diagnostic.render(in: text).contains(hint))
        }
    }

    @Test func aQueryThatRunsTooLongStops() {
        var options = QueryOptions()
        options.durationMax = 0.2
        #expect(throws: QueryError.self) {
            try Engine(provider: MemoryTables()).run(
                "range x from 1 to 100000000 step 1 | summarize dcount(x)", options: options)
        }
    }

    @Test func pluginsWithoutRowsLetAnyColumnBeNamed() throws {
        let tables = MemoryTables()
        tables.set("T", schema: Schema([("A", .string), ("B", .dynamic), ("C", .long)]), batches: [])
        let engine = Engine(provider: tables)
        for query in [
            "T | evaluate bag_unpack(B) | project-reorder C, A",
            "T | evaluate bag_unpack(B) | where Signer startswith 'x' | extend N = Other + 1 | project C, N",
            "T | evaluate pivot(A) | extend Total = toint(One + Two)",
            "T | evaluate bag_unpack(B) | summarize make_set(Command) by A",
        ] { #expect(try engine.run(query).primary.count == 0, "\(query)") }
    }

    @Test func aCutResultSaysSo() throws {
        var options = QueryOptions()
        options.rowCountMax = 10
        let engine = Engine(provider: MemoryTables())
        let cut = try engine.run("range x from 1 to 11 step 1", options: options)
        #expect(cut.primary.count == 10 && cut.truncation?.contains("10 rows") == true)
        #expect(try engine.run("range x from 1 to 10 step 1", options: options).truncation == nil)
        #expect(try engine.run("set notruncation; range x from 1 to 11 step 1", options: options).primary.count == 11)
        #expect(
            try engine.run(
                "set truncationmaxrecords = 3; set notruncation; range x from 1 to 11 step 1", options: options
            ).primary.count == 3)
        options.resultBytesMax = 200
        options.rowCountMax = nil
        #expect(
            try engine.run("range x from 1 to 100 step 1 | extend s = strrep('a', 100)", options: options).truncation
                != nil)
    }
}
