import Tables

/// A statement of a case with the rows that prove it. Nothing is claimed without a row.
package struct Claim: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable { case entry, movement, technique, cause, harm, prevented }
    package enum Status: String, Sendable, CaseIterable { case machine, confirmed, rejected }

    /// What a claim says beyond its subject and object, by name.
    package enum Fact: String, Sendable, CaseIterable {
        /// What is missing: a class of controls.
        case gap = "class"
        case proof
        /// The state of the control as the row shows it, and when that was observed, in which table.
        case state, observed
        case stateTable = "table"
        /// As whom somebody moved.
        case account
        /// The name of a hunt, and its version.
        case title, version
    }

    /// Of kind, subject, object, technique and time: a second run makes the same.
    package let id: String
    package let kind: Kind
    package let subject: String
    package let object: String
    package let techniques: [String]
    /// Ticks.
    package let time: Int64
    package let because: String
    /// Digests of rows.
    package let supports: [String]
    package let facts: [Fact: String]

    package init(
        _ kind: Kind, subject: String, object: String, techniques: [String], time: Int64, because: String,
        supports: [String], facts: [Fact: String] = [:]
    ) {
        self.kind = kind
        self.subject = subject
        self.object = object
        self.techniques = techniques.filter { !$0.isEmpty }
        self.time = time
        self.because = because
        self.supports = supports
        self.facts = facts.filter { !$0.value.isEmpty }
        let parts = [kind.rawValue, subject, object, self.techniques.joined(separator: ","), DateTime.format(time)]
        id = String(Digest.hex(parts.joined(separator: "\u{1F}")).prefix(16))
    }

    /// A claim as it was written; nil for what a later version of the program may have written, which this one cannot
    /// judge.
    package init?(_ json: JSON) {
        guard let id = json["id"]?.string, let kind = json["kind"]?.string.flatMap({ Kind(rawValue: $0) }),
            let subject = json["subject"]?.string, let object = json["object"]?.string,
            let time = json["time"]?.string.flatMap({ DateTime.parse($0) }), let because = json["because"]?.string,
            let supports = json["supports"]?.array?.compactMap(\.string), !supports.isEmpty,
            let techniques = json["techniques"]?.array?.compactMap(\.string)
        else { return nil }
        self.id = id
        self.kind = kind
        self.subject = subject
        self.object = object
        self.techniques = techniques.filter { !$0.isEmpty }
        self.time = time
        self.because = because
        self.supports = supports
        facts = Dictionary(
            uniqueKeysWithValues: Fact.allCases.compactMap { fact in
                json["facts"]?[fact.rawValue]?.string.map { (fact, $0) }
            })
    }

    package var json: JSON {
        let told = facts.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key.rawValue, JSON.string($0.value)) }
        return [
            "id": .string(id), "kind": .string(kind.rawValue), "subject": .string(subject), "object": .string(object),
            "techniques": .array(techniques.map { .string($0) }), "time": .string(DateTime.format(time)),
            "because": .string(because), "supports": .array(supports.map { .string($0) }),
            "facts": .object(JSON.Members(told)),
        ]
    }
}

/// What a person said of a claim, or in a case.
package struct CaseNote: Sendable, Equatable {
    /// The claim that it is about; nil for a note on the whole case.
    package let claim: String?
    package let status: Claim.Status?
    package let text: String
    package let author: String
    /// Ticks.
    package let time: Int64

    package init(claim: String?, status: Claim.Status?, text: String, author: String, time: Int64) {
        self.claim = claim
        self.status = status
        self.text = text
        self.author = author
        self.time = time
    }

    init?(_ json: JSON) {
        guard let text = json["text"]?.string, let author = json["author"]?.string,
            let time = json["time"]?.string.flatMap({ DateTime.parse($0) })
        else { return nil }
        self.init(
            claim: json["claim"]?.string, status: json["status"]?.string.flatMap { Claim.Status(rawValue: $0) },
            text: text, author: author, time: time)
    }

    var json: JSON {
        var members: JSON.Members = [
            "text": .string(text), "author": .string(author), "time": .string(DateTime.format(time)),
        ]
        if let claim { members["claim"] = .string(claim) }
        if let status { members["status"] = .string(status.rawValue) }
        return .object(members)
    }
}
