import Foundation
import KQL
import KQLEngine
import Tables
import Testing

/// One rule of `Tests/Spec`: a heading, a query, and what it must give.
struct SpecCase: Sendable, CustomTestStringConvertible {
    let file: String
    let title: String
    let query: String
    /// `name:type` of each column, then each row's cells; nil when the query must be refused.
    let table: (columns: [String], rows: [[String]])?
    /// What the refusal must contain.
    let refusal: String?

    var testDescription: String { "\(file): \(title)" }

    static let all: [SpecCase] = {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Spec")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "md" }.sorted { $0.path < $1.path }.flatMap { url in
            cases(
                (try? String(contentsOf: url, encoding: .utf8)) ?? "",
                file: url.deletingPathExtension().lastPathComponent)
        }
    }()

    /// Data that a file declares in its first block, before the first rule, stands before each of its queries.
    private static func cases(_ text: String, file: String) -> [SpecCase] {
        var out: [SpecCase] = []
        var data = ""
        var title: String?
        var query: String?
        var block: [String]?
        var lines: [String] = []
        var refusal: String?
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
                refusal = String(line.dropFirst(2))
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
            let outcome = Result { try Engine(provider: MemoryTables()).run(one.query, options: options) }
            switch (outcome, one.table) {
            case (.success(let result), let expected?):
                #expect(result.primary.schema.columns.map { "\($0.name):\($0.type.name)" } == expected.columns)
                #expect(try result.primary.rows().map { $0.map(Self.cell) } == expected.rows)
            case (.failure(let error as QueryError), nil):
                var text = error.message
                if case .invalid(let diagnostic, let query) = error { text = diagnostic.render(in: query) }
                #expect(text.contains(one.refusal ?? "\u{0}"), "\(text)")
            case (.failure(let error as QueryError), _): Issue.record("\(error.message)")
            case (.failure(let error), _): Issue.record("\(error)")
            case (.success(let result), nil): Issue.record("it ran: \(try result.primary.rows())")
            }
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
}
