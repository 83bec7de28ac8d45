import KQL
import KQLEngine
import Tables
import Testing

/// Texts of any length and depth are answered or refused with a word; none ends the program.
@Suite struct DeepQueryTests {
    private func run(_ query: String) throws -> Value {
        var options = QueryOptions()
        options.durationMax = 20
        return try Engine(provider: MemoryTables()).run(query, options: options).primary.rows().first?.first ?? .null
    }

    /// The answer, or what kind of refusal it was; the program lives either way, in `check` too.
    private func outcome(_ query: String) -> String {
        _ = try? Engine(provider: MemoryTables()).check(query)
        do { return "answer \(try run(query).text)" } catch let error as QueryError {
            if case .invalid(let problem, _) = error { return problem.code }
            return "error \(error.message)"
        } catch { return "other \(error)" }
    }

    private static func many(_ n: Int, _ separator: String, _ part: (Int) -> String) -> String {
        (0..<n).map(part).joined(separator: separator)
    }

    @Test(arguments: [1_000, 5_000, 30_000]) func aHuntForManyIndicatorsWorks(count: Int) throws {
        let conditions = Self.many(count, " or ") { "h == 'bad\($0).example'" }
        #expect(try run("datatable(h:string)['bad7.example', 'fine'] | where \(conditions) | count") == .long(1))
        let others = Self.many(count, " and ") { "h != 'bad\($0).example'" }
        #expect(try run("datatable(h:string)['bad7.example', 'fine'] | where \(others) | count") == .long(1))
    }

    /// The longest and deepest that is allowed fits the stack, in this build too.
    @Test func whatIsAllowedFits() throws {
        let n = QuerySize.linksMax
        #expect(try run("print \(Self.many(n, "+") { _ in "1" })") == .long(Int64(n)))
        #expect(try run("print x = dynamic({}) | extend y = x\(String(repeating: ".a", count: n))| project y").isNull)
        #expect(try run("print x = 1 \(String(repeating: "| extend x = x + 1", count: n))") == .long(Int64(n) + 1))
        #expect(try run("print x = 1 \(String(repeating: "| where x == 1", count: n))") == .long(1))
        let deep = QuerySize.nestingMax / 3 - 2
        #expect(
            try run("print \(String(repeating: "abs(", count: deep))1\(String(repeating: ")", count: deep))")
                == .long(1))
        let height = QuerySize.heightMax / 2 - 5
        let body = Self.many(height, "+") { _ in "1" }
        #expect(
            try run("let a = toscalar(print 1); let b = a + \(body); print b + \(body)") == .long(Int64(height) * 2 + 1)
        )
    }

    @Test(arguments: [100, 10_000, 1_000_000]) func chainsOfAnyLengthLeaveTheProgramAlive(n: Int) {
        let refusals = ["VK001", "VK002", "VK004"]
        for text in [
            "print " + Self.many(n, "+") { _ in "1" }, "print " + Self.many(n, "*") { _ in "1" },
            "print dynamic({})" + String(repeating: ".a", count: n),
            "print dynamic([])" + String(repeating: "[0]", count: n),
            "print x=1" + String(repeating: "|extend x=1", count: min(n, 300_000)),
            "print x=1" + String(repeating: "|union(print x=1)", count: min(n, 200_000)),
            "print " + String(repeating: "(", count: n) + "1" + String(repeating: ")", count: n),
            "print " + String(repeating: "-", count: n) + "1", "print " + String(repeating: "not(", count: n),
            "print dynamic(" + String(repeating: "[", count: n),
            "print x=1|where x in (" + String(repeating: "(", count: n),
            "print " + String(repeating: "case(true,", count: min(n, 300_000)) + "1",
            "print " + String(repeating: "toscalar(print ", count: min(n, 200_000)) + "1",
        ] {
            let found = outcome(text)
            let isFine = found.hasPrefix("answer") || refusals.contains(found) || found.hasPrefix("KS")
            #expect(isFine, "\(text.prefix(40))… × \(n): \(found.prefix(200))")
        }
    }

    @Test(arguments: [
        "let f=(x:long){f(x)}; print f(1)", "let f=(){f()}; f()", "let f=(T:(x:long)){f(T)}; f(print x=1)",
        "let f=(x:long){x}; let g=(x:long){g(f(x))}; print g(1)", "let again=(n:long){again(n)}; print again(1)",
        "let f=(x:long){toscalar(f(x))}; print f(1)", "let f=(){union f(), f()}; f | count",
    ]) func aFunctionDoesNotKnowItself(_ query: String) {
        #expect(["KS211", "KS204", "KS142"].contains(outcome(query)), "\(outcome(query))")
    }

    @Test func functionsOfTheContentThatCallEachOtherAreRefused() throws {
        let tables = MemoryTables()
        for (name, body) in [("F", "G()"), ("G", "F()")] {
            let text = "let \(name) = () { \(body) };"
            guard case .letValue(_, let value)? = try Parser.parse(text).first, case .lambda(let function) = value.kind
            else { continue }
            tables.setFunction(name, function)
        }
        for query in ["F()", "F | count", "print F()"] {
            #expect(throws: QueryError.self) { try Engine(provider: tables).run(query) }
        }
    }

    @Test(arguments: [50, 2_000, 16_000]) func chainsOfFunctions(n: Int) {
        var text = "let f0=(x:long){x+1};"
        for i in 1..<n { text += "let f\(i)=(x:long){f\(i - 1)(x)};" }
        let found = outcome(text + "print f\(n - 1)(1)")
        #expect(n < 100 ? found == "answer 2" : found == "VK003", "\(found)")
    }

    /// What doubles is computed once, or counted and refused; the time limit holds.
    @Test func whatDoublesEnds() {
        var values = "let a0 = 1;"
        var texts = "let a0 = 'ab';"
        var functions = "let f0=(x:long){x+1};"
        var tables = "let t0 = range x from 1 to 10 step 1;"
        var views = "let v0 = view(){range x from 1 to 10 step 1};"
        var arrays = "let a0 = dynamic([1]);"
        for i in 1...60 {
            values += "let a\(i) = a\(i - 1) + a\(i - 1);"
            texts += "let a\(i) = strcat(a\(i - 1), a\(i - 1));"
            functions += "let f\(i)=(x:long){f\(i - 1)(x)+f\(i - 1)(x)};"
            tables += "let t\(i) = union t\(i - 1), t\(i - 1);"
            views += "let v\(i) = view(){union v\(i - 1), v\(i - 1)};"
            arrays += "let a\(i) = pack_array(a\(i - 1), a\(i - 1));"
        }
        #expect(outcome(values + "print a60") == "answer \(Int64(1) << 60)")
        for text in [
            texts + "print strlen(a60)", functions + "print f60(1)", tables + "t60 | count", views + "v60 | count",
            arrays + "print tostring(a60)",
        ] {
            let start = ContinuousClock.now
            let found = outcome(text)
            #expect(
                !found.hasPrefix("answer") && ContinuousClock.now - start < .seconds(45),
                "\(text.suffix(30)): \(found.prefix(150))")
        }
    }
}
