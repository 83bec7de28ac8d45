import Forensics
import Tables
import Workbooks

/// A table of a case, which scrolls by itself on a narrow screen.
struct CaseTable {
    struct Cell {
        enum Kind: String { case plain = "", when, name, rows }

        let content: Markup
        let kind: Kind

        init(_ content: Markup, _ kind: Kind = .plain) {
            self.content = content
            self.kind = kind
        }

        init(_ text: String, _ kind: Kind = .plain) { self.init(Markup(text: text), kind) }
    }

    struct Row {
        var id: String?
        var isRejected = false
        let cells: [Cell]
    }

    private let title: String
    private let head: [String]
    private let rows: [Row]

    /// - Parameter title: for the section's head, and for screen readers.
    init(_ title: String, _ head: [String], _ rows: [Row]) {
        self.title = title
        self.head = head
        self.rows = rows
    }

    /// The table under its title.
    ///
    /// - Parameter empty: what stands there when it has no rows; nothing at all when nil.
    func section(empty: String?, note: String? = nil) -> Markup {
        if rows.isEmpty, empty == nil { return Markup() }
        return Markup(.section) {
            Markup(.h2) { title }
            if rows.isEmpty, let empty { Markup(.p) { empty } } else { table }
            if let note { Markup(.p, [.class: "note"]) { note } }
        }
    }

    var table: Markup {
        guard !rows.isEmpty else { return Markup() }
        return Markup(.div, [.class: "wide", .role: "region", .tabindex: "0", .ariaLabel: title]) {
            Markup(.table) {
                Markup(.thead) { Markup(.tr) { for name in head { Markup(.th, [.scope: "col"]) { name } } } }
                Markup(.tbody) {
                    for row in rows {
                        Markup(.tr, [.id: row.id, .class: row.isRejected ? "rejected" : nil]) {
                            for cell in row.cells {
                                Markup(.td, [.class: cell.kind == .plain ? nil : cell.kind.rawValue]) { cell.content }
                            }
                        }
                    }
                }
            }
        }
    }

    // MARK: Ways from a claim to its rows

    /// Rows of a claim that a report holds by itself.
    private static let foldedMax = 3

    /// Where a claim's rows are: its page on the site, its line in a report.
    static func link(_ claim: String, _ place: CasePage.Place) -> Link {
        switch place {
        case .site(let address): address.claim(claim)
        case .report: Link(place: "c-\(claim)")
        }
    }

    /// What proves a claim, and what people said of it.
    static func proof(_ item: CaseStory.Item, _ place: CasePage.Place) -> Markup {
        let count = item.claim.supports.count
        let text = "\(count) row\(count == 1 ? "" : "s")"
        let word: Markup =
            switch item.status {
            case .machine: Markup()
            case .confirmed: Markup(.span, [.class: "state good"]) { "confirmed" }
            case .rejected: Markup(.span, [.class: "state"]) { "rejected" }
            }
        switch place {
        case .site(let address): return Markup(link: address.claim(item.claim.id)) { text } + " " + word
        case .report:
            return Markup(.details) {
                Markup(.summary) { text }
                if let judgement = item.judgement { said(judgement) }
                rows(item, most: foldedMax)
            } + word
        }
    }

    /// What a person said of a claim.
    static func said(_ note: CaseNote) -> Markup {
        Markup(.p) {
            "\(note.status?.rawValue ?? "noted") by \(note.author), \(TextReport.time(note.time)) UTC"
            if !note.text.isEmpty { ": \(note.text)" }
        }
    }

    /// The rows of a claim as they are stored, and the KQL that finds them again.
    static func rows(_ item: CaseStory.Item, most: Int) -> Markup {
        let shown = item.rows.prefix(most)
        return Markup(.div) {
            for row in shown {
                Markup(.pre) {
                    "\(row.table)\n"
                    for (name, value) in zip(row.row.members?.names ?? [], row.row.members?.values ?? []) {
                        "\(name): \(value.string ?? value.text)\n"
                    }
                }
            }
            if shown.count < item.claim.supports.count {
                Markup(.p, [.class: "note"]) {
                    "\(shown.count) of \(item.claim.supports.count) rows; the KQL finds all"
                }
            }
            for text in EvidenceQuery.texts(item.rows) { Markup(.pre) { text } }
        }
    }
}

extension Markup {
    fileprivate static func + (a: Markup, b: String) -> Markup { a + Markup(text: b) }
}
