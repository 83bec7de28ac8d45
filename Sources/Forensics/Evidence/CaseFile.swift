import Tables

/// One line of a case: a row, a claim, a summary, a note, a time stamp or an entry of the ledger, with what it is
/// called.
package struct CaseObject: Sendable {
    package enum Kind: String, Sendable { case row, claim, summary, note, stamp, ledger }

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
    /// What is there already, so that a case of many thousand objects is not searched for each.
    private var known: Set<String> = []
    private var entryCount = 0
    /// The digest of the last entry of the ledger; nil when there is none.
    private var lastHash: String?

    package init(id: String, opened: Int64) {
        self.id = id
        self.opened = opened
    }

    /// Takes objects as they were read, with their ledger.
    mutating func restore(_ read: [CaseObject]) {
        objects = read
        known = Set(read.map { Self.key($0.kind, $0.id) })
        let ledger = read.filter { $0.kind == .ledger }
        entryCount = ledger.count
        lastHash = ledger.last?.body["hash"]?.string
    }

    private static func key(_ kind: CaseObject.Kind, _ id: String) -> String { "\(kind.rawValue)\u{1F}\(id)" }

    package var claims: [CaseObject] { objects.filter { $0.kind == .claim } }

    /// The claims that this version of the program can read.
    package var statements: [Claim] { claims.compactMap { Claim($0.body) } }

    /// What people wrote, in order.
    package var notes: [CaseNote] { objects.filter { $0.kind == .note }.compactMap { CaseNote($0.body) } }

    /// What the last investigation said as a whole; nil in a case that was written before there were summaries.
    package var summary: CaseSummary? { objects.last { $0.kind == .summary }.flatMap { CaseSummary($0.body) } }

    /// The last word of people on each claim that they judged.
    package var judgements: [String: CaseNote] {
        var last: [String: CaseNote] = [:]
        for note in notes where note.status != nil { if let claim = note.claim { last[claim] = note } }
        return last
    }

    /// The digest of the last entry of the ledger; of the case's name when there is none.
    package var root: String { lastHash ?? Digest.hex(id) }

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
        guard known.insert(Self.key(kind, id)).inserted else { return false }
        objects.append(CaseObject(kind: kind, id: id, body: body))
        record(Digest.hex(body), now: now, actor: actor, action: "\(action) \(kind.rawValue) \(id)")
        return true
    }

    /// An entry of the ledger: h(n) = H(h(n-1), object, time, actor, action).
    private mutating func record(_ object: String, now: Int64, actor: String, action: String) {
        let time = DateTime.format(now)
        let before = root
        let hash = Digest.hex([before, object, time, actor, action].joined(separator: "\u{1F}"))
        entryCount += 1
        lastHash = hash
        let number = entryCount
        objects.append(
            CaseObject(
                kind: .ledger, id: "\(number)",
                body: [
                    "number": .integer(Int64(number)), "before": .string(before), "object": .string(object),
                    "time": .string(time), "actor": .string(actor), "action": .string(action), "hash": .string(hash),
                ]))
    }

    /// A person's word on a claim: it is kept beside the claim, which never goes.
    ///
    /// - Returns: whether there is such a claim.
    package mutating func judge(_ claim: String, _ status: Claim.Status, reason: String, now: Int64, actor: String)
        -> Bool
    {
        guard known.contains(Self.key(.claim, claim)) else { return false }
        write(
            CaseNote(claim: claim, status: status, text: reason, author: actor, time: now), action: status.rawValue)
        return true
    }

    /// A person's note on the whole case.
    package mutating func note(_ text: String, now: Int64, actor: String) {
        write(CaseNote(claim: nil, status: nil, text: text, author: actor, time: now), action: "write")
    }

    private mutating func write(_ note: CaseNote, action: String) {
        let body = note.json
        add(
            .note, id: String(Digest.hex(body).prefix(16)), body: body, now: note.time, actor: note.author,
            action: action)
    }

    /// Takes what an investigation found into this case; what is there already stays as it is.
    package mutating func take(_ other: CaseFile, now: Int64, actor: String) {
        for object in other.objects {
            let action: String? =
                switch object.kind {
                case .row: "take"
                case .claim, .summary: "state"
                case .note, .stamp, .ledger: nil
                }
            guard let action else { continue }
            add(object.kind, id: object.id, body: object.body, now: now, actor: actor, action: action)
        }
    }

    /// What people last said of a claim.
    package func status(of claim: String) -> Claim.Status { judgements[claim]?.status ?? .machine }

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
