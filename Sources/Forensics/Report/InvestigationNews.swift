import Tables

/// What an investigation says now that it did not say before, and what it no longer says.
package struct InvestigationNews: Sendable {
    package let new: [String]
    package let gone: [String]

    package init(from before: Investigation, to after: Investigation) {
        let (old, now) = (Self.statements(before), Self.statements(after))
        let (oldSet, nowSet) = (Set(old), Set(now))
        new = now.filter { !oldSet.contains($0) }
        gone = old.filter { !nowSet.contains($0) }
    }

    package var isEmpty: Bool { new.isEmpty && gone.isEmpty }

    /// A line with `+` for each new statement, and with `-` for each that is gone.
    package var text: String { (gone.map { "- " + $0 } + new.map { "+ " + $0 }).map { $0 + "\n" }.joined() }

    private static func statements(_ result: Investigation) -> [String] {
        var lines = ["verdict: \(result.verdict.rawValue)"]
        if let entry = result.entry {
            lines.append("\(TextReport.time(entry.time))  came in by \(entry.vector) on \(result.name(entry.device))")
        }
        lines += result.harm.map { "\(TextReport.time($0.time))  \($0.what) on \(result.name($0.device))" }
        lines += result.movements.map {
            "\(TextReport.time($0.time))  went from \(result.name($0.from)) to \(result.name($0.to)), \($0.how)"
        }
        lines += result.causes.map { "missing: \($0.control) on \(result.name($0.device)), \($0.proof.rawValue)" }
        lines += result.held.map { "\(TextReport.time($0.time))  held: \($0.control) on \(result.name($0.device))" }
        lines += result.unknowns.map { "not known: \($0)" }
        return lines
    }
}
