import Tables

/// A case as people read it: what the page, the printed report and the exports are drawn from.
package struct CaseStory: Sendable {
    /// A claim with its rows and with what people said of it.
    package struct Item: Sendable {
        package let claim: Claim
        package let rows: [CaseRow]
        package let judgement: CaseNote?

        package var status: Claim.Status { judgement?.status ?? .machine }
    }

    package let name: String
    /// Ticks.
    package let opened: Int64
    /// The digest of the ledger's last entry.
    package let root: String
    package let summary: CaseSummary
    /// In order of time; what people rejected too.
    package let items: [Item]
    /// Claims that this version of the program cannot read.
    package let unread: Int
    /// What people wrote on the whole case.
    package let notes: [CaseNote]

    package init(_ file: CaseFile) {
        name = file.id
        opened = file.opened
        root = file.root
        var rows: [String: CaseRow] = [:]
        for object in file.objects where object.kind == .row {
            if let table = object.body["table"]?.string, let row = object.body["row"] {
                rows[object.id] = CaseRow(table: table, row: row)
            }
        }
        let judgements = file.judgements
        let claims = file.statements
        items = claims.sorted { ($0.time, $0.kind.rawValue, $0.id) < ($1.time, $1.kind.rawValue, $1.id) }.map {
            Item(claim: $0, rows: $0.supports.compactMap { rows[$0] }, judgement: judgements[$0.id])
        }
        unread = file.claims.count - claims.count
        notes = file.notes.filter { $0.claim == nil }
        summary = file.summary ?? Self.summary(of: claims)
    }

    /// What can be told of a case that holds no summary.
    private static func summary(of claims: [Claim]) -> CaseSummary {
        let wasIn = claims.contains { $0.kind == .entry || $0.kind == .harm }
        let firsts = Dictionary(
            claims.filter { $0.kind != .prevented && $0.kind != .cause }.map { ($0.subject, $0.time) },
            uniquingKeysWith: min)
        let devices = firsts.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map {
            CaseSummary.Device(id: $0.key, name: $0.key, firstSign: $0.value, isPlant: false)
        }
        var summary = CaseSummary(
            verdict: wasIn ? .intrusion : claims.contains { $0.kind == .prevented } ? .prevented : .unknown,
            devices: wasIn ? devices : [])
        summary.unknowns = ["the case holds no summary of its investigation: open it again to have one"]
        return summary
    }

    /// The claims of a kind that nobody rejected come first; what was rejected stays in sight.
    package func items(_ kind: Claim.Kind) -> [Item] {
        let all = items.filter { $0.claim.kind == kind }
        return all.filter { $0.status != .rejected } + all.filter { $0.status == .rejected }
    }

    package func item(_ claim: String) -> Item? { items.first { $0.claim.id == claim } }

    /// What nobody rejected.
    package var standing: [Item] { items.filter { $0.status != .rejected } }

    /// The last thing that the intruder did, as far as rows tell; ticks.
    package var lastSign: Int64? {
        standing.filter { [.entry, .movement, .technique, .harm].contains($0.claim.kind) }.map(\.claim.time).max()
    }

    /// The verdict in one sentence.
    package var headline: String {
        switch summary.verdict {
        case .intrusion:
            let count = "\(summary.devices.count) device\(summary.devices.count == 1 ? "" : "s")"
            let first = summary.devices.first.map { "first sign \(TextReport.time($0.firstSign)) UTC, " }
            return "Someone got in: \(first ?? "")\(count)"
        case .prevented: return "An attempt was stopped"
        case .none: return "Nothing found that is not a habit of this estate"
        case .unknown: return "Not known: the rows that would tell are not there"
        }
    }
}
