import Forensics
import Tables
import Workbooks

/// The page that lists cases and runs.
struct InvestigationList {
    /// A case of the folder; damaged ones are told as such.
    struct Entry: Sendable {
        let name: String
        let story: CaseStory?
        /// What is wrong with the file; nil when nothing is.
        let trouble: String?
    }

    let cases: [Entry]
    let runs: [InvestigationShelf.Kept]

    var body: Markup {
        Markup(.main, [.class: "case"]) {
            Markup(.h1) { "Investigations" }
            Markup(.p, [.class: "lead"]) { "How they got in, what they did, and the rows that prove it." }
            ask
            CaseTable(
                "Cases",
                ["Case", "Verdict", "First sign (UTC)", "Last sign (UTC)", "Devices", "Claims", "Opened (UTC)"],
                cases.map(row)
            ).section(empty: "No case is kept yet. Investigate, and keep what is found.")
            CaseTable(
                "Asked of the workspace as it is", ["Question", "Verdict", "First sign (UTC)", "Devices", "Claims"],
                runs.map(row)
            ).section(empty: "Nobody has asked since the workspace last changed.")
        }
    }

    /// The way to an investigation. Nothing need be given.
    private var ask: Markup {
        Markup(.section) {
            Markup(.h2) { "Investigate the workspace" }
            Markup(.p) {
                Markup(link: CaseAddress(id: CaseAddress.run).page) { "Investigate all of it" }
                ", or begin with what is known: add "
                Markup(.code) { "?device=NAME" }
                ", "
                Markup(.code) { "?from=TIME&to=TIME" }
                " or "
                Markup(.code) { "?alert=ID" }
                " to its address."
            }
        }
    }

    private func row(_ entry: Entry) -> CaseTable.Row {
        let name = CaseTable.Cell(Markup(link: CaseAddress(id: entry.name).page) { entry.name }, .name)
        guard let story = entry.story else {
            let trouble =
                Markup(.span, [.class: "state bad"]) { "cannot be read" } + Markup(.small) { entry.trouble ?? "" }
            return CaseTable.Row(cells: [name, CaseTable.Cell(trouble)])
        }
        let judged = story.items.count { $0.judgement != nil }
        let claims = "\(story.items.count)" + (judged > 0 ? ", \(judged) judged" : "")
        return CaseTable.Row(
            cells: [name] + Self.cells(story)[..<2] + [CaseTable.Cell(story.lastSign.map(TextReport.time) ?? "", .when)]
                + [
                    CaseTable.Cell("\(story.summary.devices.count)"), CaseTable.Cell(claims),
                    CaseTable.Cell(TextReport.time(story.opened), .when),
                ])
    }

    private func row(_ run: InvestigationShelf.Kept) -> CaseTable.Row {
        let address = CaseAddress(id: CaseAddress.run, question: run.question)
        let name = CaseTable.Cell(Markup(link: address.page) { run.question.text }, .name)
        guard let file = run.file else { return CaseTable.Row(cells: [name, CaseTable.Cell("being computed")]) }
        let story = CaseStory(file)
        return CaseTable.Row(
            cells: [name] + Self.cells(story)
                + [CaseTable.Cell("\(story.summary.devices.count)"), CaseTable.Cell("\(story.items.count)")])
    }

    /// Verdict and first sign.
    private static func cells(_ story: CaseStory) -> [CaseTable.Cell] {
        let verdict: (text: String, kind: String) =
            switch story.summary.verdict {
            case .intrusion: ("✕ got in", "state bad")
            case .prevented: ("▲ stopped", "state look")
            case .none: ("✓ nothing found", "state good")
            case .unknown: ("○ not known", "state")
            }
        return [
            CaseTable.Cell(Markup(.span, [.class: verdict.kind]) { verdict.text }),
            CaseTable.Cell(story.summary.devices.first.map { TextReport.time($0.firstSign) } ?? "", .when),
        ]
    }
}

/// The page of one claim: its rows as they are stored, the KQL that finds them again, and what people said of it.
struct ClaimPage {
    let story: CaseStory
    let item: CaseStory.Item
    let address: CaseAddress
    let history: [CaseNote]
    /// The form to confirm or reject; nil for whoever may not.
    let form: Markup?

    var body: Markup {
        let claim = item.claim
        return Markup(.main, [.class: "case"]) {
            Markup(.p, [.class: "crumb"]) {
                Markup(link: CaseAddress.list) { "Investigations" }
                " / "
                Markup(link: address.page) { address.isRun ? address.question.text : address.id }
            }
            Markup(.h1) { "\(claim.kind.rawValue): \(claim.facts[.title] ?? claim.object) on \(claim.subject)" }
            Markup(.p, [.class: "lead"]) {
                "\(TextReport.time(claim.time)) UTC"
                if !claim.techniques.isEmpty { ", \(claim.techniques.joined(separator: ", "))" }
            }
            Markup(.section) {
                Markup(.h2) { "What is claimed" }
                CaseTable(
                    "What is claimed", ["", ""],
                    facts.map { CaseTable.Row(cells: [CaseTable.Cell($0.0, .name), CaseTable.Cell($0.1)]) }
                ).table
            }
            judgement
            Markup(.section) {
                Markup(.h2) { "Rows that prove it" }
                CaseTable.rows(item, most: .max)
            }
        }
    }

    private var facts: [(String, String)] {
        let claim = item.claim
        let told = Claim.Fact.allCases.compactMap { fact in claim.facts[fact].map { (fact.rawValue, $0) } }
        return [("claim", claim.id), ("subject", claim.subject), ("object", claim.object)]
            + (claim.because.isEmpty ? [] : [("because", claim.because)]) + told
            + [("rows by SHA-256", claim.supports.joined(separator: " "))]
    }

    private var judgement: Markup {
        guard !address.isRun else { return Markup() }
        return Markup(.section) {
            Markup(.h2) { "What people say of it" }
            if history.isEmpty { Markup(.p) { "Nobody has judged it yet." } }
            for note in history { CaseTable.said(note) }
            if let form {
                form
            } else {
                Markup(.p, [.class: "note"]) {
                    "Whoever is signed in as an analyst judges here; at the terminal: "
                    Markup(.code) { "vestige case reject \(address.id) \(item.claim.id) --reason …" }
                }
            }
        }
    }
}
