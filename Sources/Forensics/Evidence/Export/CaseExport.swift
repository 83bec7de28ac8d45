import Tables

/// A case in the forms that other tools read. Each says what it left out.
package struct CaseExport: Sendable {
    /// The forms, by the names that the command and the pages take.
    package enum Form: String, CaseIterable, Sendable {
        /// The case itself, which proves itself.
        case evidence
        /// Claims, rows and notes for programs; the report for people.
        case json, html
        case timesketch, navigator, csv
        /// STIX 2.1 with the extension of Attack Flow, and the file of Attack Flow Builder, which keeps the edges.
        case attackFlow = "attack-flow"
        case afb
        /// Indicators.
        case stix, misp

        /// What people call it.
        package var title: String {
            switch self {
            case .evidence: "evidence file"
            case .json: "JSON"
            case .html: "report"
            case .timesketch: "Timesketch"
            case .navigator: "ATT&CK Navigator"
            case .csv: "CSV"
            case .attackFlow: "Attack Flow (STIX)"
            case .afb: "Attack Flow Builder"
            case .stix: "indicators (STIX)"
            case .misp: "indicators (MISP)"
            }
        }

        /// How the file's name ends.
        package var suffix: String {
            switch self {
            case .evidence: "case"
            case .json: "json"
            case .html: "html"
            case .timesketch: "timesketch.jsonl"
            case .navigator: "navigator.json"
            case .csv: "csv"
            case .attackFlow: "attack-flow.json"
            case .afb: "afb"
            case .stix: "stix.json"
            case .misp: "misp.json"
            }
        }
    }

    /// Why something of the case is not in a form.
    package enum Reason: String, CaseIterable, Sendable {
        case rejected = "claims that people rejected"
        case unread = "claims that this version cannot read"
        case noTechnique = "claims without a technique"
        case noAct = "claims that are no act of the intruder"
        case noIndicator = "claims whose rows hold no indicator"
        case ownAddress = "addresses and names of one's own network"
        case systemFile = "files of the system or of installed programs"
        case moreRows = "rows of claims beyond the first"
    }

    package struct File: Sendable {
        package let name: String
        package let text: String
    }

    /// One file, or those of a set.
    package let files: [File]
    package let leftOut: [Reason: Int]

    package init(_ files: [File], leftOut: [Reason: Int] = [:]) {
        self.files = files
        self.leftOut = leftOut.filter { $0.value > 0 }
    }

    /// What was left out, in words; nil when nothing was.
    package var omission: String? { Self.omission(leftOut) }

    static func omission(_ leftOut: [Reason: Int]) -> String? {
        let parts = Reason.allCases.compactMap { reason in
            leftOut[reason].flatMap { $0 > 0 ? "\($0) \(reason.rawValue)" : nil }
        }
        return parts.isEmpty ? nil : "left out: " + parts.joined(separator: "; ")
    }

    /// The case in a form.
    ///
    /// - Parameter html: draws the report.
    package static func make(_ file: CaseFile, as form: Form, html: (CaseFile) -> String) -> CaseExport {
        let story = CaseStory(file)
        var leftOut: [Reason: Int] = [
            .rejected: story.items.count - story.standing.count, .unread: story.unread,
        ]
        let name = "\(file.id).\(form.suffix)"
        func one(_ text: String) -> CaseExport { CaseExport([File(name: name, text: text)], leftOut: leftOut) }
        switch form {
        case .evidence: return CaseExport([File(name: name, text: String(decoding: file.encoded(), as: UTF8.self))])
        case .html: return CaseExport([File(name: name, text: html(file))], leftOut: [.unread: story.unread])
        case .json: return CaseExport([File(name: name, text: json(story, file))], leftOut: [.unread: story.unread])
        case .timesketch: return one(timesketch(story, leftOut))
        case .navigator:
            leftOut[.noTechnique] = story.standing.count { $0.claim.techniques.isEmpty }
            return one(navigator(story, leftOut))
        case .csv: return CaseTables(story).export(leftOut)
        case .attackFlow, .afb:
            let graph = AttackGraph(story)
            leftOut[.noAct] = graph.leftOut
            let text = form == .afb ? AttackFlowBuilder.text(graph, leftOut) : AttackFlow.text(graph, leftOut)
            return one(text)
        case .stix, .misp:
            let list = IndicatorList(story)
            leftOut.merge(list.leftOut) { $1 }
            return one(form == .stix ? StixIndicators.text(list, leftOut) : MispEvent.text(list, leftOut))
        }
    }

    private static func json(_ story: CaseStory, _ file: CaseFile) -> String {
        let rows = file.objects.filter { $0.kind == .row }.map { ($0.id, $0.body) }
        let document: JSON = [
            "case": .string(story.name), "opened": .string(DateTime.format(story.opened)),
            "root": .string(story.root), "summary": story.summary.json,
            "claims": .array(
                story.items.map { item in
                    var members = item.claim.json.members ?? JSON.Members()
                    members["status"] = .string(item.status.rawValue)
                    if let note = item.judgement { members["judgement"] = note.json }
                    return .object(members)
                }),
            "rows": .object(JSON.Members(rows)), "notes": .array(story.notes.map(\.json)),
        ]
        return document.text + "\n"
    }

    /// Lines for Timesketch: message, datetime, timestamp in microseconds, timestamp_desc
    /// (https://timesketch.org/guides/user/import-from-json-csv/).
    private static func timesketch(_ story: CaseStory, _ leftOut: [Reason: Int]) -> String {
        var lines: [JSON] = story.standing.map { item in
            let claim = item.claim
            return [
                "message": .string("\(claim.subject): \(claim.object) \(claim.because)"),
                "datetime": .string(DateTime.format(claim.time)),
                "timestamp": .integer((claim.time - DateTime.unixEpoch) / 10),
                "timestamp_desc": .string(claim.kind.rawValue), "tag": .array([.string(claim.kind.rawValue)]),
                "claim": .string(claim.id), "rows": .array(claim.supports.map { .string($0) }),
                "status": .string(item.status.rawValue),
            ]
        }
        if let omission = omission(leftOut) {
            lines.append([
                "message": .string(omission), "datetime": .string(DateTime.format(story.opened)),
                "timestamp": .integer((story.opened - DateTime.unixEpoch) / 10),
                "timestamp_desc": "export", "tag": ["left-out"],
            ])
        }
        return lines.map { $0.text + "\n" }.joined()
    }

    /// A layer of ATT&CK Navigator, format 4.5
    /// (https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md).
    private static func navigator(_ story: CaseStory, _ leftOut: [Reason: Int]) -> String {
        var seen: [String: [String]] = [:]
        for item in story.standing {
            for technique in item.claim.techniques { seen[technique, default: []].append(item.claim.id) }
        }
        let most = seen.values.map(\.count).max() ?? 1
        let layer: JSON = [
            "name": .string(story.name), "domain": "enterprise-attack",
            "description": .string([story.headline, omission(leftOut)].compactMap { $0 }.joined(separator: "; ")),
            "versions": ["attack": "18", "navigator": "5.1.0", "layer": "4.5"],
            "techniques": .array(
                seen.sorted { $0.key < $1.key }.map { technique, ids in
                    [
                        "techniqueID": .string(technique), "score": .integer(Int64(ids.count)),
                        "comment": .string(ids.joined(separator: " ")), "enabled": true,
                    ]
                }),
            "gradient": ["colors": ["#ffffff", "#b60606"], "minValue": 0, "maxValue": .integer(Int64(most))],
        ]
        return layer.text + "\n"
    }
}
