import Foundation
import KQL
import KQLEngine
import Tables
import Testing

/// How a query is refused: by its code, the place that is marked, and words of the message.
///
/// Written `> KS119 2:16–2:25 expects 2 arguments`: lines and columns count from 1, and the end is the first column that
/// is not marked. What only running tells has no place: `> runtime words of the message`.
struct Refusal: Sendable, Equatable, CustomStringConvertible {
    let code: String
    let place: String
    let words: String

    var description: String { [code, place, words].filter { !$0.isEmpty }.joined(separator: " ") }

    init(code: String, place: String, words: String) {
        self.code = code
        self.place = place
        self.words = words
    }

    init(_ line: String) {
        var parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        let hasPlace = parts.count > 1 && parts[1].wholeMatch(of: /\d+:\d+–\d+:\d+/) != nil
        if !hasPlace { parts = line.split(separator: " ", maxSplits: 1).map(String.init) }
        code = parts[0]
        place = hasPlace ? parts[1] : ""
        words = parts.count > (hasPlace ? 2 : 1) ? parts[hasPlace ? 2 : 1] : ""
    }

    init(_ error: QueryError) {
        switch error {
        case .invalid(let problem, let query):
            let end = Diagnostic(problem.code, "", problem.range.upperBound..<problem.range.upperBound)
            let (from, to) = (problem.position(in: query), end.position(in: query))
            let hint = problem.suggestion.map { " did you mean \($0)?" } ?? ""
            self.init(
                code: problem.code, place: "\(from.line):\(from.column)–\(to.line):\(to.column)",
                words: problem.message + hint)
        case .notSupported: self.init(code: "unsupported", place: "", words: error.message)
        case .limit: self.init(code: "limit", place: "", words: error.message)
        case .cancelled: self.init(code: "cancelled", place: "", words: error.message)
        case .runtime: self.init(code: "runtime", place: "", words: error.message)
        }
    }

    /// Whether a refusal is the one that a document wants.
    func fits(_ wanted: Refusal) -> Bool {
        code == wanted.code && place == wanted.place && !wanted.words.isEmpty && words.contains(wanted.words)
    }
}

/// One rule of `Tests/Spec`: a heading, a query, and what it must give.
struct SpecCase: Sendable, CustomTestStringConvertible {
    let file: String
    let title: String
    let query: String
    /// `name:type` of each column, then each row's cells; nil when the query must be refused.
    let table: (columns: [String], rows: [[String]])?
    let refusal: Refusal?

    var testDescription: String { "\(file): \(title)" }

    static let all = files(in: "Spec").flatMap { cases($1, file: $0) }
    static let conformance = files(in: "Conformance/Queries").flatMap { cases($1, file: $0) }

    /// The documents of a folder below `Tests`: their names and texts. None where there is no such folder.
    static func files(in folder: String) -> [(name: String, text: String)] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let files =
            (try? FileManager.default.contentsOfDirectory(
                at: tests.appendingPathComponent(folder), includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "md" }.sorted { $0.path < $1.path }.compactMap { url in
            guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
            return (url.deletingPathExtension().lastPathComponent, text)
        }
    }

    /// Runs the query and compares what it gives, or how it is refused.
    func check(options: QueryOptions) throws {
        let outcome = Result { try Engine(provider: MemoryTables()).run(query, options: options) }
        switch (outcome, table) {
        case (.success(let result), let expected?):
            #expect(result.primary.schema.columns.map { "\($0.name):\($0.type.name)" } == expected.columns)
            #expect(try result.primary.rows().map { $0.map(Self.cell) } == expected.rows)
        case (.failure(let error as QueryError), nil):
            let (found, wanted) = (Refusal(error), try #require(refusal))
            let fits = found.fits(wanted)
            #expect(fits, "\(title): found > \(found)")
        case (.failure(let error as QueryError), _): Issue.record("\(error.message)")
        case (.failure(let error), _): Issue.record("\(error)")
        case (.success(let result), nil): Issue.record("it ran: \(try result.primary.rows())")
        }
    }

    /// `null` is the null value, `""` the empty text.
    private static func cell(_ value: Value) -> String {
        switch value {
        case .null: "null"
        case .string(""): "\"\""
        default: value.text
        }
    }

    /// Data that a file declares in its first block, before the first rule, stands before each of its queries.
    private static func cases(_ text: String, file: String) -> [SpecCase] {
        var out: [SpecCase] = []
        var data = ""
        var title: String?
        var query: String?
        var block: [String]?
        var lines: [String] = []
        var refusal: Refusal?
        func finish() {
            guard let title, let query else { return }
            let table = lines.isEmpty ? nil : (columns: cells(lines[0]), rows: lines.dropFirst(2).map(cells))
            out.append(SpecCase(file: file, title: title, query: data + query, table: table, refusal: refusal))
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if let open = block {
                if line == "```" {
                    if title == nil {
                        data = open.joined(separator: "\n") + "\n"
                    } else {
                        query = open.joined(separator: "\n")
                    }
                    block = nil
                } else {
                    block = open + [line]
                }
            } else if line.hasPrefix("## ") {
                finish()
                (title, query, lines, refusal) = (String(line.dropFirst(3)), nil, [], nil)
            } else if line == "```kql" {
                block = []
            } else if line.hasPrefix("|") {
                lines.append(line)
            } else if line.hasPrefix("> ") {
                refusal = Refusal(String(line.dropFirst(2)))
            }
        }
        finish()
        return out
    }

    /// The cells of a row; `\|` is a bar and `\n` a line end.
    private static func cells(_ line: String) -> [String] {
        let inner = line.dropFirst().dropLast().replacingOccurrences(of: "\\|", with: "\u{0}")
        return inner.split(separator: "|", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces).replacingOccurrences(of: "\u{0}", with: "|").replacingOccurrences(
                of: "\\n", with: "\n")
        }
    }
}

/// The documents of `Tests/Spec` say what queries mean, rule by rule, and are run here: on one thread, and shared out.
@Suite struct SpecTests {
    @Test func theDocumentsAreFound() {
        #expect(SpecCase.all.count > 100)
        #expect(SpecCase.all.count { $0.refusal != nil } >= 60)
        for one in SpecCase.all {
            #expect((one.table == nil) != (one.refusal == nil), "\(one.testDescription): a table or a refusal")
        }
    }

    @Test(arguments: SpecCase.all) func holds(_ one: SpecCase) throws {
        for workers in [1, 3] {
            var options = QueryOptions()
            options.now = DateTime.parse("2026-05-06T07:08:09.1234567Z")
            options.workerCountMax = workers
            options.parallelRowsMin = workers > 1 ? 0 : .max
            try one.check(options: options)
        }
    }

    /// A refusal for another reason, at another place or of another code is not the one that was wanted.
    @Test func refusalsAreComparedByCodeAndPlace() {
        let found = Refusal(
            .invalid(Diagnostic("KS119", "expects 2 arguments", 15..<24), query: "T | extend x = substring(DeviceName)")
        )
        #expect(found.description == "KS119 1:16–1:25 expects 2 arguments")
        #expect(found.fits(Refusal("KS119 1:16–1:25 2 arguments")))
        for other in [
            "KS119 1:16–1:25 3 arguments", "KS119 1:16–1:26 2 arguments", "KS119 2:16–2:25 2 arguments",
            "KS107 1:16–1:25 2 arguments", "runtime 2 arguments", "KS119 1:16–1:25", "substring",
        ] {
            let fits = found.fits(Refusal(other))
            #expect(!fits, "\(other)")
        }
        #expect(Refusal(.runtime("too much")).fits(Refusal("runtime too much")))
    }
}
