import Forensics
import Tables
import Workbooks

/// A case as a page: the verdict and the clock first, then what to do in the next hour, how they got in beside what
/// held, what they did, where they went, who else has the same gap, what is not known, and only then lanes and
/// timeline. The workbench and the report that stands by itself show the same.
struct CasePage {
    /// Where the page stands.
    enum Place {
        /// In a file of its own: rows are folded in.
        case report
        /// On the site: each claim has a page.
        case site(CaseAddress)
    }

    let story: CaseStory
    let place: Place
    /// Forms of whoever may write; nil for readers and reports.
    var forms: CaseForms?
    /// What stands above the headline on the site.
    var crumb = Markup()

    /// Rows that a table shows before the rest is folded or left to the export.
    private static let (shownMax, timelineMax) = (8, 500)

    var body: Markup {
        Markup(.main, [.class: "case"]) {
            crumb
            verdict
            nextHour
            wayIn
            CaseTable(
                "What they did", ["When (UTC)", "Device", "Harm", "Techniques", "Proof"], story.items(.harm).map(harm)
            ).section(empty: didNothing)
            CaseTable(
                "Where they went", ["When (UTC)", "From", "To", "How", "As", "Technique", "Proof"],
                story.items(.movement).map(movement)
            ).section(empty: nil)
            gaps
            unknowns
            lanes
            timeline
            habits
            notes
            proof
        }
    }

    // MARK: The first screen

    private var verdict: Markup {
        let kind =
            switch story.summary.verdict {
            case .intrusion: "bad"
            case .prevented: "look"
            case .none: "good"
            case .unknown: ""
            }
        return Markup(.section, [.class: "verdict \(kind)"]) {
            Markup(.h1) { story.headline }
            let rejected = story.items.count { $0.status == .rejected }
            if rejected > 0 { Markup(.p, [.class: "note"]) { "\(rejected) claims were rejected by people." } }
            Markup(.div, [.class: "clock"]) {
                if let first = story.summary.devices.first { clock("First sign", first.firstSign) }
                if let last = story.lastSign { clock("Last sign that rows tell", last) }
                switch place {
                case .site(let address) where address.isRun: clock("As of", story.opened)
                case .site, .report:
                    clock("Opened", story.opened)
                    if story.summary.verdict == .intrusion {
                        clock("Scope by", story.opened + 2 * Span.hour)
                        clock("Volatile evidence by", story.opened + 24 * Span.hour)
                        clock("Verdict by", story.opened + 72 * Span.hour)
                    }
                }
            }
        }
    }

    private func clock(_ name: String, _ time: Int64) -> Markup {
        Markup(.div) {
            Markup(.span) { name }
            Markup(.b) { "\(TextReport.time(time)) UTC" }
        }
    }

    private var nextHour: Markup {
        let steps = story.nextHour
        guard !steps.isEmpty else { return Markup() }
        return Markup(.section) {
            Markup(.h2) { "What to do in the next hour" }
            Markup(.ol, [.class: "steps"]) {
                for step in steps {
                    Markup(.li) {
                        Markup(.b) { step.kind.rawValue }
                        ": \(step.text) "
                        if !step.because.isEmpty {
                            Markup(.span, [.class: "why"]) {
                                "since "
                                for (i, claim) in step.because.enumerated() {
                                    if i > 0 { ", " }
                                    reason(claim)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// A claim as the reason of something.
    private func reason(_ id: String) -> Markup {
        guard let item = story.item(id) else { return Markup(text: id) }
        let text = "\(item.claim.subject) \(TextReport.time(item.claim.time).dropFirst(11).dropLast(3))"
        return Markup(link: CaseTable.link(id, place)) { text }
    }

    private var wayIn: Markup {
        let held = story.items(.prevented)
        let entry = story.items(.entry).first
        let causes = story.items(.cause)
        guard entry != nil || !held.isEmpty || !causes.isEmpty else { return Markup() }
        return Markup(.div, [.class: "pair"]) {
            Markup(.section) {
                Markup(.h2) { "How they got in" }
                if let entry {
                    Markup(.p, [.id: "c-\(entry.claim.id)"]) {
                        Markup(.b) { device(entry.claim.subject) }
                        ", \(TextReport.time(entry.claim.time)) UTC, by \(entry.claim.object) "
                        "(\(entry.claim.techniques.joined(separator: ", "))) "
                        CaseTable.proof(entry, place)
                    }
                } else {
                    Markup(.p) { "No row tells." }
                }
                Markup(.h3) { "What was missing at that minute" }
                if causes.isEmpty { Markup(.p) { "No gap is known that mattered." } }
                fold(causes.map(cause), ["Device", "Control", "State", "Proof of the gap", "Proof"], "gaps")
            }
            Markup(.section) {
                Markup(.h2) { "What held" }
                if held.isEmpty { Markup(.p) { "Nothing that is known stopped a step." } }
                fold(held.map(self.held), ["When (UTC)", "Device", "Control", "Proof"], "more that held")
            }
        }
    }

    /// The first rows of a table, and the rest one click away.
    private func fold(_ rows: [CaseTable.Row], _ head: [String], _ what: String) -> Markup {
        let first = CaseTable(what, head, Array(rows.prefix(Self.shownMax))).table
        let rest = Array(rows.dropFirst(Self.shownMax))
        guard !rest.isEmpty else { return first }
        return first
            + Markup(.details) {
                Markup(.summary) { "\(rest.count) \(what)" }
                CaseTable(what, head, rest).table
            }
    }

    // MARK: Rows of tables

    /// A device, as a way to its page.
    private func device(_ name: String) -> Markup {
        guard case .site = place, let known = story.summary.devices.first(where: { $0.name == name }), !known.isPlant
        else { return Markup(text: name) }
        return Markup(link: Link(path: ["workbooks", "device"], query: [("Device", known.id)])) { name }
    }

    private func row(_ item: CaseStory.Item, _ cells: [CaseTable.Cell]) -> CaseTable.Row {
        CaseTable.Row(
            id: "c-\(item.claim.id)", isRejected: item.status == .rejected,
            cells: cells + [CaseTable.Cell(CaseTable.proof(item, place), .rows)])
    }

    private func when(_ claim: Claim) -> CaseTable.Cell { CaseTable.Cell(TextReport.time(claim.time), .when) }

    private func cause(_ item: CaseStory.Item) -> CaseTable.Row {
        let claim = item.claim
        let title = story.summary.gaps.first { $0.control == claim.object }?.title
        let observed = claim.facts[.observed].flatMap { DateTime.parse($0) }
        let isSure = claim.facts[.proof].flatMap { Cause.Proof(rawValue: $0) } == .wouldHaveBlocked
        return row(
            item,
            [
                CaseTable.Cell(device(claim.subject), .name),
                CaseTable.Cell(
                    Markup(.b) { claim.object }
                        + Markup(.small, [.class: "block"]) { title == claim.object ? "" : title ?? "" }),
                CaseTable.Cell(
                    Markup(text: claim.facts[.state] ?? "see the rows")
                        + Markup(.small, [.class: "block"]) { observed.map { "observed \(TextReport.time($0))" } ?? "" }
                ),
                CaseTable.Cell(
                    Markup(.span, [.class: isSure ? "state bad" : "state look"]) {
                        (claim.facts[.proof] ?? "").replacing("-", with: " ")
                    } + Markup(.small, [.class: "block"]) { Self.why(claim) }),
            ])
    }

    /// Why a control was a cause, without the class of proof, which stands beside it.
    private static func why(_ claim: Claim) -> String {
        let proof = (claim.facts[.proof] ?? "") + ": "
        let text = claim.because.hasPrefix(proof) ? String(claim.because.dropFirst(proof.count)) : claim.because
        return "\(text) (\(claim.facts[.gap] ?? "no class"))"
    }

    private func held(_ item: CaseStory.Item) -> CaseTable.Row {
        let control = item.claim.object.isEmpty ? "a control that rows do not name" : item.claim.object
        let against = item.claim.techniques.map { "against \($0)" }.joined(separator: ", ")
        return row(
            item,
            [
                when(item.claim), CaseTable.Cell(device(item.claim.subject), .name),
                CaseTable.Cell(Markup(.b) { control } + Markup(.small, [.class: "block"]) { against }),
            ])
    }

    private func harm(_ item: CaseStory.Item) -> CaseTable.Row {
        row(
            item,
            [
                when(item.claim), CaseTable.Cell(device(item.claim.subject), .name),
                CaseTable.Cell(Markup(.b) { item.claim.object }),
                CaseTable.Cell(item.claim.techniques.joined(separator: " ")),
            ])
    }

    private func movement(_ item: CaseStory.Item) -> CaseTable.Row {
        row(
            item,
            [
                when(item.claim), CaseTable.Cell(device(item.claim.subject), .name),
                CaseTable.Cell(device(item.claim.object), .name), CaseTable.Cell(item.claim.because),
                CaseTable.Cell(item.claim.facts[.account] ?? "not known"),
                CaseTable.Cell(item.claim.techniques.joined(separator: " ")),
            ])
    }

    private func mark(_ item: CaseStory.Item) -> CaseTable.Row {
        row(
            item,
            [
                when(item.claim), CaseTable.Cell(device(item.claim.subject), .name),
                CaseTable.Cell(item.claim.facts[.title] ?? item.claim.because),
                CaseTable.Cell(item.claim.techniques.joined(separator: " ")), CaseTable.Cell(item.claim.object),
            ])
    }

    // MARK: What follows

    private var didNothing: String? {
        story.summary.verdict == .intrusion ? "No harm is shown by the rows that are there." : nil
    }

    private var gaps: Markup {
        let gaps = story.summary.gaps
        guard !gaps.isEmpty else { return Markup() }
        let rows = gaps.map { gap in
            let more = gap.count - gap.devices.count
            return CaseTable.Row(
                cells: [
                    CaseTable.Cell(
                        Markup(.b) { gap.control }
                            + Markup(.small, [.class: "block"]) { gap.title == gap.control ? "" : gap.title }),
                    CaseTable.Cell("\(gap.count)"),
                    CaseTable.Cell(
                        gap.devices.isEmpty
                            ? "none" : gap.devices.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")),
                    CaseTable.Cell(
                        Markup(.details) {
                            Markup(.summary) { "KQL" }
                            Markup(.pre) { gap.query }
                        }, .rows),
                ])
        }
        return CaseTable(
            "Who else has the same gap", ["Control", "Devices", "Those the internet reaches first", "All"], rows
        )
        .section(empty: nil)
    }

    private var unknowns: Markup {
        Markup(.section) {
            Markup(.h2) { "What we do not know" }
            if story.summary.unknowns.isEmpty && story.unread == 0 {
                Markup(.p) { "Every table that the investigation asks has rows, and every hunt was answered." }
            } else {
                Markup(.ul, [.class: "plain"]) {
                    for gap in story.summary.unknowns { Markup(.li) { gap } }
                    if story.unread > 0 {
                        Markup(.li) { "\(story.unread) claims are of a kind that this version cannot read" }
                    }
                }
            }
        }
    }

    private var lanes: Markup {
        guard let lanes = CaseLanes(story) else { return Markup() }
        return Markup(.section) {
            Markup(.h2) { "Lanes" }
            lanes.markup
        }
    }

    private var timeline: Markup {
        let marks = story.items.filter { $0.claim.kind == .technique }
        let table = CaseTable(
            "Timeline", ["When (UTC)", "Device", "What", "Techniques", "Hunt", "Proof"],
            marks.prefix(Self.timelineMax).map(mark))
        return table.section(
            empty: nil,
            note: marks.count > Self.timelineMax
                ? "\(Self.timelineMax) of \(marks.count) lines; all of them: vestige case export --as timesketch" : nil)
    }

    private var habits: Markup {
        let rows = story.summary.setAside.sorted { $0.key < $1.key }.map {
            CaseTable.Row(cells: [CaseTable.Cell($0.key), CaseTable.Cell("\($0.value)")])
        }
        guard !rows.isEmpty else { return Markup() }
        return Markup(.section) {
            Markup(.h2) { "Set aside as habits of the estate" }
            Markup(.details) {
                Markup(.summary) { "\(rows.count) hunts" }
                CaseTable("habits", ["Hunt", "Rows"], rows).table
            }
        }
    }

    private var notes: Markup {
        guard !story.notes.isEmpty || forms?.note != nil else { return Markup() }
        return Markup(.section) {
            Markup(.h2) { "Notes" }
            Markup(.ul, [.class: "plain"]) {
                for note in story.notes {
                    Markup(.li) {
                        note.text
                        Markup(.small, [.class: "block"]) { "\(note.author), \(TextReport.time(note.time)) UTC" }
                    }
                }
            }
            forms?.note ?? Markup()
        }
    }

    private var proof: Markup {
        let isRun = if case .site(let address) = place { address.isRun } else { false }
        return Markup(.section) {
            Markup(.h2) { "How to check this" }
            if isRun {
                Markup(.p) { "This is what the workspace says now. A case keeps it, with its rows and a ledger." }
                forms?.open ?? Markup(.p) { Markup(.code) { "vestige case open NAME" } }
            } else {
                Markup(.p) {
                    "Each claim names rows by their SHA-256. The ledger of \(story.name) ends with "
                    Markup(.code) { story.root }
                    "; "
                    Markup(.code) { "vestige evidence verify" }
                    " of an exported case names the object in which a byte was changed."
                }
                forms?.exports ?? Markup()
            }
        }
    }
}
