import Tables

/// The answer as a page for a terminal: the verdict first, then how they got in beside what held.
package enum TextReport {
    package static func render(_ result: Investigation) -> String {
        var lines: [String] = []
        func section(_ title: String, _ body: [String]) {
            guard !body.isEmpty else { return }
            lines += ["", title] + body.map { "  " + $0 }
        }
        switch result.verdict {
        case .intrusion:
            let first = result.devices.values.min().map(time) ?? ""
            let devices = "\(result.devices.count) device\(result.devices.count == 1 ? "" : "s")"
            lines.append("SOMEONE GOT IN. First sign \(first), \(devices).")
        case .prevented: lines.append("AN ATTEMPT WAS STOPPED. Nobody got in, as far as the rows tell.")
        case .none: lines.append("NOTHING FOUND that is not a habit of this estate.")
        case .unknown: lines.append("NOT KNOWN: the rows that would tell are not there.")
        }
        if let entry = result.entry {
            section(
                "How they got in",
                ["\(time(entry.time))  \(result.name(entry.device))  \(entry.vector)  \(entry.techniques.first ?? "")"])
        }
        section(
            "What was missing",
            result.causes.map {
                "\(pad(result.name($0.device), 24)) \(pad($0.control, 26)) \(pad($0.kind.rawValue, 19)) "
                    + "\($0.proof.rawValue): \($0.because)"
            })
        section(
            "What held",
            result.held.prefix(20).map {
                "\(time($0.time))  \(pad(result.name($0.device), 24)) \($0.control) against \($0.technique)"
            })
        section(
            "What they did",
            result.harm.map {
                "\(time($0.time))  \(pad(result.name($0.device), 24)) \($0.what)  \($0.techniques.first ?? "")"
            })
        section(
            "Where they went",
            result.movements.map {
                "\(time($0.time))  \(result.name($0.from)) -> \(result.name($0.to))  \($0.how)  "
                    + "\($0.account)  \($0.technique)"
            })
        section("What is not known", result.unknowns)
        section("Set aside as habits", result.setAside.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value) rows" })
        section(
            "Timeline",
            result.marks.map { "\(time($0.row.time))  \(pad(result.name($0.row.device), 24)) \($0.hunt.title)" })
        return lines.joined(separator: "\n") + "\n"
    }

    /// A time as a person reads it, in UTC.
    package static func time(_ ticks: Int64) -> String {
        String(DateTime.format(ticks).prefix(19)).replacing("T", with: " ")
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
    }
}
