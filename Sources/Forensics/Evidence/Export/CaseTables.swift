import Tables

/// A case as a set of tables for spreadsheets. Addresses are written so that nobody follows them by a click, and no
/// cell is worked out as a formula.
struct CaseTables {
    private let story: CaseStory

    init(_ story: CaseStory) { self.story = story }

    func export(_ leftOut: [CaseExport.Reason: Int]) -> CaseExport {
        let list = IndicatorList(story)
        var told = leftOut
        told.merge(list.leftOut.filter { $0.key != .noIndicator }) { $1 }
        told[.moreRows] = nil
        let files = [
            file("timeline", Self.head, story.items.map(row)),
            file("causes", Self.head + ["class", "proof", "state", "observed"], story.items(.cause).map(cause)),
            file("harm", Self.head, story.items(.harm).map(row)),
            file(
                "indicators", ["kind", "value", "first seen", "last seen", "devices", "claims"],
                list.indicators.map(indicator)),
            file(
                "same-gap", ["control", "title", "devices", "names"],
                story.summary.gaps.map {
                    [$0.control, $0.title, "\($0.count)", $0.devices.joined(separator: " ")]
                }),
            file("unknowns", ["gap"], story.summary.unknowns.map { [$0] }),
            file(
                "left-out", ["what", "count"],
                CaseExport.Reason.allCases.compactMap { reason in
                    // What people rejected stands in the tables, with their word beside it.
                    reason == .rejected ? nil : told[reason].map { [reason.rawValue, "\($0)"] }
                }),
        ]
        told[.rejected] = nil
        return CaseExport(files, leftOut: told)
    }

    private static let head = [
        "claim", "kind", "time (UTC)", "subject", "object", "techniques", "status", "reason", "because", "rows",
    ]

    private func file(_ name: String, _ head: [String], _ rows: [[String]]) -> CaseExport.File {
        let lines = rows.map { SpreadsheetCSV.line($0.map { .string(Defang.text($0)) }) }
        let text = String(decoding: SpreadsheetCSV.start, as: UTF8.self) + SpreadsheetCSV.header(head) + lines.joined()
        return CaseExport.File(name: "\(story.name)-\(name).csv", text: text)
    }

    private func row(_ item: CaseStory.Item) -> [String] {
        let claim = item.claim
        return [
            claim.id, claim.kind.rawValue, DateTime.format(claim.time), claim.subject, claim.object,
            claim.techniques.joined(separator: " "), item.status.rawValue, item.judgement?.text ?? "", claim.because,
            claim.supports.joined(separator: " "),
        ]
    }

    private func cause(_ item: CaseStory.Item) -> [String] {
        row(item) + [.gap, .proof, .state, .observed].map { (fact: Claim.Fact) in item.claim.facts[fact] ?? "" }
    }

    private func indicator(_ seen: IndicatorList.Seen) -> [String] {
        [
            seen.indicator.kind.rawValue, seen.indicator.value, DateTime.format(seen.first),
            DateTime.format(seen.last), seen.devices.joined(separator: " "), seen.claims.joined(separator: " "),
        ]
    }
}

/// Addresses written so that no program makes a way to them of what a person only wants to read.
package enum Defang {
    package static func text(_ text: String) -> String {
        // Most cells hold neither an address nor a name that could be followed.
        guard text.utf8.contains(UInt8(ascii: ".")) else { return text }
        var out = text.replacing(/(?i)(https?|ftp):\/\/([^\s\/"'<>]+)/) { match -> String in
            let scheme = match.1.lowercased()
            let safe = scheme == "ftp" ? "fxp" : scheme.replacing("tt", with: "xx")
            return "\(safe)://\(match.2.replacing(".", with: "[.]"))"
        }
        out = out.replacing(/\b\d{1,3}(?:\.\d{1,3}){3}\b/) { match -> String in
            let address = String(match.output)
            return Address.parts(address) == nil ? address : address.replacing(".", with: "[.]")
        }
        guard Indicator.isDomain(out) else { return out }
        return out.replacing(".", with: "[.]")
    }
}
