import Tables

/// A statement of a case with the rows that prove it. Nothing is claimed without a row.
package struct Claim: Sendable {
    package enum Kind: String, Sendable { case entry, movement, technique, cause, harm, prevented }
    package enum Status: String, Sendable { case machine, confirmed, rejected }

    /// Of kind, subject, object, technique and time: a second run makes the same.
    package let id: String
    package let kind: Kind
    package let subject: String
    package let object: String
    package let techniques: [String]
    package let time: Int64
    package let because: String
    /// Digests of rows.
    package let supports: [String]

    package init(
        _ kind: Kind, subject: String, object: String, techniques: [String], time: Int64, because: String,
        supports: [String]
    ) {
        self.kind = kind
        self.subject = subject
        self.object = object
        self.techniques = techniques
        self.time = time
        self.because = because
        self.supports = supports
        let parts = [kind.rawValue, subject, object, techniques.joined(separator: ","), DateTime.format(time)]
        id = String(Digest.hex(parts.joined(separator: "\u{1F}")).prefix(16))
    }

    package var json: JSON {
        [
            "id": .string(id), "kind": .string(kind.rawValue), "subject": .string(subject), "object": .string(object),
            "techniques": .array(techniques.map { .string($0) }), "time": .string(DateTime.format(time)),
            "because": .string(because), "supports": .array(supports.map { .string($0) }),
        ]
    }
}

/// One line of a case: a row, a claim, a note or an entry of the ledger, with what it is called.
package struct CaseObject: Sendable {
    package enum Kind: String, Sendable { case row, claim, note, ledger }

    package let kind: Kind
    package let id: String
    package let body: JSON
}

/// A case: rows, claims and notes, and a ledger in which each change is chained to the one before.
///
/// The file holds one object a line, between a header and a list of all lines' digests: a change of one byte is found,
/// and the object is named in which it stands.
package struct CaseFile: Sendable {
    package let id: String
    package let opened: Int64
    package private(set) var objects: [CaseObject] = []

    package init(id: String, opened: Int64) {
        self.id = id
        self.opened = opened
    }

    /// Takes objects as they were read, with their ledger.
    mutating func restore(_ known: [CaseObject]) { objects = known }

    package var claims: [CaseObject] { objects.filter { $0.kind == .claim } }

    /// The digest of the last entry of the ledger; of the case's name when there is none.
    package var root: String {
        objects.last { $0.kind == .ledger }?.body["hash"]?.string ?? Digest.hex(id)
    }

    /// Adds an object once, and tells of it in the ledger.
    ///
    /// - Parameters:
    ///   - now: ticks.
    ///   - actor: who did it: a person, or the version of the program.
    /// - Returns: whether it was not there before.
    @discardableResult
    package mutating func add(
        _ kind: CaseObject.Kind, id: String, body: JSON, now: Int64, actor: String, action: String
    )
        -> Bool
    {
        guard !objects.contains(where: { $0.kind == kind && $0.id == id }) else { return false }
        objects.append(CaseObject(kind: kind, id: id, body: body))
        record(Digest.hex(body), now: now, actor: actor, action: "\(action) \(kind.rawValue) \(id)")
        return true
    }

    /// An entry of the ledger: h(n) = H(h(n-1), object, time, actor, action).
    private mutating func record(_ object: String, now: Int64, actor: String, action: String) {
        let time = DateTime.format(now)
        let before = root
        let hash = Digest.hex([before, object, time, actor, action].joined(separator: "\u{1F}"))
        let number = objects.filter { $0.kind == .ledger }.count + 1
        objects.append(
            CaseObject(
                kind: .ledger, id: "\(number)",
                body: [
                    "number": .integer(Int64(number)), "before": .string(before), "object": .string(object),
                    "time": .string(time), "actor": .string(actor), "action": .string(action), "hash": .string(hash),
                ]))
    }

    /// A person's word on a claim: it is kept beside the claim, which never goes.
    package mutating func judge(_ claim: String, _ status: Claim.Status, reason: String, now: Int64, actor: String)
        -> Bool
    {
        guard claims.contains(where: { $0.id == claim }) else { return false }
        let body: JSON = [
            "claim": .string(claim), "status": .string(status.rawValue), "text": .string(reason),
            "author": .string(actor),
            "time": .string(DateTime.format(now)),
        ]
        add(.note, id: String(Digest.hex(body).prefix(16)), body: body, now: now, actor: actor, action: status.rawValue)
        return true
    }

    /// What people last said of a claim.
    package func status(of claim: String) -> Claim.Status {
        let word = objects.last { $0.kind == .note && $0.body["claim"]?.string == claim }?.body["status"]?.string
        return word.flatMap { Claim.Status(rawValue: $0) } ?? .machine
    }

    /// The file's bytes.
    package func encoded() -> [UInt8] {
        var lines: [[UInt8]] = []
        var entries: [JSON] = []
        for object in objects {
            let line = Digest.canonical([
                "kind": .string(object.kind.rawValue), "id": .string(object.id), "body": object.body,
            ]).bytes
            lines.append(line)
            entries.append([.string(object.kind.rawValue), .string(object.id), .string(Digest.hex(line))])
        }
        // The first line names the digest of the last one, and the last one says again what the first one says.
        let (name, time) = (JSON.string(id), JSON.string(DateTime.format(opened)))
        let digest = Digest.hex([
            "kind": "list", "id": name, "opened": time, "lines": .array(entries), "root": .string(root),
        ])
        let last = Digest.canonical([
            "kind": "list", "id": name, "opened": time, "lines": .array(entries), "root": .string(root),
            "self": .string(digest),
        ]).bytes
        let head = Digest.canonical([
            "kind": "case", "format": 1, "id": name, "opened": time, "list": .string(Digest.hex(last)),
        ]).bytes
        return Array(([head] + lines + [last]).joined(separator: [UInt8(ascii: "\n")])) + [UInt8(ascii: "\n")]
    }
}
