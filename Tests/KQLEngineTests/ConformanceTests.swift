import Foundation
import KQL
import Tables
import Testing

@testable import KQLEngine

/// One row of a table in `Tests/Conformance/Functions`: an expression, its type and its value.
struct FunctionCase: Sendable, CustomTestStringConvertible {
    let file: String
    let expression: String
    let type: String
    let value: String

    var testDescription: String { "\(file): \(expression)" }

    static let all: [FunctionCase] = SpecCase.files(in: "Conformance/Functions").flatMap { file, text in
        text.split(separator: "\n").compactMap { line -> FunctionCase? in
            guard line.hasPrefix("| `"), let end = line.range(of: "` | ") else { return nil }
            let cells = line[end.upperBound...].split(separator: " | ", maxSplits: 1)
            return FunctionCase(
                file: file,
                expression: String(
                    line[line.index(line.startIndex, offsetBy: 3)..<end.lowerBound].replacing("\\|", with: "|")),
                type: String(cells[0]), value: String(cells[1].dropLast(2)).replacing("\\|", with: "|"))
        }
    }
}

/// Cases of our own writing, made from the reference pages that each file names: what every function, aggregate and plugin
/// of the local engine gives. Other sets may stand beside the project; no green run depends on them.
@Suite struct ConformanceTests {
    private func options(workers: Int = 1) -> QueryOptions {
        var options = QueryOptions()
        options.now = DateTime.parse("2026-05-06T07:08:09.1234567Z")
        options.workerCountMax = workers
        options.parallelRowsMin = workers > 1 ? 0 : .max
        return options
    }

    @Test func theSetIsThere() {
        #expect(FunctionCase.all.count >= 400)
        #expect(SpecCase.conformance.count >= 80)
    }

    @Test(arguments: FunctionCase.all) func gives(_ one: FunctionCase) throws {
        let engine = Engine(provider: MemoryTables())
        let table = try engine.run("print x = \(one.expression)", options: options()).primary
        let found = try #require(try table.rows().first?.first)
        #expect(table.schema[0].type.name == one.type)
        let agrees = Self.agrees(found, one)
        #expect(agrees, "\(one.expression): found \(found.text) (\(found))")
        // A column gives what a constant gives.
        guard let query = Self.overColumns(one.expression) else { return }
        do {
            let columns = try engine.run(query, options: options()).primary
            for row in try columns.rows() {
                let agrees = row.last.map { Self.agrees($0, one) } == true
                #expect(agrees, "\(query): found \(row.last?.text ?? "no column")")
            }
            #expect(columns.count == 3)
        } catch QueryError.invalid(let problem, _) {
            // Some arguments must be known before running.
            #expect(["KS112", "KS107", "KS119", "KS142"].contains(problem.code), "\(query): \(problem.message)")
        }
    }

    /// The query that gives an expression for each of three rows, with the literals among its arguments in columns; nil when it
    /// is no call with literals.
    private static func overColumns(_ expression: String) -> String? {
        let prefix = "print x = "
        let bytes = Array((prefix + expression).utf8)
        guard let statements = try? Parser.parse(prefix + expression), case .expression(let whole)? = statements.first,
            case .pipe(nil, let operators) = whole.kind, case .print(let items)? = operators.first?.kind,
            case .call(_, let arguments)? = items.first?.expr.kind
        else { return nil }
        var columns: [String] = []
        var text = ""
        var last = prefix.utf8.count
        for argument in arguments {
            guard argument.name == nil, case .literal = argument.value.kind else { continue }
            let literal = String(decoding: bytes[argument.value.range], as: UTF8.self)
            text += String(decoding: bytes[last..<argument.value.range.lowerBound], as: UTF8.self) + "a\(columns.count)"
            columns.append("a\(columns.count) = iff(i > 0, \(literal), \(literal))")
            last = argument.value.range.upperBound
        }
        guard !columns.isEmpty else { return nil }
        text += String(decoding: bytes[last...], as: UTF8.self)
        return "range i from 1 to 3 step 1 | extend \(columns.joined(separator: ", ")) | extend x = \(text)"
    }

    /// Whether a value is the one that was written down: numbers to nine digits, JSON as JSON, texts as they are.
    private static func agrees(_ found: Value, _ one: FunctionCase) -> Bool {
        if one.value == "null" { return found.isNull }
        switch one.type {
        case "real": return close(found.doubleValue, Double(one.value))
        case "dynamic":
            guard let wanted = try? JSONReader.parse(one.value) else { return false }
            return close(JSON(found), JSON(wanted))
        default: return found.text == (one.value == "\"\"" ? "" : one.value) && !found.isNull
        }
    }

    private static func close(_ a: Double?, _ b: Double?) -> Bool {
        guard let a, let b else { return false }
        return a == b || abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1)
    }

    private static func close(_ a: JSON, _ b: JSON) -> Bool {
        switch (a, b) {
        case (.array(let x), .array(let y)): return x.count == y.count && zip(x, y).allSatisfy { close($0, $1) }
        case (.object(let x), .object(let y)):
            return Set(x.names) == Set(y.names)
                && x.names.allSatisfy { name in
                    guard let p = x[name], let q = y[name] else { return false }
                    return close(p, q)
                }
        default: return a == b || (a.number != nil && close(a.number, b.number))
        }
    }

    @Test(arguments: SpecCase.conformance) func answers(_ one: SpecCase) throws {
        for workers in [1, 3] { try one.check(options: options(workers: workers)) }
    }

    /// What the local engine computes is in a case: a function that nobody tried is as good as missing.
    @Test func everyFunctionAggregateAndPluginIsInACase() throws {
        var called: Set<String> = []
        let texts = FunctionCase.all.map(\.expression) + (SpecCase.conformance + SpecCase.all).map(\.query)
        for text in texts {
            guard let tokens = try? Lexer.tokens(of: text) else { continue }
            for (token, next) in zip(tokens, tokens.dropFirst()) where next.text == "(" { called.insert(token.text) }
        }
        let scalars = ScalarFunctions.all.keys.filter { Builtins.scalars[$0] != nil && !$0.hasPrefix("__") }
        #expect(scalars.count > 200)
        let untried = Set(scalars).union(Builtins.rowFunctions).subtracting(called).subtracting(Self.needOutsideData)
        #expect(untried.sorted() == [])
        #expect(Set(Builtins.aggregates.keys).subtracting(called).sorted() == [])
    }

    /// Functions of data that a machine may not have.
    private static let needOutsideData: Set<String> = ["geo_info_from_ip_address"]
}
