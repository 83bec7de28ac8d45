import Foundation
import TestKit
import Testing

/// Files that one can read, lines that fit, symbols that say what they mean.
@Suite struct SizeTests {
    /// Files that were longer when the limit came. None is added; one that was cut leaves the list.
    private static let longFiles: [String: Int] = [:]
    private static let linesMax = 400
    private static let widthMax = 120
    /// Lines of the sources that hold one long text, when the limit came. The number only falls.
    private static let wideLinesMax = 240
    /// The share of `package` symbols with a comment, when it was counted first. It only rises.
    private static let documentedShareMin = 0.48

    private static func texts(_ folder: String) throws -> [(path: String, lines: [Substring])] {
        let names = try #require(FileManager.default.enumerator(atPath: Repository.root + "/" + folder))
        return try names.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().map { name in
            let text = try String(contentsOfFile: "\(Repository.root)/\(folder)/\(name)", encoding: .utf8)
            return ("\(folder)/\(name)", text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    @Test func filesAreShort() throws {
        let all = try Self.texts("Sources") + Self.texts("Tests")
        #expect(all.count > 200)
        for (path, lines) in all {
            #expect(lines.count <= Self.longFiles[path] ?? Self.linesMax, "\(path) has \(lines.count) lines")
        }
        for path in Self.longFiles.keys {
            let count = all.first { $0.path == path }?.lines.count ?? 0
            #expect(count > Self.linesMax, "\(path) is short now: take it from the list")
        }
    }

    @Test func linesAreNarrow() throws {
        var wide: [String] = []
        for (path, lines) in try Self.texts("Sources") {
            for (i, line) in lines.enumerated() where line.count > Self.widthMax { wide.append("\(path):\(i + 1)") }
        }
        let shown = wide.joined(separator: "\n")
        #expect(wide.count <= Self.wideLinesMax, "\(wide.count) lines are wider than \(Self.widthMax):\n\(shown)")
    }

    @Test func packageSymbolsSayWhatTheyMean() throws {
        let declaration =
            /^\s*(?:@\S+ )*package (?:private\(set\) )?(?:(?:static|final|indirect|mutating|nonisolated|convenience) )*(?:struct|class|enum|actor|protocol|func|var|let|init|subscript|typealias)\b/
        var (all, documented) = (0, 0)
        for (_, lines) in try Self.texts("Sources") {
            for (i, line) in lines.enumerated() where line.firstMatch(of: declaration) != nil {
                all += 1
                let before = lines[..<i].last { !$0.drop { $0 == " " }.hasPrefix("@") }
                if before?.drop(while: { $0 == " " }).hasPrefix("///") == true { documented += 1 }
            }
        }
        #expect(all > 1_500)
        let share = Double(documented) / Double(all)
        #expect(share >= Self.documentedShareMin, "\(documented) of \(all)")
    }
}

/// What belongs to a machine, or to nobody, is not in the tree.
@Suite struct TreeTests {
    private static let folders = ["Sources", "Tests", "Content", "docs", "Packaging", "Benchmarks", ".ci"]
    private static let kinds = [
        ".swift", ".md", ".yaml", ".yml", ".kql", ".py", ".sh", ".csv", ".json", ".workbook", ".txt",
    ]

    private static func texts() throws -> [(path: String, text: String)] {
        var found: [(String, String)] = []
        for folder in folders {
            let root = Repository.root + "/" + folder
            guard let names = FileManager.default.enumerator(atPath: root) else { continue }
            for case let name as String in names where kinds.contains(where: name.hasSuffix) || folder == ".ci" {
                guard let text = try? String(contentsOfFile: "\(root)/\(name)", encoding: .utf8) else { continue }
                found.append(("\(folder)/\(name)", text))
            }
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: Repository.root)
        where name == "Makefile" || name.hasSuffix(".md") || name.hasSuffix(".swift") {
            found.append((name, try String(contentsOfFile: "\(Repository.root)/\(name)", encoding: .utf8)))
        }
        return found
    }

    @Test func noPathsOfAMachine() throws {
        let all = try Self.texts()
        #expect(all.count > 400)
        // In pieces, so that this file does not hold them.
        let paths = ["/wo" + "rk/", "/ho" + "me/", "/Us" + "ers/", "/ro" + "ot/", "bash_" + "jobs"]
        // What names a folder of the endpoints that are told of is no path of ours.
        let exempt = ["Content/", "Sources/Lab/", "Tests/"]
        for (path, text) in all {
            for machine in paths where text.contains(machine) {
                if machine != paths[0], exempt.contains(where: path.hasPrefix) { continue }
                Issue.record("\(path) holds \(machine)")
            }
        }
    }

    /// Each source's table exists, and a table is filled by a source, or says who fills it.
    @Test func noTableIsForgotten() {
        let library = Repository.library()
        let filled = Set(library.sources.map(\.table))
        for source in library.sources { #expect(library.tables[source.table] != nil, "\(source.id): \(source.table)") }
        let empty = library.tables.keys.filter { !filled.contains($0) }.sorted()
        // Written by the collector, the server and the rules themselves, or filled by importing saved answers of hunting.
        let others: Set = [
            "VestigeHealth_CL", "VestigeDeadLetters_CL", "VestigeAudit_CL", "VestigeFindings_CL", "VestigeRemovals_CL",
            "DeviceNetworkInfo",
        ]
        #expect(Set(empty).isSubset(of: others), "\(empty)")
    }
}
