import KQL
import Tables
import Testing

/// How a query's tokens become statements, operators and expressions.
@Suite struct ParserTests {
    /// Expressions with their shapes: what binds tighter, and to which side.
    static let expressions: [(text: String, shape: String)] = [
        ("a + b * c", "(+ a (* b c))"), ("a - b - c", "(- (- a b) c)"), ("a / b % c", "(% (/ a b) c)"),
        ("(a + b) * c", "(* (+ a b) c)"), ("-a + b", "(+ (- a) b)"), ("-5", "-5"), ("- -a", "(- (- a))"),
        ("a == b or c == d and e", "(or (== a b) (and (== c d) e))"), ("a or b or c", "(or (or a b) c)"),
        ("a < b == true", "(== (< a b) true)"), ("a <> b", "(!= a b)"), ("a + 1 > b - 1", "(> (+ a 1) (- b 1))"),
        ("a has 'x' and b !contains 'y'", "(and (has a 'x') (!contains b 'y'))"),
        ("a matches regex 'x.*' or b", "(or (matches regex a 'x.*') b)"),
        ("a in (1, 2, 3)", "(in a 1 2 3)"), ("a !in~ ('x')", "(!in~ a 'x')"), ("a in~ ('x')", "(in~ a 'x')"),
        ("a has_any ('x', 'y')", "(has_any a 'x' 'y')"), ("a !has_all ('x')", "(!has_all a 'x')"),
        ("a between (1 .. 5)", "(between a 1 5)"), ("a !between (1 .. b + 1)", "(!between a 1 (+ b 1))"),
        ("f(a, g(b))", "f(a g(b))"), ("f()", "f()"), ("count(*)", "count(*)"), ("a.b.c", "a.b.c"),
        ("a['b c']", "a['b c']"),
        ("a[0][-1]", "a[0][-1]"), ("a.b[c + 1]", "a.b[(+ c 1)]"), ("a.['b c']", "a.b c"),
        ("cluster('c').database('d').T", "cluster('c').database('d').T"),
        ("['odd name'] + 1", "(+ odd name 1)"), ("'a' 'b'", "'ab'"), ("true and FALSE", "(and true false)"),
        ("dynamic([1, 'a', null]).x", "[1,\"a\",null].x"), ("typeof(long)", "typeof(long)"),
        ("typeof(a:string, b:int)", "typeof(string int)"), ("long(null)", "long(null)"),
        ("toscalar(T | count)", "toscalar(T | count)"), ("iff(a, b, c) + 1", "(+ iff(a b c) 1)"),
        ("a =~ 'x'", "(=~ a 'x')"), ("a !~ 'x'", "(!~ a 'x')"), ("a : 'x'", "(: a 'x')"),
        ("a hasprefix_cs 'x'", "(hasprefix_cs a 'x')"), ("not(a) and b", "(and not(a) b)"),
        ("a % 2 == 0 and b / 2 >= 1.5", "(and (== (% a 2) 0) (>= (/ b 2) 1.5))"),
        ("ago(1d) + 2h", "(+ ago(1.00:00:00) 02:00:00)"), ("f(x = 1, y)", "f(x=1 y)"), ("(a)", "a"),
        ("a startswith strcat('x', b)", "(startswith a strcat('x' b))"), ("a + -b", "(+ a (- b))"), ("+a", "a"),
    ]

    @Test(arguments: expressions) func shapes(_ one: (text: String, shape: String)) throws {
        #expect(try Shape.of(expression: one.text) == one.shape)
    }

    /// The text that an expression's range covers reads as the same expression: ranges are neither too wide nor too narrow.
    @Test(arguments: expressions) func rangesCoverWhatTheyName(_ one: (text: String, shape: String)) throws {
        let source = Array(("print x = " + one.text).utf8)
        for e in Shape.all(in: try Shape.parse(one.text)) {
            let text = String(decoding: source[e.range], as: UTF8.self)
            if case .star = e.kind { continue }
            #expect(try Shape.of(expression: text) == Shape.of(e), "\(text)")
        }
    }

    /// Brackets around every part change nothing.
    @Test(arguments: expressions.filter { !$0.text.contains("*)") }) func bracketsChangeNothing(
        _ one: (text: String, shape: String)
    ) throws {
        #expect(try Shape.of(expression: "((\(one.text)))") == one.shape)
    }

    private func operators(_ text: String) throws -> [String] {
        guard case .expression(let whole)? = try Parser.parse(text).last, case .pipe(let source, let list) = whole.kind
        else { return [] }
        return [source.map(Shape.of) ?? "-"] + list.map(\.keyword.text)
    }

    @Test(arguments: [
        ("T | where a > 1 | take 5", ["T", "where", "take"]), ("print 1", ["-", "print"]),
        ("range x from 1 to 5 step 1 | count", ["-", "range", "count"]),
        ("union T, U | distinct *", ["-", "union", "distinct"]),
        ("T | summarize count() by a, bin(t, 1h) | sort by a asc, t desc nulls last", ["T", "summarize", "sort"]),
        ("T | order by a | limit 3 | filter b", ["T", "order", "limit", "filter"]),
        (
            "T | project-away a*, b | project-keep c | project-rename d = c | project-reorder d, * asc",
            ["T", "project-away", "project-keep", "project-rename", "project-reorder"]
        ),
        ("T | mv-expand a to typeof(long), b limit 5 | mv-apply c on (take 1)", ["T", "mv-expand", "mv-apply"]),
        (
            "T | parse kind=regex flags=i a with * 'x' b:long * | parse-where a with 'y' c",
            ["T", "parse", "parse-where"]
        ),
        ("T | parse-kv a as (b:long) with (pair_delimiter=';')", ["T", "parse-kv"]),
        ("T | join kind=leftouter hint.strategy=broadcast (U) on a, $left.b == $right.c", ["T", "join"]),
        ("T | lookup U on a | as X | consume", ["T", "lookup", "as", "consume"]),
        ("T | make-series n = count() default=0 on t from ago(1d) to now() step 1h by a", ["T", "make-series"]),
        ("T | top 5 by a desc | top-nested 2 of b by sum(c), top-nested of d by count()", ["T", "top", "top-nested"]),
        (
            "T | evaluate bag_unpack(a) : (b:long, *) | render timechart with (title='x y')",
            ["T", "evaluate", "render"]
        ),
        (
            "T | scan with_match_id=m declare (n:long=0) with (step s output=last: a > 1 => n = s.n + 1;)",
            ["T", "scan"]
        ),
        ("T | partition by a (top 1 by b) | fork (count) (take 1)", ["T", "partition", "fork"]),
        (
            "T | make-graph a --> b with U on c | graph-match (x)-[e*1..3]->(y) where e.k == 1 project x.n",
            ["T", "make-graph", "graph-match"]
        ),
        ("search in (T, U) 'x' and a:'y'", ["-", "search"]), ("find in (T) where a == 1 project a, b", ["-", "find"]),
        (
            "T | sample 3 | sample-distinct 2 of a | serialize n = row_number() | getschema",
            ["T", "sample", "sample-distinct", "serialize", "getschema"]
        ),
        (
            "T | reduce by a with threshold=0.1 | invoke f(1) | facet by a, b with (take 5)",
            ["T", "reduce", "invoke", "facet"]
        ),
    ]) func pipelines(_ text: String, _ names: [String]) throws {
        #expect(try operators(text) == names)
    }

    @Test func everyOperatorsRangeStartsAtItsWord() throws {
        let text = "T\n| where a > 1 // why\n| summarize n = count() by b\n| top 3 by n"
        guard case .expression(let whole)? = try Parser.parse(text).last, case .pipe(_, let list) = whole.kind else {
            Issue.record("no pipe")
            return
        }
        let bytes = Array(text.utf8)
        #expect(
            list.map { String(decoding: bytes[$0.range], as: UTF8.self) } == [
                "where a > 1", "summarize n = count() by b", "top 3 by n",
            ])
    }

    @Test func statementsAreToldApart() throws {
        let text = """
            set notruncation;
            declare query_parameters(n:long = 5, s:string);
            let a = 1;
            let f = (t:(*), x:string = 'y') { t | where b == x };
            let v = view () { T };
            alias database d = cluster('c').database('d');
            T | invoke f() | take n
            """
        let kinds = try Parser.parse(text).map { statement -> String in
            switch statement {
            case .letValue(let name, let value):
                if case .lambda(let function) = value.kind {
                    "function \(name.text)/\(function.parameters.count)\(function.isView ? " view" : "")"
                } else {
                    "let \(name.text)"
                }
            case .set(let name, let value): "set \(name.text)\(value == nil ? "" : " =")"
            case .queryParameters(let list): "parameters \(list.map(\.name.text).joined(separator: " "))"
            case .other(let name): name.text
            case .expression: "expression"
            }
        }
        #expect(
            kinds == [
                "set notruncation", "parameters n s", "let a", "function f/2", "function v/0 view", "alias database",
                "expression",
            ])
    }

    @Test func emptyStatementsAreNothing() throws {
        #expect(try Parser.parse("").isEmpty)
        #expect(try Parser.parse(" ; ;; // only a comment").isEmpty)
        #expect(try Parser.parse("print 1;;").count == 1)
    }

    /// Whatever is cut off a query's end, the parser answers with statements or with a place inside the text.
    @Test(arguments: [
        "let n = 5; T | where a has_any ('x', 'y') and b between (1 .. 5) | summarize m = max(c), count() by bin(t, 1h)",
        "T | join kind=inner (U | project a, d = todynamic(e).f[0]) on $left.a == $right.a | mv-expand d to typeof(long)",
        "datatable(a:long, b:string)[1, 'x', 2, @'y\\'] | parse b with 'z' c:long * | render barchart with (title='t')",
        "T | make-graph s --> d with N on k | graph-match (x)-[e*1..3]->(y) where all(e, w > 1) project p = x.n",
    ]) func everyCutIsAnswered(_ text: String) {
        let bytes = Array(text.utf8)
        for length in 0...bytes.count {
            let part = String(decoding: bytes[..<length], as: UTF8.self)
            do throws(Diagnostic) { _ = try Parser.parse(part) } catch {
                #expect(error.range.lowerBound >= 0 && error.range.upperBound <= length, "\(part): \(error.message)")
                #expect(!error.message.isEmpty && error.code.wholeMatch(of: /(KS|VK)[0-9]{3}/) != nil)
            }
        }
    }

    @Test func depthIsBounded() {
        for (open, close) in [("(", ")"), ("f(", ")"), ("-", ""), ("not(", ")")] {
            let text =
                "print x = " + String(repeating: open, count: 5_000) + "1" + String(repeating: close, count: 5_000)
            #expect(throws: Diagnostic.self, "\(open)") { try Parser.parse(text) }
        }
    }
}
