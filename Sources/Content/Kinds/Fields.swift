import KQL
import Yams

/// A YAML mapping, read with messages that name the file, the line and the field.
package struct Fields {
    let node: Node
    let file: String
    let path: String

    init(node: Node, file: String, path: String) {
        self.node = node
        self.file = file
        self.path = path
    }

    /// Reads a YAML file whose outermost value is a mapping.
    ///
    /// - Throws: `ContentProblem`.
    package init(file: String) throws {
        do {
            guard let node = try Yams.compose(yaml: try ContentLibrary.text(file)) else {
                throw ContentProblem(file, "is empty")
            }
            self.init(node: node, file: file, path: "")
        } catch let error as YamlError {
            throw ContentProblem(file, "is not valid YAML: \(error)")
        }
    }

    private func problem(_ message: String) -> ContentProblem {
        let line = node.mark.map { ":\($0.line):\($0.column)" } ?? ""
        return ContentProblem(file + line, message)
    }

    private subscript(_ name: String) -> Node? { node.mapping?[name] }

    package func optionalString(_ name: String) throws -> String? {
        guard let value = self[name] else { return nil }
        guard let s = value.scalar?.string else { throw problem("'\(path)\(name)' must be text") }
        return s
    }

    package func string(_ name: String) throws -> String {
        guard let s = try optionalString(name) else { throw problem("'\(path)\(name)' is missing") }
        return s
    }

    package func optionalInt(_ name: String) throws -> Int? {
        guard let s = try optionalString(name) else { return nil }
        guard let n = Int(s) else { throw problem("'\(path)\(name)' must be a whole number, not \"\(s.prefix(40))\"") }
        return n
    }

    package func optionalBool(_ name: String) throws -> Bool? {
        guard let value = self[name] else { return nil }
        guard let flag = value.bool else { throw problem("'\(path)\(name)' must be true or false") }
        return flag
    }

    package func strings(_ name: String) throws -> [String] {
        guard let value = self[name] else { return [] }
        guard let list = value.sequence else { throw problem("'\(path)\(name)' must be a list") }
        return try list.map { item in
            guard let s = item.scalar?.string else { throw problem("'\(path)\(name)' must be a list of texts") }
            return s
        }
    }

    package func list(_ name: String) throws -> [Fields] {
        guard let value = self[name] else { return [] }
        guard let list = value.sequence else { throw problem("'\(path)\(name)' must be a list") }
        return list.enumerated().map { Fields(node: $1, file: file, path: "\(path)\(name)[\($0)].") }
    }

    package func optionalFields(_ name: String) throws -> Fields? {
        guard let value = self[name] else { return nil }
        guard value.mapping != nil else { throw problem("'\(path)\(name)' must be a mapping") }
        return Fields(node: value, file: file, path: "\(path)\(name).")
    }

    package func texts(_ name: String) throws -> [(String, String)] {
        guard let value = self[name] else { return [] }
        guard let mapping = value.mapping else { throw problem("'\(path)\(name)' must be a mapping") }
        return try mapping.map { k, v in
            guard let key = k.scalar?.string, let text = v.scalar?.string else {
                throw problem("'\(path)\(name)' must map texts to texts")
            }
            return (key, text)
        }
    }

    /// Fails on keys that nobody reads: most often a slip of the pen.
    package func only(_ allowed: Set<String>) throws {
        guard let mapping = node.mapping else { throw problem("a mapping is expected") }
        for (key, _) in mapping {
            let name = key.scalar?.string ?? "?"
            if !allowed.contains(name) {
                let hint = NearMiss.find(name, in: allowed.sorted()).map { "; did you mean '\($0)'?" } ?? ""
                throw problem("unknown field '\(path)\(name)'\(hint)")
            }
        }
    }

    package func fail(_ message: String) -> ContentProblem { problem(message) }
}
