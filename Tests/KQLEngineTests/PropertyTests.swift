import KQL
import KQLEngine
import Tables
import Testing

/// Random queries over random rows give the same rows however the rows are cut, coded and shared out.
@Suite struct PropertyTests {
    /// Numbers that a seed decides (SplitMix64).
    struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }

        mutating func below(_ n: Int) -> Int { Int.random(in: 0..<n, using: &self) }
        mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
    }

    static let schema = Schema([
        ("Id", .long), ("A", .long), ("B", .string), ("C", .real), ("D", .datetime), ("E", .bool), ("F", .dynamic),
        ("G", .guid), ("M", .decimal),
    ])

    static func rows(_ count: Int, _ g: inout Numbers) -> [[Value]] {
        let words = ["alpha", "beta", "alpha beta", "Gamma", "", "naïve", "cmd.exe /c x", "ALPHA"]
        return (0..<count).map { id in
            [
                .long(Int64(id)), g.below(8) == 0 ? .null : .long(Int64(g.below(12) - 3)), .string(g.pick(words)),
                g.below(9) == 0 ? .null : .real(Double(g.below(1_000)) / 8),
                g.below(9) == 0 ? .null : .datetime(638_000_000_000_000_000 + Int64(g.below(90)) * 36_000_000_000),
                g.below(7) == 0 ? .null : .bool(g.below(2) == 0),
                g.pick([.null, .array([.long(1), .string("x")]), .bag(Bag([("k", .long(2))])), .string("s")]),
                g.below(5) == 0 ? .null : .guid(GUID(high: UInt64(g.below(4)), low: 7)),
                .decimal(Decimal(Int64(g.below(50)))),
            ]
        }
    }

    /// The rows in batches of random sizes; some texts get a dictionary.
    static func tables(_ rows: [[Value]], _ g: inout Numbers) -> MemoryTables {
        var batches: [Batch] = []
        var from = 0
        while from < rows.count {
            let to = min(rows.count, from + 1 + g.below(max(rows.count / 2, 1)))
            let batch = Batch(schema: schema, rows: Array(rows[from..<to]))
            from = to
            guard g.below(2) == 0,
                let columns = try? schema.columns.indices.map({ try batch.column($0).dictionaryCoded() })
            else {
                batches.append(batch)
                continue
            }
            batches.append(Batch(schema: schema, columns: columns, count: batch.count))
        }
        let tables = MemoryTables()
        tables.set("T", schema: schema, batches: batches)
        return tables
    }

    static func query(_ g: inout Numbers) -> String {
        let conditions = [
            "A > 2", "A == 3 or isnull(A)", "B has 'alpha'", "B contains 'A'", "B in ('beta', 'Gamma')",
            "C between (10.0 .. 80.0)", "E", "not(E)",
            "D > datetime(2022-09-29 10:00)", "isnotempty(B) and A < 5", "B =~ 'ALPHA'", "F.k == 2",
            "tostring(F) has 'x'", "A in (1, 2, long(null))",
            "Id % 3 == 1", "B matches regex '^a.*a$'", "isnotnull(C) and C * 2 > 50",
            "A in ((T | where E | distinct A))", "G != guid(null)",
        ]
        let keys = ["A", "B", "E", "bin(D, 6h)", "A % 2", "G", "tostring(F)", "M", "strlen(B)"]
        let aggregates = [
            "count()", "countif(E)", "sum(A)", "sum(C)", "avg(C)", "min(D)", "max(B)", "max(C)", "dcount(B)",
            "dcount(A)", "dcountif(B, E)",
            "arg_max(Id, B, C)",
            "arg_min(Id, *)", "make_list(Id)", "make_set(B)", "percentile(A, 50)", "percentiles(C, 10, 90)",
            "take_any(B)", "stdev(A)", "sum(M)", "minif(A, E)",
        ]
        var text = "T"
        for _ in 0...g.below(2) { text += " | where " + g.pick(conditions) }
        switch g.below(9) {
        case 0: text += " | extend X = A * 2, Y = strcat(B, '-', A) | where X != 4 | project Id, X, Y, E"
        case 1: text += " | mv-expand F | project Id, F, B"
        case 2:
            text +=
                " | join kind=\(g.pick(["inner", "leftouter", "leftanti", "rightsemi", "fullouter"])) (T | where A > 1 | summarize N = count() by B) on B | project-away *1"
        case 3: text += " | sort by Id desc | take \(g.below(20)) | project Id, B"
        case 4: text += " | union (T | where E | project Id, B) | project Id, B"
        case 5: text += " | distinct \(g.pick(["A", "B, E", "G, A"]))"
        case 6: text += " | summarize \(g.pick(aggregates)), \(g.pick(aggregates))"
        default:
            let by = g.below(2) == 0 ? g.pick(keys) : "K1 = \(g.pick(keys)), K2 = \(g.pick(keys))"
            text +=
                " | summarize R1 = \(g.pick(aggregates.filter { !$0.contains("*") && !$0.hasPrefix("arg") && !$0.hasPrefix("percentiles") })), \(g.pick(aggregates)) by \(by)"
        }
        return text
    }

    private func answer(_ query: String, _ tables: MemoryTables, workers: Int) -> Result<[String], QueryError> {
        var options = QueryOptions()
        options.workerCountMax = workers
        options.parallelRowsMin = workers > 1 ? 0 : .max
        options.now = 638_500_000_000_000_000
        do {
            let rows = try Engine(provider: tables).run(query, options: options).primary.rows()
            return .success(rows.map { $0.map { JSONWriter.string($0) }.joined(separator: "\t") }.sorted())
        } catch let error as QueryError { return .failure(error) } catch { return .failure(.runtime("\(error)")) }
    }

    @Test(arguments: 0..<48) func howTheRowsAreStoredDoesNotMatter(_ seed: UInt64) {
        var g = Numbers(state: seed &* 7_919 &+ 1)
        let rows = Self.rows([0, 1, 7, 200, 1_000][g.below(5)], &g)
        let whole = MemoryTables()
        whole.set("T", schema: Self.schema, batches: rows.isEmpty ? [] : [Batch(schema: Self.schema, rows: rows)])
        let cut = Self.tables(rows, &g)
        for _ in 0..<12 {
            let query = Self.query(&g)
            let expected = answer(query, whole, workers: 1)
            if case .failure(let error) = expected { Issue.record("\(query) does not run: \(error.message)") }
            for (tables, workers) in [(cut, 1), (cut, 2), (cut, 5), (whole, 3)] {
                switch (expected, answer(query, tables, workers: workers)) {
                case (.success(let a), .success(let b)):
                    #expect(a == b, "\(query), \(workers) workers, \(rows.count) rows")
                case (.failure(let a), .failure(let b)): #expect(a.message == b.message, "\(query)")
                case (.success, .failure(let error)), (.failure(let error), .success):
                    Issue.record("\(query): only one way fails: \(error.message)")
                }
            }
        }
    }
}
