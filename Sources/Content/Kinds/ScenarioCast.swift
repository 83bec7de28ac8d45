import Tables

/// The devices of a scenario, IT and plant.
struct ScenarioCast {
    struct Member {
        let id: String
        let name: String
        let address: String
        /// Whether Defender's agent runs on it.
        let hasAgent: Bool
    }

    let members: [String: Member]
    let devices: [JSON]
    let plant: [JSON]
    /// Settings that change, by device; the steps tell them.
    var turns: [String: [JSON]] = [:]

    /// As an investigation shows them.
    var names: [String: String] { members.mapValues(\.name) }
    var places: [String] { members.values.flatMap { [$0.name, $0.address] } }

    init(_ yaml: Fields) throws {
        var members: [String: Member] = [:]
        func enter(_ fields: Fields, hasAgent: Bool) throws -> Member {
            let member = Member(
                id: try fields.string("id"), name: try fields.string("name"), address: try fields.string("address"),
                hasAgent: hasAgent)
            guard members.updateValue(member, forKey: member.id) == nil else {
                throw fields.fail("'\(member.id)' is there twice", at: "id")
            }
            return member
        }
        devices = try yaml.list("devices").map { fields in
            try fields.only([
                "id", "name", "platform", "address", "user", "exposed", "off", "cves", "policies", "signatureAgeDays",
            ])
            let member = try enter(fields, hasAgent: true)
            return [
                "id": .string(member.id), "name": .string(member.name), "address": .string(member.address),
                "platform": .string(try fields.string("platform")), "user": .string(try fields.string("user")),
                "isExposed": .bool(try fields.optionalBool("exposed") ?? false),
                "off": Self.texts(try fields.strings("off")),
                "vulnerabilities": Self.texts(try fields.strings("cves")),
                "signatureAgeDays": .integer(Int64(try fields.optionalInt("signatureAgeDays") ?? 0)),
                "policies": .array(
                    try fields.list("policies").map { policy in
                        try policy.only(["source", "complies"])
                        return [
                            "source": .string(try policy.string("source")),
                            "complies": .bool(try policy.optionalBool("complies") ?? true),
                        ]
                    }),
            ]
        }
        plant = try yaml.list("plant").map { fields in
            try fields.only(["id", "name", "type", "vendor", "address", "protocols", "model", "firmware"])
            let member = try enter(fields, hasAgent: false)
            var known: JSON.Members = [
                "id": .string(member.id), "name": .string(member.name), "address": .string(member.address),
                "type": .string(try fields.string("type")), "protocols": Self.texts(try fields.strings("protocols")),
            ]
            for key in ["vendor", "model", "firmware"] {
                if let text = try fields.optionalString(key) { known[key] = .string(text) }
            }
            return .object(known)
        }
        self.members = members
    }

    private static func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }

    func member(_ fields: Fields, _ key: String = "device") throws -> Member {
        let name = try fields.string(key)
        guard let member = members[name] else { throw fields.fail("there is no device '\(name)'", at: key) }
        return member
    }

    /// A text with the names and addresses of devices, and the number of a repetition, in their places.
    func filled(_ text: String, number: Int, _ fields: Fields) throws -> String {
        guard text.contains("{") else { return text }
        var out = text.replacing("{n}", with: String(number))
        for match in text.matches(of: /\{([a-z0-9-]+)\.(name|address)\}/) {
            guard let member = members[String(match.1)] else {
                throw fields.fail("'\(match.0)' stands for no device of the scenario")
            }
            out = out.replacing(match.0, with: match.2 == "name" ? member.name : member.address)
        }
        return out
    }

    /// The devices with their changing settings.
    var told: [JSON] {
        devices.map { device in
            guard var known = device.members, let id = device["id"]?.string else { return device }
            known["turns"] = .array(turns[id] ?? [])
            return .object(known)
        }
    }
}
