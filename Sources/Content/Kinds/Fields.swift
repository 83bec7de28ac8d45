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
            guard let node = try Yams.compose(yaml: try ContentText.read(file)) else {
                throw ContentProblem(file, "is empty")
            }
            self.init(node: node, file: file, path: "")
        } catch let error as YamlError {
            throw ContentProblem(file, "is not valid YAML: \(error)")
        }
    }

    /// A problem at the place of a value, or at that of the mapping when it has none.
    private func problem(_ message: String, at value: Node? = nil) -> ContentProblem {
        ContentProblem(place(of: value ?? node), message)
    }

    private func place(of node: Node) -> String {
        file + ((node.mark ?? self.node.mark).map { ":\($0.line):\($0.column)" } ?? "")
    }

    /// File, line and column of a field's value; of the mapping when the field is not there.
    package func place(of name: String) -> String { place(of: self[name] ?? node) }

    private subscript(_ name: String) -> Node? { node.mapping?[name] }

    package func optionalString(_ name: String) throws -> String? {
        guard let value = self[name] else { return nil }
        guard let s = value.scalar?.string else { throw problem("'\(path)\(name)' must be text", at: value) }
        return s
    }

    package func string(_ name: String) throws -> String {
        guard let s = try optionalString(name) else { throw problem("'\(path)\(name)' is missing") }
        return s
    }

    package func optionalInt(_ name: String) throws -> Int? {
        guard let s = try optionalString(name) else { return nil }
        guard let n = Int(s) else {
            throw fail("'\(path)\(name)' must be a whole number, not \"\(s.prefix(40))\"", at: name)
        }
        return n
    }

    package func optionalBool(_ name: String) throws -> Bool? {
        guard let value = self[name] else { return nil }
        guard let flag = value.bool else { throw problem("'\(path)\(name)' must be true or false", at: value) }
        return flag
    }

    package func strings(_ name: String) throws -> [String] {
        guard let value = self[name] else { return [] }
        guard let list = value.sequence else { throw problem("'\(path)\(name)' must be a list", at: value) }
        return try list.map { item in
            guard let s = item.scalar?.string else {
                throw problem("'\(path)\(name)' must be a list of texts", at: item)
            }
            return s
        }
    }

    package func list(_ name: String) throws -> [Fields] {
        guard let value = self[name] else { return [] }
        guard let list = value.sequence else { throw problem("'\(path)\(name)' must be a list", at: value) }
        return list.enumerated().map { Fields(node: $1, file: file, path: "\(path)\(name)[\($0)].") }
    }

    package func optionalFields(_ name: String) throws -> Fields? {
        guard let value = self[name] else { return nil }
        guard value.mapping != nil else { throw problem("'\(path)\(name)' must be a mapping", at: value) }
        return Fields(node: value, file: file, path: "\(path)\(name).")
    }

    package func texts(_ name: String) throws -> [(String, String)] {
        try placedTexts(name).map { ($0.name, $0.text) }
    }

    /// A text under a name that is not known beforehand, with file, line and column of the name.
    package struct PlacedText: Sendable {
        package let name: String
        package let text: String
        package let place: String
    }

    package func placedTexts(_ name: String) throws -> [PlacedText] {
        guard let value = self[name] else { return [] }
        guard let mapping = value.mapping else { throw problem("'\(path)\(name)' must be a mapping", at: value) }
        return try mapping.map { k, v in
            guard let key = k.scalar?.string, let text = v.scalar?.string else {
                throw problem("'\(path)\(name)' must map texts to texts", at: v)
            }
            return PlacedText(name: key, text: text, place: place(of: k))
        }
    }

    /// The texts of a list, with file, line and column of each; their names are empty.
    package func placedStrings(_ name: String) throws -> [PlacedText] {
        let texts = try strings(name)
        return zip(texts, self[name]?.sequence ?? []).map { PlacedText(name: "", text: $0, place: place(of: $1)) }
    }

    /// Fails on keys that nobody reads: most often a slip of the pen.
    package func only(_ allowed: Set<String>) throws {
        guard let mapping = node.mapping else { throw problem("a mapping is expected") }
        for (key, _) in mapping {
            let name = key.scalar?.string ?? "?"
            if !allowed.contains(name) {
                let hint = NearMiss.find(name, in: allowed.sorted()).map { "; did you mean '\($0)'?" } ?? ""
                throw problem("unknown field '\(path)\(name)'\(hint)", at: key)
            }
        }
    }

    /// A problem with what is read.
    ///
    /// - Parameter name: the field whose value is wrong; nil for the mapping as a whole.
    package func fail(_ message: String, at name: String? = nil) -> ContentProblem {
        problem(message, at: name.flatMap { self[$0] })
    }

    /// What a field is called in messages: with the names of the mappings that it stands in.
    package func shown(_ name: String) -> String { path + name }

    package func has(_ name: String) -> Bool { self[name] != nil }

    /// Whether a field holds a single text, where a list may stand too.
    package func isText(_ name: String) -> Bool { self[name]?.scalar != nil }

    /// The names of a mapping's fields, as they are written.
    package var names: [String] { node.mapping?.keys.compactMap { $0.scalar?.string } ?? [] }
}
