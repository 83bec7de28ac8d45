import Tables

/// What bundles of STIX 2.1 have in common (https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html).
enum Stix {
    /// An id that the same object has always.
    static func id(_ type: String, _ text: String) -> String { "\(type)--\(uuid(type + text))" }

    /// A UUID of version 5's form over a digest, so that a second export names the same things the same way.
    static func uuid(_ text: String) -> String {
        let hex = Array(Digest.hex(text))
        func part(_ range: Range<Int>) -> String { String(hex[range]) }
        return "\(part(0..<8))-\(part(8..<12))-5\(part(13..<16))-8\(part(17..<20))-\(part(20..<32))"
    }

    /// A time in milliseconds, as STIX writes it.
    static func time(_ ticks: Int64) -> String { String(DateTime.format(ticks).prefix(23)) + "Z" }

    /// Members that every object begins with.
    static func object(_ type: String, _ name: String, _ file: CaseStory) -> JSON.Members {
        [
            "type": .string(type), "spec_version": "2.1", "id": .string(id(type, name)),
            "created": .string(time(file.opened)), "modified": .string(time(file.opened)),
        ]
    }

    /// Who says all this.
    static func author(_ story: CaseStory) -> JSON {
        var members = object("identity", "vestige", story)
        members["name"] = "Vestige"
        members["identity_class"] = "system"
        return .object(members)
    }

    static func authorID() -> JSON { .string(id("identity", "vestige")) }

    /// A note on what is not in the bundle; nil when all is.
    static func note(_ story: CaseStory, _ leftOut: [CaseExport.Reason: Int], about object: JSON) -> JSON? {
        guard let omission = CaseExport.omission(leftOut) else { return nil }
        var members = Self.object("note", story.name + omission, story)
        members["abstract"] = "What this export left out"
        members["content"] = .string(omission)
        members["created_by_ref"] = authorID()
        members["object_refs"] = .array([object])
        return .object(members)
    }

    static func bundle(_ name: String, _ objects: [JSON]) -> String {
        let bundle: JSON = [
            "type": "bundle", "id": .string(id("bundle", name)), "objects": .array(objects),
        ]
        return bundle.text + "\n"
    }
}
