import Foundation
import KQL
import KQLEngine
import Testing

/// No call ends the program, whatever its arguments, and none outlives its time.
@Suite struct EdgeSearchTests {
    /// Calls of the form that every test run does; `VESTIGE_EDGE_CALLS` for the long one.
    private static let callCount =
        ProcessInfo.processInfo.environment["VESTIGE_EDGE_CALLS"].flatMap { Int($0) } ?? 8_000
    private static let secondsMax = 1.0

    @Test func noCallEndsTheProgram() throws {
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("vestige-edge-call.kql")
        try Data().write(to: place)
        let note = try FileHandle(forWritingTo: place)
        defer { try? note.close() }
        var search = EdgeSearch(seed: 20_260_214)
        var options = QueryOptions()
        options.durationMax = Self.secondsMax
        options.memoryBytesMax = 512 << 20
        options.workerCountMax = 1
        let engine = Engine(provider: EdgeSearch.tables)
        var (answered, slow) = (0, [String]())
        for i in 0..<Self.callCount {
            let query = search.query(i)
            // Padded, so that what a longer call left behind is overwritten.
            try note.seek(toOffset: 0)
            try note.write(contentsOf: Data((query + "\n" + String(repeating: " ", count: 200)).utf8))
            let start = ContinuousClock.now
            if (try? engine.run(query, options: options)) != nil { answered += 1 }
            if ContinuousClock.now - start > .seconds(Self.secondsMax + 1) { slow.append(query) }
        }
        #expect(slow.isEmpty, "\(slow.prefix(10).joined(separator: "\n"))")
        // Most calls bind: the search reaches the functions, not only the binder.
        #expect(answered > Self.callCount / 4, "\(answered) of \(Self.callCount) were answered")
    }

    /// Calls that once ended the program, with their answers where one is known.
    @Test(arguments: [
        ("print startofmonth(now(), 9223372036854775807)", ""), ("print startofweek(now(), 9223372036854775807)", ""),
        ("print endofday(now(), 9223372036854775807)", ""), ("print endofyear(now(), -9223372036854775807)", ""),
        ("print ago(totimespan(-9223372036854775807))", ""), ("print now(totimespan(9223372036854775807))", ""),
        ("print datetime_add('year', 9223372036854775807, now())", ""),
        ("print datetime_add('day', 9223372036854775807, now())", ""),
        ("print make_timespan(tolong(real(nan)), 1)", ""), ("print round(1.5, -9223372036854775807 - 1)", "0.0"),
        ("datatable(n:long)[-9223372036854775807] | extend b = bin(n, 10) | project b", ""),
        ("print bin(-9223372036854775807 - 1, 7)", ""),
        ("print array_shift_left(dynamic([1,2]), 9223372036854775807)", "[null,null]"),
        ("print array_rotate_right(dynamic([1,2,3]), -9223372036854775807 - 1)", "[3,1,2]"),
        ("print array_index_of(dynamic([1,2]), 2, 1, 9223372036854775807)", "1"),
        ("print indexof('abc', 'c', 1, 9223372036854775807)", "2"),
        ("print indexof_regex('abc', 'c', 1, 9223372036854775807)", "2"),
        ("print extract_all('(a)', dynamic([-1]), 'aa')", "[\"\",\"\"]"),
        ("datatable(n:long)[1,2] | serialize | extend p = prev(n, -9223372036854775807 - 1) | project p | take 1", ""),
        (
            "datatable(n:long)[1,2] | serialize | extend p = row_number(9223372036854775807) | summarize max(p)",
            "9223372036854775807"
        ),
        ("datatable(t:timespan)[time(1h)] | extend t = totimespan(9223372036854775807) | summarize avg(t)", ""),
        ("datatable(n:long)[1,2,3] | summarize percentile(n, real(nan))", "1"),
        ("print series_seasonal(dynamic([1,2,3]), 9223372036854775807)", "[0.0,0.0,0.0]"),
        ("datatable(n:long)[1,2] | evaluate preview(-1) | count", "0"),
    ]) func callsAtTheEnds(_ query: String, _ expected: String) throws {
        let rows = try Engine(provider: MemoryTables()).run(query).primary.rows()
        #expect(rows.first?.first?.text ?? "" == expected, "\(query)")
    }

    /// What must be the same for all rows is refused where a column stands, at its place.
    @Test(arguments: [
        "make_set(h, u)", "make_list(h, u)", "make_bag(y, n)", "percentile(n, n)", "percentiles(n, n)",
        "percentilew(n, n, n)", "percentiles_array(n, n)", "hll(h, n)", "make_set_if(h, true, n)", "dcount(h, n)",
    ]) func sizesAreConstants(_ call: String) {
        let query = "datatable(h:string, u:string, n:long, y:dynamic)['a', 'b', 1, dynamic({})] | summarize \(call)"
        #expect {
            try Engine(provider: MemoryTables()).run(query)
        } throws: { error in
            guard case QueryError.invalid(let problem, _)? = error as? QueryError else { return false }
            return problem.message.contains("must be a constant") && !problem.range.isEmpty
        }
    }

    @Test(arguments: [
        "jaccard_index(dynamic([1]))", "jaccard_index(dynamic([1]), dynamic([1]), dynamic([1]))",
        "series_fill_const(dynamic([1]))",
    ])
    func argumentsAreCounted(_ call: String) {
        #expect(throws: QueryError.self) { try Engine(provider: MemoryTables()).run("print \(call)") }
    }
}
