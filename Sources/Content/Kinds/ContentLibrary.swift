import Foundation
import KQL
import Tables

/// A content file that cannot be used, with its place.
package struct ContentProblem: Error, Sendable {
    package let file: String
    package let message: String

    package init(_ file: String, _ message: String) {
        self.file = file
        self.message = message
    }

    package var description: String { "\(file): \(message)" }
}

/// Everything under the content folder.
package struct ContentLibrary: Sendable {
    package let folder: String
    package private(set) var tables: [String: TableDefinition] = [:]
    package private(set) var sources: [SourceDefinition] = []
    package private(set) var functions: [FunctionDefinition] = []
    package private(set) var workbooks: [WorkbookFile] = []
    /// By alias.
    package private(set) var watchlists: [String: Watchlist] = [:]

    /// Reads a folder. Later folders overlay earlier ones: the same id replaces, a new one adds.
    ///
    /// - Returns: the library, and the files that were left out with the reason.
    package static func load(folders: [String]) -> (library: ContentLibrary, problems: [ContentProblem]) {
        var library = ContentLibrary(folder: folders.first ?? "Content")
        var problems: [ContentProblem] = []
        for folder in folders {
            for file in files(in: folder + "/Tables", ext: "yaml") {
                attempt(&problems) {
                    let t = try TableDefinition(yaml: try Fields(file: file), file: file)
                    library.tables[t.name] = t
                }
            }
            for file in files(in: folder + "/Sources", ext: "yaml") {
                attempt(&problems) {
                    let s = try SourceDefinition(yaml: try Fields(file: file), file: file)
                    library.sources.removeAll { $0.id == s.id }
                    library.sources.append(s)
                }
            }
            for file in files(in: folder + "/Functions", ext: "kql") {
                attempt(&problems) {
                    let f = try FunctionDefinition(text: try text(file), file: file)
                    library.functions.removeAll { $0.name == f.name }
                    library.functions.append(f)
                }
            }
            for file in files(in: folder + "/Watchlists", ext: "csv") {
                attempt(&problems) {
                    let alias = ((file as NSString).lastPathComponent as NSString).deletingPathExtension
                    let changed = try? FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
                    let updated =
                        changed.map {
                            DateTime.unixEpoch + Int64($0.timeIntervalSince1970 * Double(DateTime.ticksPerSecond))
                        } ?? DateTime.unixEpoch
                    library.watchlists[alias] = try Watchlist(
                        alias: alias, csv: Array(try text(file).utf8), searchKey: nil, updated: updated, file: file)
                }
            }
            for file in files(in: folder + "/Workbooks", ext: "workbook") {
                attempt(&problems) {
                    let w = try WorkbookFile(json: try text(file), file: file)
                    library.workbooks.removeAll { $0.id == w.id }
                    library.workbooks.append(w)
                }
            }
        }
        for i in library.sources.indices { library.sources[i].complete(with: library.tables) }
        library.sources.sort { $0.id < $1.id }
        library.functions.sort { $0.name < $1.name }
        library.workbooks.sort { $0.id < $1.id }
        return (library, problems)
    }

    /// What people are told of the tables and functions.
    package var notes: CatalogNotes {
        var notes = CatalogNotes()
        for table in tables.values {
            notes.tables[table.name] = EntityNote(description: table.description, folder: table.kind.rawValue)
        }
        for function in functions {
            notes.functions[function.name] = EntityNote(
                description: function.description, parameters: function.parameters,
                body: "{\n" + function.body.trimmingCharacters(in: .whitespacesAndNewlines) + "\n}")
        }
        return notes
    }

    /// The watchlists as tables, by the tables' names.
    package var watchlistTables: [String: Batch] {
        Dictionary(uniqueKeysWithValues: watchlists.values.map { (WatchlistTable.name($0.alias), $0.rows) })
    }

    /// The functions' declarations by name, for binding.
    package var functionDeclarations: [String: FunctionDeclaration] {
        Dictionary(functions.map { ($0.name, $0.declaration) }) { _, new in new }
    }

    private static func attempt(_ problems: inout [ContentProblem], _ body: () throws -> Void) {
        do { try body() } catch let problem as ContentProblem { problems.append(problem) } catch {
            problems.append(ContentProblem("content", "\(error)"))
        }
    }

    private static func files(in folder: String, ext: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix("." + ext) }.sorted().map { folder + "/" + $0 }
    }

    static func text(_ file: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ContentProblem(file, "cannot be read")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
