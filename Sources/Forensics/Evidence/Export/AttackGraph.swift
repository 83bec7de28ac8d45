import Tables

/// The acts of an intrusion as a graph: each follows the one before on its device, and a movement joins two devices.
struct AttackGraph {
    struct Act {
        let claim: Claim
        /// Places of the acts that follow.
        var next: [Int] = []
    }

    /// A gap that an act went through.
    struct Condition {
        let claim: Claim
        /// The place of the act.
        let act: Int
    }

    let story: CaseStory
    private(set) var acts: [Act] = []
    private(set) var conditions: [Condition] = []
    /// Devices, in the order in which they were reached.
    private(set) var assets: [String] = []
    /// Places of the acts that follow none.
    private(set) var starts: [Int] = []
    /// Claims that are no act and no gap of one.
    private(set) var leftOut = 0

    init(_ story: CaseStory) {
        self.story = story
        let kinds: Set<Claim.Kind> = [.entry, .movement, .technique, .harm]
        var last: [String: Int] = [:]
        for claim in story.standing.map(\.claim) where kinds.contains(claim.kind) {
            let place = acts.count
            acts.append(Act(claim: claim))
            if !assets.contains(claim.subject) { assets.append(claim.subject) }
            if let before = last[claim.subject] { acts[before].next.append(place) } else { starts.append(place) }
            last[claim.subject] = place
            if claim.kind == .movement {
                if !assets.contains(claim.object) { assets.append(claim.object) }
                // What happens there from now on follows from here, unless something was done there already.
                if last[claim.object] == nil { last[claim.object] = place }
            }
        }
        for claim in story.standing.map(\.claim) where !kinds.contains(claim.kind) {
            guard claim.kind == .cause, let act = act(of: claim) else {
                leftOut += 1
                continue
            }
            conditions.append(Condition(claim: claim, act: act))
        }
    }

    /// The act that went through a gap: of one of its techniques, or else the first on its device.
    private func act(of cause: Claim) -> Int? {
        let own = acts.indices.filter {
            acts[$0].claim.subject == cause.subject
                || acts[$0].claim.kind == .movement && acts[$0].claim.object == cause.subject
        }
        let matching = own.first { i in acts[i].claim.techniques.contains { cause.techniques.contains($0) } }
        return matching ?? own.first
    }

    /// What an act is called.
    static func name(_ claim: Claim) -> String {
        switch claim.kind {
        case .movement: "\(claim.subject) to \(claim.object)"
        case .entry, .technique, .harm, .cause, .prevented:
            "\(claim.facts[.title] ?? claim.object) on \(claim.subject)"
        }
    }
}

/// The graph as a STIX 2.1 bundle with the extension of Attack Flow 2
/// (https://center-for-threat-informed-defense.github.io/attack-flow/language/).
enum AttackFlow {
    private static let extensionID = "extension-definition--fb9c968a-745b-4ade-9b25-c324172197f4"
    private static let center = "identity--fb9c968a-745b-4ade-9b25-c324172197f4"

    static func text(_ graph: AttackGraph, _ leftOut: [CaseExport.Reason: Int]) -> String {
        let story = graph.story
        let flow = flow(graph)
        let assets = graph.assets.map { name -> JSON in
            var members = object("attack-asset", name, story)
            members["name"] = .string(name)
            return .object(members)
        }
        let actions = graph.acts.map { act -> JSON in
            var members = object("attack-action", act.claim.id, story)
            members["name"] = .string(AttackGraph.name(act.claim))
            members["description"] = .string(act.claim.because.isEmpty ? act.claim.object : act.claim.because)
            members["execution_start"] = .string(Stix.time(act.claim.time))
            members["asset_refs"] = .array([.string(Stix.id("attack-asset", act.claim.subject))])
            if let technique = act.claim.techniques.first { members["technique_id"] = .string(technique) }
            if !act.next.isEmpty { members["effect_refs"] = references(graph, act.next) }
            return .object(members)
        }
        let conditions = graph.conditions.map { condition -> JSON in
            let claim = condition.claim
            var members = object("attack-condition", claim.id, story)
            members["description"] = .string(
                "\(claim.object) off or open on \(claim.subject) at \(TextReport.time(claim.time)) UTC; "
                    + claim.because)
            members["on_true_refs"] = references(graph, [condition.act])
            return .object(members)
        }
        let note = Stix.note(story, leftOut, about: flow["id"] ?? Stix.authorID())
        return Stix.bundle(
            story.name + "flow",
            publisher + [Stix.author(story), flow] + actions + conditions + assets + [note].compactMap { $0 })
    }

    private static func object(_ type: String, _ name: String, _ story: CaseStory) -> JSON.Members {
        var members = Stix.object(type, name, story)
        members["created_by_ref"] = Stix.authorID()
        let kind: JSON = ["extension_type": "new-sdo"]
        members["extensions"] = .object(JSON.Members([(extensionID, kind)]))
        return members
    }

    private static func references(_ graph: AttackGraph, _ acts: [Int]) -> JSON {
        .array(acts.map { .string(Stix.id("attack-action", graph.acts[$0].claim.id)) })
    }

    private static func flow(_ graph: AttackGraph) -> JSON {
        var members = object("attack-flow", graph.story.name, graph.story)
        members["name"] = .string(graph.story.name)
        members["description"] = .string(graph.story.headline)
        members["scope"] = "incident"
        let conditions = graph.conditions.map { JSON.string(Stix.id("attack-condition", $0.claim.id)) }
        members["start_refs"] = .array(conditions + (references(graph, graph.starts).array ?? []))
        return .object(members)
    }

    /// The extension's own definition, as its publisher gives it, which the bundle must hold.
    private static let publisher: [JSON] = [
        [
            "type": "extension-definition", "id": .string(extensionID), "spec_version": "2.1",
            "created": "2022-08-02T19:34:35.143Z", "modified": "2022-08-02T19:34:35.143Z", "name": "Attack Flow",
            "description": "Extends STIX 2.1 with features to create Attack Flows.",
            "created_by_ref": .string(center),
            "schema":
                "https://center-for-threat-informed-defense.github.io/attack-flow/stix/attack-flow-schema-2.0.0.json",
            "version": "2.0.0", "extension_types": ["new-sdo"],
        ],
        [
            "type": "identity", "id": .string(center), "spec_version": "2.1",
            "created": "2022-08-02T19:34:35.143Z", "modified": "2022-08-02T19:34:35.143Z",
            "name": "MITRE Center for Threat-Informed Defense", "identity_class": "organization",
        ],
    ]
}

/// The graph as a file of Attack Flow Builder 3, which keeps the edges that it loses from STIX
/// (https://github.com/center-for-threat-informed-defense/attack-flow, schema `attack_flow_v2`).
enum AttackFlowBuilder {
    /// Where lines may begin and end on a block: angle, and the kind of the anchor.
    private static let anchors: [(angle: Int, kind: String)] = (0..<12).map { i in
        ((i * 30), [2, 3, 4, 8, 9, 10].contains(i) ? "vertical_anchor" : "horizontal_anchor")
    }
    /// Lines come in above and leave below.
    private static let (above, below) = (90, 270)
    private static let (columnWidth, rowHeight) = (380.0, 280.0)

    static func text(_ graph: AttackGraph, _ leftOut: [CaseExport.Reason: Int]) -> String {
        var builder = Builder(graph)
        builder.blocks()
        builder.lines()
        return builder.document(leftOut).text + "\n"
    }

    private struct Builder {
        let graph: AttackGraph
        private var children: [JSON] = []
        private var layout = JSON.Members()
        /// Latches by block and angle.
        private var latches: [String: [JSON]] = [:]
        private var lineObjects: [JSON] = []

        init(_ graph: AttackGraph) { self.graph = graph }

        private func id(_ text: String) -> String { Stix.uuid("afb" + graph.story.name + text) }

        /// Lines are collected first, since blocks name the ends that lie on them.
        mutating func lines() {
            for (i, act) in graph.acts.enumerated() {
                for next in act.next { line("act\(i)", "act\(next)") }
                if let asset = graph.assets.firstIndex(of: act.claim.subject), isFirst(i) {
                    line("act\(i)", "asset\(asset)")
                }
            }
        }

        /// Whether an act is the first on its device: an asset hangs on one act, not on all.
        private func isFirst(_ place: Int) -> Bool {
            graph.acts.firstIndex { $0.claim.subject == graph.acts[place].claim.subject } == place
        }

        private mutating func line(_ from: String, _ to: String) {
            let name = "\(from)>\(to)"
            let (source, target, handle) = (id("s" + name), id("t" + name), id("h" + name))
            latches["\(from)|\(AttackFlowBuilder.below)", default: []].append(.string(source))
            latches["\(to)|\(AttackFlowBuilder.above)", default: []].append(.string(target))
            children.append(.string(id(name)))
            lineObjects += [
                [
                    "id": "dynamic_line", "instance": .string(id(name)), "source": .string(source),
                    "target": .string(target), "handles": [.string(handle)],
                ],
                ["id": "generic_latch", "instance": .string(source)],
                ["id": "generic_latch", "instance": .string(target)],
                ["id": "generic_handle", "instance": .string(handle)],
            ]
        }

        mutating func blocks() {
            for (i, act) in graph.acts.enumerated() {
                let column = graph.assets.firstIndex(of: act.claim.subject) ?? 0
                place("act\(i)", Double(column) * columnWidth, Double(i) * rowHeight)
            }
            for i in graph.assets.indices { place("asset\(i)", Double(i) * columnWidth, -rowHeight) }
        }

        private mutating func place(_ block: String, _ x: Double, _ y: Double) {
            children.append(.string(id(block)))
            layout[id(block)] = .array([.number(x), .number(y)])
        }

        private func property(_ name: String, _ value: JSON) -> JSON { .array([.string(name), value]) }

        private func block(_ kind: String, _ name: String, _ properties: [JSON]) -> [JSON] {
            let points = anchors.map { ("\($0.angle)", JSON.string(id("\(name)@\($0.angle)"))) }
            let block: JSON = [
                "id": .string(kind), "instance": .string(id(name)), "properties": .array(properties),
                "anchors": .object(JSON.Members(points)),
            ]
            return [block]
                + anchors.map { anchor in
                    [
                        "id": .string(anchor.kind), "instance": .string(id("\(name)@\(anchor.angle)")),
                        "latches": .array(latches["\(name)|\(anchor.angle)"] ?? []),
                    ]
                }
        }

        private func action(_ claim: Claim) -> [JSON] {
            let technique = claim.techniques.first.map { JSON.string($0) } ?? .null
            let gaps = graph.conditions.filter { graph.acts[$0.act].claim == claim }.map {
                "\($0.claim.object) was off or open (\($0.claim.because))"
            }
            let told = ([claim.because.isEmpty ? claim.object : claim.because] + gaps).joined(separator: "; ")
            return [
                property("name", .string(AttackGraph.name(claim))),
                property("ttp", .array([property("tactic", .null), property("technique", technique)])),
                property("description", .string(told)), property("confidence", .null),
                property("execution_start", moment(claim.time)), property("execution_end", .null),
            ]
        }

        private func moment(_ ticks: Int64) -> JSON { ["time": .string(Stix.time(ticks)), "zone": "UTC"] }

        func document(_ leftOut: [CaseExport.Reason: Int]) -> JSON {
            let story = graph.story
            let told = [story.headline, CaseExport.omission(leftOut)].compactMap { $0 }.joined(separator: "; ")
            let author: [JSON] = [
                property("name", "Vestige"), property("identity_class", "system"),
                property("contact_information", .null),
            ]
            let flow: JSON = [
                "id": "flow", "instance": .string(id("flow")),
                "properties": [
                    property("name", .string(story.name)), property("description", .string(told)),
                    property("author", .array(author)), property("scope", "incident"),
                    property("external_references", []), property("created", moment(story.opened)),
                ],
                "objects": .array(children),
            ]
            let blocks =
                graph.acts.enumerated().flatMap { i, act in block("action", "act\(i)", action(act.claim)) }
                + graph.assets.enumerated().flatMap { i, name in
                    block("asset", "asset\(i)", [property("name", .string(name)), property("description", .null)])
                }
            return [
                "schema": "attack_flow_v2", "theme": "dark_theme", "objects": .array([flow] + lineObjects + blocks),
                "layout": .object(layout), "camera": ["x": 0, "y": 0, "k": 0.7],
            ]
        }
    }
}
