import KQL
import Yams

/// What a source's file says once for several sources, written out: `for_each` and `extends`.
///
/// It is done on the YAML, before anything reads it as a source: a file with `for_each` stands for as many sources as
/// the list has entries, and `extends` takes over the keys of another source that the file does not have itself.
///
/// ```yaml
/// for_each:
///   - {platform: macos, condition: 'OSPlatform == "macOS"', parts: 2}
///   - {platform: linux, condition: 'OSPlatform == "Linux"', parts: 2}
/// id: mde-${platform}-health
/// partitions: ${parts}
/// ```
struct SourceExpansion {
    private static let forEach = "for_each"
    private static let extends = "extends"
    private static let idKey = "id"

    /// The keys of every source that was read, by its id: of later folders, the later ones.
    private var known: [String: Node.Mapping] = [:]

    /// The sources of one folder, in the order of its files, with those whose files cannot be used.
    ///
    /// A source may extend one of an earlier folder, also of its own id, or one of the same folder.
    mutating func expand(_ files: [(file: String, yaml: Fields)]) -> [Result<Fields, ContentProblem>] {
        let earlier = known
        var written: [(file: String, node: Node.Mapping)] = []
        var out: [Result<Fields, ContentProblem>] = []
        for (file, yaml) in files {
            do throws(ContentProblem) {
                for node in try Self.each(yaml) { written.append((file, node)) }
            } catch { out.append(.failure(error)) }
        }
        var here: [String: Node.Mapping] = [:]
        for (_, node) in written { if let id = Self.id(of: node) { here[id] = node } }
        for (file, node) in written {
            do throws(ContentProblem) {
                let whole = try Self.whole(node, file, here: here, earlier: earlier)
                if let id = Self.id(of: whole) { known[id] = whole }
                out.append(.success(Fields(node: .mapping(whole), file: file, path: "")))
            } catch { out.append(.failure(error)) }
        }
        return out
    }

    private static func id(of node: Node.Mapping) -> String? { node[Node(idKey)]?.scalar?.string }

    // MARK: for_each

    /// A file's sources: one, or one for each entry of its list.
    private static func each(_ yaml: Fields) throws(ContentProblem) -> [Node.Mapping] {
        guard let mapping = yaml.node.mapping else { throw yaml.fail("a mapping is expected") }
        guard let list = mapping[Node(forEach)] else { return [mapping] }
        let body = Node.Mapping(
            mapping.filter { $0.key.scalar?.string != forEach }.map { ($0.key, $0.value) }, mapping.tag, .any,
            mapping.mark)
        guard let entries = list.sequence, !entries.isEmpty else {
            throw yaml.fail("'\(forEach)' must be a list of mappings, one for each source")
        }
        var out: [Node.Mapping] = []
        for entry in entries {
            guard let variables = entry.mapping else {
                throw yaml.fail("'\(forEach)' must be a list of mappings, one for each source")
            }
            var values: [String: Node] = [:]
            for (key, value) in variables {
                guard let name = key.scalar?.string else { throw yaml.fail("'\(forEach)' has a key that is no text") }
                values[name] = value
            }
            var used: Set<String> = []
            guard let source = try filled(.mapping(body), values, yaml, &used).mapping else { continue }
            if let unused = values.keys.sorted().first(where: { !used.contains($0) }) {
                throw yaml.fail("'\(forEach)' gives '\(unused)', but ${\(unused)} stands nowhere in the file")
            }
            out.append(source)
        }
        return out
    }

    /// A node with the variables in its texts filled in; a text that is one variable alone becomes what it stands for.
    private static func filled(
        _ node: Node, _ values: [String: Node], _ yaml: Fields, _ used: inout Set<String>
    ) throws(ContentProblem) -> Node {
        switch node {
        case .scalar(let scalar):
            return try filled(scalar, values, yaml, &used)
        case .sequence(let sequence):
            var items: [Node] = []
            for item in sequence { items.append(try filled(item, values, yaml, &used)) }
            return .sequence(Node.Sequence(items, sequence.tag, sequence.style, sequence.mark))
        case .mapping(let mapping):
            var pairs: [(Node, Node)] = []
            for (key, value) in mapping {
                pairs.append((try filled(key, values, yaml, &used), try filled(value, values, yaml, &used)))
            }
            return .mapping(Node.Mapping(pairs, mapping.tag, mapping.style, mapping.mark))
        case .alias: return node
        }
    }

    private static func filled(
        _ scalar: Node.Scalar, _ values: [String: Node], _ yaml: Fields, _ used: inout Set<String>
    ) throws(ContentProblem) -> Node {
        var text = scalar.string
        var rest = text.startIndex
        while let start = text[rest...].firstRange(of: "${") {
            guard let end = text[start.upperBound...].firstIndex(of: "}") else { break }
            let name = String(text[start.upperBound..<end])
            guard let value = values[name] else {
                let hint = NearMiss.find(name, in: values.keys.sorted()).map { "; did you mean '\($0)'?" } ?? ""
                throw yaml.fail("'\(forEach)' gives no '\(name)' for ${\(name)}\(hint)")
            }
            used.insert(name)
            if start.lowerBound == text.startIndex, text.index(after: end) == text.endIndex { return value }
            guard let part = value.scalar?.string else {
                throw yaml.fail("${\(name)} is no text, so that it cannot stand inside one")
            }
            let before = String(text[..<start.lowerBound]) + part
            text = before + String(text[text.index(after: end)...])
            // What a value holds is not filled in again.
            rest = text.utf8.index(text.startIndex, offsetBy: before.utf8.count)
        }
        return .scalar(Node.Scalar(text, scalar.tag, scalar.style, scalar.mark))
    }

    // MARK: extends

    /// A source with the keys that it takes over from another.
    private static func whole(
        _ node: Node.Mapping, _ file: String, here: [String: Node.Mapping], earlier: [String: Node.Mapping]
    ) throws(ContentProblem) -> Node.Mapping {
        var keys = node
        var seen: Set<String> = id(of: node).map { [$0] } ?? []
        var base = keys[Node(extends)]
        while let name = base {
            guard let other = name.scalar?.string else {
                throw ContentProblem(file, "'\(extends)' must be the id of a source")
            }
            // A source of an overlay may extend the one that it replaces.
            let isOwn = other == id(of: node) && seen.count == 1
            guard let found = isOwn ? earlier[other] : here[other] ?? earlier[other] else {
                let ids = Set(here.keys).union(earlier.keys).sorted()
                let hint = NearMiss.find(other, in: ids).map { "; did you mean '\($0)'?" } ?? ""
                throw ContentProblem(file, "'\(extends)' names '\(other)', which is no source\(hint)")
            }
            guard isOwn || seen.insert(other).inserted else {
                throw ContentProblem(file, "'\(extends)' goes in a circle: '\(other)' extends itself")
            }
            for (key, value) in found where keys[key] == nil { keys[key] = value }
            base = found[Node(extends)]
            if isOwn { break }
        }
        return Node.Mapping(
            keys.filter { $0.key.scalar?.string != extends }.map { ($0.key, $0.value) }, keys.tag, .any, keys.mark)
    }
}
