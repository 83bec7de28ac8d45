import Tables

/// A case in the forms that other tools read. Each says what it left out.
package enum CaseExport {
    /// The forms, by the names that the command takes.
    package enum Form: String, CaseIterable, Sendable {
        /// The case itself, which proves itself.
        case evidence
        case timesketch, navigator, csv
        /// STIX 2.1 with the extension of Attack Flow.
        case attackFlow = "attack-flow"
    }

    /// The case's text in a form, and how many claims it leaves out.
    package static func text(_ file: CaseFile, as form: Form) -> (text: String, leftOut: Int) {
        let claims = file.claims.filter { file.status(of: $0.id) != .rejected }
        let rejected = file.claims.count - claims.count
        switch form {
        case .evidence: return (String(decoding: file.encoded(), as: UTF8.self), 0)
        case .timesketch: return (timesketch(claims), rejected)
        case .navigator: return (navigator(claims, file.id), rejected + claims.filter { techniques($0).isEmpty }.count)
        case .csv: return (csv(claims, file), rejected)
        case .attackFlow:
            let kinds = ["entry", "movement", "technique", "harm"]
            let drawn = claims.filter { kinds.contains($0.body["kind"]?.string ?? "") }
            return (attackFlow(drawn, file), file.claims.count - drawn.count)
        }
    }

    private static func member(_ claim: CaseObject, _ name: String) -> String { claim.body[name]?.string ?? "" }

    private static func techniques(_ claim: CaseObject) -> [String] {
        claim.body["techniques"]?.array?.compactMap(\.string).filter { !$0.isEmpty } ?? []
    }

    /// Lines for Timesketch: message, datetime, timestamp in microseconds, timestamp_desc
    /// (https://timesketch.org/guides/user/import-from-json-csv/).
    private static func timesketch(_ claims: [CaseObject]) -> String {
        claims.map { claim in
            let ticks = DateTime.parse(member(claim, "time")) ?? 0
            let line: JSON = [
                "message": .string(
                    "\(member(claim, "subject")): \(member(claim, "object")) \(member(claim, "because"))"),
                "datetime": .string(member(claim, "time")), "timestamp": .integer((ticks - DateTime.unixEpoch) / 10),
                "timestamp_desc": .string(member(claim, "kind")), "tag": .array([.string(member(claim, "kind"))]),
                "claim": .string(claim.id), "rows": claim.body["supports"] ?? .array([]),
            ]
            return line.text + "\n"
        }.joined()
    }

    /// A layer of ATT&CK Navigator, format 4.5.
    private static func navigator(_ claims: [CaseObject], _ name: String) -> String {
        var seen: [String: [String]] = [:]
        for claim in claims { for technique in techniques(claim) { seen[technique, default: []].append(claim.id) } }
        let layer: JSON = [
            "name": .string(name), "domain": "enterprise-attack",
            "versions": ["attack": "18", "navigator": "5.1.0", "layer": "4.5"],
            "techniques": .array(
                seen.sorted { $0.key < $1.key }.map { technique, ids in
                    [
                        "techniqueID": .string(technique), "score": .integer(Int64(ids.count)),
                        "comment": .string(ids.joined(separator: " ")), "enabled": true,
                    ]
                }),
            "gradient": ["colors": ["#ffffff", "#d03b3b"], "minValue": 0, "maxValue": 10],
        ]
        return layer.text + "\n"
    }

    private static func csv(_ claims: [CaseObject], _ file: CaseFile) -> String {
        func cell(_ text: String) -> String {
            // A cell that begins so would be worked out by a spreadsheet.
            let safe = text.first.map { "=+-@\t\r".contains($0) } == true ? "'" + text : text
            return "\"" + safe.replacing("\"", with: "\"\"") + "\""
        }
        let head = "claim,kind,time,subject,object,techniques,status,because,rows\r\n"
        return head
            + claims.map { claim in
                [
                    claim.id, member(claim, "kind"), member(claim, "time"), member(claim, "subject"),
                    member(claim, "object"),
                    techniques(claim).joined(separator: " "), file.status(of: claim.id).rawValue,
                    member(claim, "because"),
                    claim.body["supports"]?.array?.compactMap(\.string).joined(separator: " ") ?? "",
                ].map(cell).joined(separator: ",") + "\r\n"
            }.joined()
    }

    /// A bundle with the extension of Attack Flow 2 (https://center-for-threat-informed-defense.github.io/attack-flow/).
    private static func attackFlow(_ claims: [CaseObject], _ file: CaseFile) -> String {
        let extensionID = "extension-definition--fb9c968a-745b-4ade-9b25-c324172197f4"
        func id(_ kind: String, _ text: String) -> String {
            let hex = Array(Digest.hex(kind + text))
            func part(_ range: Range<Int>) -> String { String(hex[range]) }
            return "\(kind)--\(part(0..<8))-\(part(8..<12))-5\(part(13..<16))-8\(part(17..<20))-\(part(20..<32))"
        }
        let ordered = claims.sorted { (member($0, "time"), $0.id) < (member($1, "time"), $1.id) }
        let now = DateTime.format(file.opened)
        let kind: JSON = ["extension_type": "new-sdo"]
        let extensions = JSON.object(JSON.Members([(extensionID, kind)]))
        let actions = ordered.enumerated().map { i, claim -> JSON in
            var members: JSON.Members = [
                "type": "attack-action", "spec_version": "2.1", "id": .string(id("attack-action", claim.id)),
                "created": .string(now), "modified": .string(now),
                "name": .string("\(member(claim, "object")) on \(member(claim, "subject"))"),
                "execution_start": .string(member(claim, "time")), "description": .string(member(claim, "because")),
                "extensions": extensions,
            ]
            if let technique = techniques(claim).first { members["technique_id"] = .string(technique) }
            if i + 1 < ordered.count {
                members["effect_refs"] = .array([.string(id("attack-action", ordered[i + 1].id))])
            }
            return .object(members)
        }
        let flow: JSON = [
            "type": "attack-flow", "spec_version": "2.1", "id": .string(id("attack-flow", file.id)),
            "created": .string(now), "modified": .string(now), "name": .string(file.id), "scope": "incident",
            "start_refs": .array(ordered.prefix(1).map { .string(id("attack-action", $0.id)) }),
            "extensions": extensions,
        ]
        let bundle: JSON = [
            "type": "bundle", "id": .string(id("bundle", file.id)), "objects": .array([flow] + actions),
        ]
        return bundle.text + "\n"
    }
}
