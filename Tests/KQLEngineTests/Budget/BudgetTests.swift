import Foundation
import KQL
import KQLEngine
import Tables
import Testing

/// Whatever a query does, it ends soon after its time, and within its memory.
@Suite(.serialized) struct BudgetTests {
    private static let million = "range i from 1 to 1000000 step 1"

    /// Each is one way to work for hours, or to fill the machine, between two batches.
    private static let hostile: [String] = [
        "print a=strrep('a', 1000) \(String(repeating: "| extend a = replace_string(a, 'a', strrep('ab', 500))", count: 8)) | project strlen(a)",
        "\(million) | extend xs = range(1, 1000) | mv-expand xs | count",
        "range i from 1 to 50000 step 1 | extend xs = range(1, 50000) | mv-expand xs | count",
        "range i from 1 to 100000 step 1 | extend xs = range(1, 1000) | mv-apply xs on (summarize sum(tolong(xs))) | count",
        "\(million) | extend a = strrep(tostring(i), 100), b = i | summarize make_list(pack_all())",
        "\(million) | extend a = strcat(i, '-', i) | summarize make_set(pack_array(a, i, a))",
        "print f = series_fir(range(1, 1000000), range(1, 100000))",
        "print f = series_periods_detect(range(1, 1000000), 4, 400000, 5)",
        "print f = series_fit_2lines(range(1, 500000))",
        "print f = series_fft(range(1, 999983))",
        "\(million) | extend a = i % 97, b = i % 89, c = i % 83, d = i % 79, e = i % 73 | evaluate autocluster()",
        "print x = dynamic([1]) \(String(repeating: "| extend x = array_concat(x, x)", count: 60)) | project array_length(x)",
        "print x = dynamic([1]) \(String(repeating: "| extend x = pack_array(x, x)", count: 60)) | project tostring(x)",
        "\(million) | extend s = strrep('a', 500) \(String(repeating: "| extend s = base64_encode_tostring(s)", count: 12)) | summarize max(strlen(s))",
        "range i from 1 to 1e13 step 1 | count",
        "\(million) | extend k = 1 | join kind=inner (\(million) | extend k = 1) on k | count",
        "\(million) | sort by hash_sha256(tostring(i)) asc | extend r = row_number() | summarize max(r)",
        "print s = strrep('a', 1000) | extend s = strrep(s, 1000) | extend n = indexof(s, strcat(strrep(strrep('a', 1000), 400), 'b'))",
        "range i from 1 to 20000 step 1 | summarize b = make_bag(bag_pack(tostring(i), i)) | extend k = range(1, 2000) | mv-expand k | evaluate bag_unpack(b)",
        "range i from 1 to 200000 step 1 | scan declare (x:dynamic) with (step s: true => x = pack_array(s.x, s.x);)",
        "let e = range i from 1 to 100000 step 1 | extend j = (i * 7) % 1000; e | make-graph i --> j | graph-match (a)-[p*1..9]->(b) project a.i | count",
        "datatable(d:datetime, u:string)[datetime(2026-01-01), 'a'] | evaluate activity_engagement(u, d, 1tick, 1h)",
        "\(million) | extend u = i | evaluate rolling_percentile(i, 50, u, 1, 1000000)",
    ]

    @Test(arguments: hostile) func endsInTime(_ query: String) {
        var options = QueryOptions()
        options.durationMax = 1.5
        options.memoryBytesMax = 1 << 30
        let start = ContinuousClock.now
        _ = try? Engine(provider: MemoryTables()).run(query, options: options)
        let passed = ContinuousClock.now - start
        // A machine that builds at the same time is slow: a second and a half more than the limit.
        #expect(passed < .seconds(4.5), "\(passed): \(query.prefix(120))")
    }

    @Test func whatKeepsTooMuchSaysSo() {
        var options = QueryOptions()
        options.memoryBytesMax = 256 << 20
        #expect {
            try Engine(provider: MemoryTables()).run(
                "range i from 1 to 30000000 step 1 | extend s = strcat(i, '-', i) | summarize make_list(s) by i",
                options: options)
        } throws: { error in
            guard case QueryError.limit(let text, .memory)? = error as? QueryError else { return false }
            return text.contains("E_LOW_MEMORY_CONDITION") && text.contains("80DA0003")
        }
    }

    @Test func whoHangsUpIsNotWaitedFor() {
        let start = ContinuousClock.now
        #expect {
            try Engine(provider: MemoryTables()).run("range i from 1 to 1e13 step 1 | count") {
                ContinuousClock.now - start > .milliseconds(300)
            }
        } throws: { error in
            if case QueryError.cancelled? = error as? QueryError { true } else { false }
        }
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test func aLargeBagFindsItsKeys() throws {
        let query = """
            range i from 1 to 3000 step 1 | summarize b = make_bag(bag_pack(strcat('k', i), i))
            | project a = b.k1, z = b.k3000, n = array_length(bag_keys(b)),
                gone = isnull(bag_remove_keys(b, dynamic(['k7'])).k7), kept = bag_remove_keys(b, dynamic(['k7'])).k8
            """
        let row = try Engine(provider: MemoryTables()).run(query).primary.rows()[0]
        #expect(row.map(\.text) == ["1", "3000", "3000", "true", "8"])
    }
}
