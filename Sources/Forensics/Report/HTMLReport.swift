import Tables

/// The answer as one self-contained page that prints: the verdict first, then how they got in beside what held, what
/// they did, where they went, the lanes of devices along one axis of time, and what is not known.
package enum HTMLReport {
    package static func render(_ result: Investigation) -> String {
        var body = "<h1>\(escape(headline(result)))</h1>"
        if let entry = result.entry {
            body += "<section><h2>How they got in</h2><p><b>\(escape(result.name(entry.device)))</b>, "
            body +=
                "\(TextReport.time(entry.time)), by \(escape(entry.vector)) "
            body += "(\(escape(entry.techniques.joined(separator: ", "))))</p>"
            body += "<div class=\"two\"><div><h3>What was missing</h3>"
            body += table(
                ["Device", "Control", "Class", "Proof", "Because", "Rows"],
                result.causes.map { cause in
                    [
                        result.name(cause.device), cause.control, cause.kind.rawValue, cause.proof.rawValue,
                        cause.because
                            + (cause.state.map { "; observed \(TextReport.time($0.observed)): \($0.shown)" } ?? ""),
                        rows(cause.rows),
                    ]
                })
            body += "</div><div><h3>What held</h3>"
            body += held(result) + "</div></div></section>"
        } else if !result.held.isEmpty {
            body += "<section><h2>What held</h2>\(held(result))</section>"
        }
        body += section(
            "What they did", ["Since", "Device", "Harm", "Techniques", "Rows"],
            result.harm.map {
                [
                    TextReport.time($0.time), result.name($0.device), $0.what, $0.techniques.joined(separator: " "),
                    rows($0.rows),
                ]
            })
        body += section(
            "Where they went", ["When", "From", "To", "How", "Account", "Technique"],
            result.movements.map {
                [
                    TextReport.time($0.time), result.name($0.from), result.name($0.to), $0.how, $0.account,
                    $0.technique,
                ]
            })
        if !result.devices.isEmpty { body += "<section><h2>Lanes</h2>\(Lanes.svg(result))</section>" }
        body += section("What is not known", ["Gap"], result.unknowns.map { [$0] })
        body += section(
            "Timeline", ["When", "Device", "What", "Hunt", "Row"],
            result.marks.map {
                [
                    TextReport.time($0.row.time), result.name($0.row.device), $0.hunt.title, $0.hunt.slug,
                    rows([$0.row.reference]),
                ]
            })
        body += section(
            "Set aside as habits of the estate", ["Hunt", "Rows"],
            result.setAside.sorted { $0.key < $1.key }.map { [$0.key, "\($0.value)"] })
        return
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Investigation</title>"
            + "<style>\(style)</style></head><body>\(body)</body></html>\n"
    }

    private static func headline(_ result: Investigation) -> String {
        switch result.verdict {
        case .intrusion:
            "Someone got in: first sign \(TextReport.time(result.devices.values.min() ?? 0)), "
                + "\(result.devices.count) device\(result.devices.count == 1 ? "" : "s")"
        case .prevented: "An attempt was stopped"
        case .none: "Nothing found that is not a habit of this estate"
        case .unknown: "Not known: the rows that would tell are not there"
        }
    }

    private static func held(_ result: Investigation) -> String {
        table(
            ["When", "Device", "Control", "Technique"],
            result.held.map { [TextReport.time($0.time), result.name($0.device), $0.control, $0.technique] })
    }

    private static func rows(_ rows: [RowReference]) -> String {
        let shown = rows.sorted().prefix(3).map { "\($0.table) \($0.report) of \(TextReport.time($0.time))" }
        return shown.joined(separator: "; ") + (rows.count > 3 ? "; and \(rows.count - 3) more" : "")
    }

    private static func section(_ title: String, _ head: [String], _ rows: [[String]]) -> String {
        rows.isEmpty ? "" : "<section><h2>\(escape(title))</h2>\(table(head, rows))</section>"
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "<p>nothing</p>" }
        let top = head.map { "<th scope=\"col\">\(escape($0))</th>" }.joined()
        let lines = rows.map { "<tr>" + $0.map { "<td>\(escape($0))</td>" }.joined() + "</tr>" }.joined()
        return "<table><thead><tr>\(top)</tr></thead><tbody>\(lines)</tbody></table>"
    }

    static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;").replacing("'", with: "&#39;")
    }

    private static let style = """
        :root{color-scheme:light dark}body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:100rem;padding:0 1rem}
        h1{font-size:1.5rem}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}h3{font-size:1rem;margin:.4rem 0}
        table{border-collapse:collapse;width:100%;font-size:.85rem}th,td{text-align:left;vertical-align:top;padding:.25rem .5rem;
        border-bottom:1px solid #8884;overflow-wrap:break-word}thead{display:table-header-group}tr{break-inside:avoid}
        .two{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:1.5rem}.two>*{overflow-x:auto}
        @media(max-width:96rem){.two{grid-template-columns:minmax(0,1fr)}}
        svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:currentColor}
        @media print{body{margin:0;max-width:none}h2{break-after:avoid}}
        """
}

/// Devices as lanes along one axis of time: harm as filled marks, causes as rings, movements as lines.
enum Lanes {
    static func svg(_ result: Investigation) -> String {
        let devices = result.devices.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key).prefix(40)
        let times =
            result.marks.map(\.row.time) + result.harm.map(\.time) + result.movements.map(\.time)
            + result.devices.values
        guard let first = times.min(), let last = times.max() else { return "" }
        let span = Double(max(last - first, Span.minute))
        func x(_ time: Int64) -> Double { 180 + Double(time - first) / span * 780 }
        var lane: [String: Double] = [:]
        var out = ""
        for (i, device) in devices.enumerated() {
            let y = 24.0 + Double(i) * 26
            lane[device] = y
            out += "<line x1=\"180\" x2=\"960\" y1=\"\(y)\" y2=\"\(y)\" stroke=\"#8886\"/>"
            out += "<text x=\"4\" y=\"\(y + 4)\">\(HTMLReport.escape(String(result.name(device).prefix(26))))</text>"
        }
        for movement in result.movements {
            guard let from = lane[movement.from], let to = lane[movement.to] else { continue }
            let at = short(x(movement.time))
            out +=
                "<line x1=\"\(at)\" x2=\"\(at)\" y1=\"\(from)\" y2=\"\(to)\" stroke=\"#2a78d6\" stroke-width=\"1.5\"/>"
        }
        for mark in result.marks {
            guard let y = lane[mark.row.device] else { continue }
            out += "<circle cx=\"\(short(x(mark.row.time)))\" cy=\"\(y)\" r=\"2.5\" fill=\"#888\"/>"
        }
        for harm in result.harm {
            guard let y = lane[harm.device] else { continue }
            let title = HTMLReport.escape("\(harm.what) \(TextReport.time(harm.time))")
            out +=
                "<rect x=\"\(short(x(harm.time) - 4))\" y=\"\(y - 4)\" width=\"8\" height=\"8\" fill=\"#d03b3b\"><title>\(title)</title></rect>"
        }
        for cause in result.causes {
            guard let y = lane[cause.device] else { continue }
            let title = HTMLReport.escape("\(cause.control) \(TextReport.time(cause.time))")
            out +=
                "<circle cx=\"\(short(x(cause.time)))\" cy=\"\(y)\" r=\"6\" fill=\"none\" stroke=\"#d03b3b\"><title>\(title)</title></circle>"
        }
        let bottom = 24 + Double(devices.count) * 26
        out += "<text x=\"180\" y=\"\(bottom + 6)\">\(TextReport.time(first))</text>"
        out += "<text x=\"960\" y=\"\(bottom + 6)\" text-anchor=\"end\">\(TextReport.time(last))</text>"
        return
            "<svg viewBox=\"0 0 980 \(bottom + 16)\" role=\"img\" aria-label=\"What happened on each device over time\">\(out)</svg>"
    }

    private static func short(_ number: Double) -> String { "\((number * 10).rounded() / 10)" }
}
