import Foundation
import KQL
import Tables
import Yams

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

    /// Reads a folder. Later folders overlay earlier ones: the same id replaces, a new one adds.
    ///
    /// - Returns: the library, and the files that were left out with the reason.
    package static func load(folders: [String]) -> (library: ContentLibrary, problems: [ContentProblem]) {
        var library = ContentLibrary(folder: folders.first ?? "Content")
        var problems: [ContentProblem] = []
        for folder in folders {
            for file in files(in: folder + "/Tables", ext: "yaml") {
                attempt(&problems) {
                    let t = try TableDefinition(yaml: try yaml(file), file: file)
                    library.tables[t.name] = t
                }
            }
            for file in files(in: folder + "/Sources", ext: "yaml") {
                attempt(&problems) {
                    let s = try SourceDefinition(yaml: try yaml(file), file: file)
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
            for file in files(in: folder + "/Workbooks", ext: "workbook") {
                attempt(&problems) {
                    let w = try WorkbookFile(json: try text(file), file: file)
                    library.workbooks.removeAll { $0.id == w.id }
                    library.workbooks.append(w)
                }
            }
        }
        library.sources.sort { $0.id < $1.id }
        library.functions.sort { $0.name < $1.name }
        library.workbooks.sort { $0.id < $1.id }
        return (library, problems)
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

    private static func text(_ file: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: file) else { throw ContentProblem(file, "cannot be read") }
        return String(decoding: data, as: UTF8.self)
    }

    private static func yaml(_ file: String) throws -> Fields {
        do {
            guard let node = try Yams.compose(yaml: try text(file)) else { throw ContentProblem(file, "is empty") }
            return Fields(node: node, file: file, path: "")
        } catch let error as YamlError {
            throw ContentProblem(file, "is not valid YAML: \(error)")
        }
    }
}

/// A YAML mapping, read with messages that name the file, the line and the field.
package struct Fields {
    let node: Node
    let file: String
    let path: String

    private func problem(_ message: String) -> ContentProblem {
        let line = node.mark.map { ":\($0.line):\($0.column)" } ?? ""
        return ContentProblem(file + line, message)
    }

    private subscript(_ name: String) -> Node? { node.mapping?[name] }

    func optionalString(_ name: String) throws -> String? {
        guard let value = self[name] else { return nil }
        guard let s = value.scalar?.string else { throw problem("'\(path)\(name)' must be text") }
        return s
    }

    func string(_ name: String) throws -> String {
        guard let s = try optionalString(name) else { throw problem("'\(path)\(name)' is missing") }
        return s
    }

    func optionalInt(_ name: String) throws -> Int? {
        guard let s = try optionalString(name) else { return nil }
        guard let n = Int(s) else { throw problem("'\(path)\(name)' must be a whole number, not \"\(s.prefix(40))\"") }
        return n
    }

    func strings(_ name: String) throws -> [String] {
        guard let value = self[name] else { return [] }
        guard let list = value.sequence else { throw problem("'\(path)\(name)' must be a list") }
        return try list.map { item in
            guard let s = item.scalar?.string else { throw problem("'\(path)\(name)' must be a list of texts") }
            return s
        }
    }

    func list(_ name: String) throws -> [Fields] {
        guard let value = self[name] else { return [] }
        guard let list = value.sequence else { throw problem("'\(path)\(name)' must be a list") }
        return list.enumerated().map { Fields(node: $1, file: file, path: "\(path)\(name)[\($0)].") }
    }

    func optionalFields(_ name: String) throws -> Fields? {
        guard let value = self[name] else { return nil }
        guard value.mapping != nil else { throw problem("'\(path)\(name)' must be a mapping") }
        return Fields(node: value, file: file, path: "\(path)\(name).")
    }

    func texts(_ name: String) throws -> [(String, String)] {
        guard let value = self[name] else { return [] }
        guard let mapping = value.mapping else { throw problem("'\(path)\(name)' must be a mapping") }
        return try mapping.map { k, v in
            guard let key = k.scalar?.string, let text = v.scalar?.string else { throw problem("'\(path)\(name)' must map texts to texts") }
            return (key, text)
        }
    }

    /// Fails on keys that nobody reads: most often a slip of the pen.
    func only(_ allowed: Set<String>) throws {
        guard let mapping = node.mapping else { throw problem("a mapping is expected") }
        for (key, _) in mapping {
            let name = key.scalar?.string ?? "?"
            if !allowed.contains(name) {
                let hint = NearMiss.find(name, in: allowed.sorted()).map { "; did you mean '\($0)'?" } ?? ""
                throw problem("unknown field '\(path)\(name)'\(hint)")
            }
        }
    }

    func fail(_ message: String) -> ContentProblem { problem(message) }
}
