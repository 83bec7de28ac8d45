import Forensics
import Workbooks

/// An investigation's answer as one self-contained page that prints: the verdict first, then how they got in beside
/// what held, what they did, where they went, the lanes of devices along one axis of time, and what is not known.
package enum InvestigationReport {
    /// The page.
    package static func page(_ result: Investigation) -> HTMLPage {
        ReportShell.page(title: "Investigation", body: body(result))
    }

    private static func body(_ result: Investigation) -> Markup {
        Markup(.main) {
            Markup(.h1) { headline(result) }
            entry(result)
            section("What they did", ["Since", "Device", "Harm", "Techniques", "Rows"], harm(result))
            section("Where they went", ["When", "From", "To", "How", "Account", "Technique"], movements(result))
            if !result.devices.isEmpty {
                Markup(.section) {
                    Markup(.h2) { "Lanes" }
                    DeviceLanes.drawing(result)
                }
            }
            section("What is not known", ["Gap"], result.unknowns.map { [$0] })
            section("Timeline", ["When", "Device", "What", "Hunt", "Row"], marks(result))
            section(
                "Set aside as habits of the estate", ["Hunt", "Rows"],
                result.setAside.sorted { $0.key < $1.key }.map { [$0.key, "\($0.value)"] })
        }
    }

    private static func headline(_ result: Investigation) -> String {
        switch result.verdict {
        case .intrusion:
            let count = "\(result.devices.count) device\(result.devices.count == 1 ? "" : "s")"
            let first = result.devices.values.min().map { "first sign \(TextReport.time($0)), " }
            return "Someone got in: \(first ?? "")\(count)"
        case .prevented: return "An attempt was stopped"
        case .none: return "Nothing found that is not a habit of this estate"
        case .unknown: return "Not known: the rows that would tell are not there"
        }
    }

    private static func entry(_ result: Investigation) -> Markup {
        guard let entry = result.entry else {
            guard !result.held.isEmpty else { return Markup() }
            return Markup(.section) {
                Markup(.h2) { "What held" }
                held(result)
            }
        }
        return Markup(.section) {
            Markup(.h2) { "How they got in" }
            Markup(.p) {
                Markup(.b) { result.name(entry.device) }
                ", \(TextReport.time(entry.time)), by \(entry.vector) (\(entry.techniques.joined(separator: ", ")))"
            }
            Markup(.div, [.class: "two"]) {
                Markup(.div) {
                    Markup(.h3) { "What was missing" }
                    table(["Device", "Control", "Class", "Proof", "Because", "Rows"], causes(result))
                }
                Markup(.div) {
                    Markup(.h3) { "What held" }
                    held(result)
                }
            }
        }
    }

    private static func causes(_ result: Investigation) -> [[String]] {
        result.causes.map { cause in
            let state = cause.state.map { "; observed \(TextReport.time($0.observed)): \($0.shown)" }
            return [
                result.name(cause.device), cause.control, cause.kind.rawValue, cause.proof.rawValue,
                "\(cause.because)\(state ?? "")", rows(cause.rows),
            ]
        }
    }

    private static func harm(_ result: Investigation) -> [[String]] {
        result.harm.map {
            [
                TextReport.time($0.time), result.name($0.device), $0.what, $0.techniques.joined(separator: " "),
                rows($0.rows),
            ]
        }
    }

    private static func movements(_ result: Investigation) -> [[String]] {
        result.movements.map {
            [TextReport.time($0.time), result.name($0.from), result.name($0.to), $0.how, $0.account, $0.technique]
        }
    }

    private static func marks(_ result: Investigation) -> [[String]] {
        result.marks.map {
            [
                TextReport.time($0.row.time), result.name($0.row.device), $0.hunt.title, $0.hunt.slug,
                rows([$0.row.reference]),
            ]
        }
    }

    private static func held(_ result: Investigation) -> Markup {
        table(
            ["When", "Device", "Control", "Technique"],
            result.held.map { [TextReport.time($0.time), result.name($0.device), $0.control, $0.technique] })
    }

    private static func rows(_ rows: [RowReference]) -> String {
        let shown = rows.sorted().prefix(3).map { "\($0.table) \($0.report) of \(TextReport.time($0.time))" }
        return shown.joined(separator: "; ") + (rows.count > 3 ? "; and \(rows.count - 3) more" : "")
    }

    private static func section(_ title: String, _ head: [String], _ rows: [[String]]) -> Markup {
        guard !rows.isEmpty else { return Markup() }
        return Markup(.section) {
            Markup(.h2) { title }
            table(head, rows)
        }
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> Markup {
        guard !rows.isEmpty else { return Markup(.p) { "nothing" } }
        return Markup(.table) {
            Markup(.thead) { Markup(.tr) { for name in head { Markup(.th, [.scope: "col"]) { name } } } }
            Markup(.tbody) {
                for row in rows { Markup(.tr) { for cell in row { Markup(.td) { cell } } } }
            }
        }
    }
}
