import Tables

/// What is wrong with a case's file, and in which object.
package struct CaseDamage: Sendable, Equatable {
    /// "header", "list", or the kind and name of an object.
    package let object: String
    package let what: String
}

/// Reads a case's file and compares all of it with its digests. Nothing but the file is needed.
package enum CaseVerifier {
    /// - Returns: nil where the file is no case at all, else what is damaged; nothing when all is as it was written.
    package static func verify(_ bytes: [UInt8]) -> [CaseDamage] { read(bytes).damage }

    /// The case with what is damaged in its file.
    package static func read(_ bytes: [UInt8]) -> (file: CaseFile?, damage: [CaseDamage]) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
        guard lines.count >= 3 else {
            return (nil, [CaseDamage(object: "header", what: "the file is too short for a case")])
        }
        var damage: [CaseDamage] = []
        if lines.removeLast() != [] {
            damage.append(CaseDamage(object: "list", what: "the file does not end with its last line"))
        }
        let head = lines.removeFirst()
        let last = lines.removeLast()
        let header = try? JSON(parsing: head)
        guard let list = try? JSON(parsing: last), Digest.canonical(list).bytes == last,
            let entries = list["lines"]?.array,
            list["self"]?.string
                == Digest.hex([
                    "kind": "list", "id": list["id"] ?? .null, "opened": list["opened"] ?? .null,
                    "lines": .array(entries), "root": list["root"] ?? .null,
                ])
        else {
            return (nil, damage + [CaseDamage(object: "list", what: "its digest does not match")])
        }
        if header.map({ Digest.canonical($0).bytes == head }) != true || header?["list"]?.string != Digest.hex(last)
            || header?["kind"]?.string != "case" || header?["format"]?.integer != 1
            || header?["id"]?.string != list["id"]?.string || header?["opened"]?.string != list["opened"]?.string
        {
            damage.append(CaseDamage(object: "header", what: "it does not match the list"))
        }
        if lines.count != entries.count {
            damage.append(
                CaseDamage(object: "list", what: "\(entries.count) objects are listed, \(lines.count) are there"))
        }
        // Where the header is damaged, the list says the same again, and its digest is right.
        guard let id = list["id"]?.string, let opened = list["opened"]?.string.flatMap({ DateTime.parse($0) }) else {
            return (nil, damage + [CaseDamage(object: "list", what: "it names no case, or not when it was opened")])
        }
        var objects: [CaseObject] = []
        for (entry, line) in zip(entries, lines) {
            let kind = entry[0]?.string ?? "?"
            let name = entry[1]?.string ?? "?"
            guard entry[2]?.string == Digest.hex(line), let json = try? JSON(parsing: line), let body = json["body"],
                let known = CaseObject.Kind(rawValue: kind)
            else {
                damage.append(CaseDamage(object: "\(kind) \(name)", what: "its digest does not match"))
                continue
            }
            objects.append(CaseObject(kind: known, id: name, body: body))
        }
        // A damaged entry is named already; what follows from it says nothing more.
        if damage.isEmpty { damage = chain(objects, root: list["root"]?.string) }
        if damage.isEmpty, let first = objects.first(where: { $0.kind == .ledger }),
            first.body["before"]?.string != Digest.hex(id)
        {
            damage = [CaseDamage(object: "header", what: "the ledger does not begin with this case's name")]
        }
        if damage.isEmpty { damage = CaseFile.damage(inStampsOf: objects, name: id) }
        return (CaseFile(id: id, opened: opened, objects: objects), damage)
    }

    /// Whether each entry of the ledger follows from the one before.
    private static func chain(_ objects: [CaseObject], root: String?) -> [CaseDamage] {
        var before: String?
        for object in objects where object.kind == .ledger {
            let parts = ["before", "object", "time", "actor", "action"].map { object.body[$0]?.string ?? "" }
            let follows = before == nil || before == object.body["before"]?.string
            guard follows, Digest.hex(parts.joined(separator: "\u{1F}")) == object.body["hash"]?.string else {
                return [CaseDamage(object: "ledger \(object.id)", what: "it does not follow from the entry before")]
            }
            before = object.body["hash"]?.string
        }
        if let root, let before, root != before { return [CaseDamage(object: "list", what: "it names another root")] }
        return []
    }
}

extension CaseFile {
    init(id: String, opened: Int64, objects: [CaseObject]) {
        self.init(id: id, opened: opened)
        restore(objects)
    }
}
