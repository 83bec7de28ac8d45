import Content
import KQLEngine
import Tables

/// Makes a case of an investigation: its statements as claims, each with the rows behind it, and what it says as a
/// whole.
package struct CaseBuilder {
    private let provider: any TableProvider
    private let library: ContentLibrary
    private let engine: Engine
    /// Rows that a claim keeps.
    private static let rowsMax = 20

    /// - Parameter library: what the states of controls are read by.
    package init(provider: any TableProvider, library: ContentLibrary) {
        self.provider = provider
        self.library = library
        engine = Engine(provider: provider)
    }

    /// A statement before its rows are found.
    private struct Draft {
        let kind: Claim.Kind
        let subject: String
        let object: String
        var techniques: [String] = []
        let time: Int64
        var because = ""
        let rows: [RowReference]
        var facts: [Claim.Fact: String] = [:]
    }

    /// Adds what an investigation found; what is there already stays as it is.
    ///
    /// - Parameters:
    ///   - now: ticks.
    ///   - author: the program with its version.
    /// - Throws: `QueryError`.
    package func add(_ result: Investigation, to file: inout CaseFile, now: Int64, author: String) throws {
        let drafts = drafts(result)
        let wanted = drafts.flatMap { Set($0.rows).sorted().prefix(Self.rowsMax) }
        let found = try EvidenceQuery.find(wanted, engine)
        var digests: [RowReference: String] = [:]
        var summary = CaseSummary(verdict: result.verdict, devices: devices(result))
        summary.unknowns = result.unknowns
        summary.setAside = result.setAside.mapValues { Int64($0) }
        for draft in drafts {
            var supports: [String] = []
            for reference in Set(draft.rows).sorted().prefix(Self.rowsMax) {
                guard let row = found[reference] else { continue }
                let digest = digests[reference] ?? Digest.hex(row)
                digests[reference] = digest
                if !supports.contains(digest) { supports.append(digest) }
                file.add(
                    .row, id: digest, body: ["table": .string(reference.table), "row": row], now: now, actor: author,
                    action: "take")
            }
            guard !supports.isEmpty else {
                // Nothing is claimed without a row: what was only inferred is told as what it is.
                summary.unknowns.append(
                    "no row proves: \(draft.kind.rawValue), \(draft.subject), \(draft.object) at "
                        + "\(TextReport.time(draft.time))")
                continue
            }
            let claim = Claim(
                draft.kind, subject: draft.subject, object: draft.object, techniques: draft.techniques,
                time: draft.time, because: draft.because, supports: supports, facts: draft.facts)
            file.add(.claim, id: claim.id, body: claim.json, now: now, actor: author, action: "state")
        }
        if !result.devices.isEmpty {
            let reader = try PostureReader(Estate(provider: provider, library: library, window: nil), result)
            summary.posture = reader.posture()
            summary.gaps = try reader.gaps()
        }
        let body = summary.json
        file.add(
            .summary, id: String(Digest.hex(body).prefix(16)), body: body, now: now, actor: author, action: "state")
    }

    private func devices(_ result: Investigation) -> [CaseSummary.Device] {
        result.devices.map { id, first in
            CaseSummary.Device(id: id, name: result.name(id), firstSign: first, isPlant: id.hasPrefix("iot:"))
        }.sorted { ($0.firstSign, $0.id) < ($1.firstSign, $1.id) }
    }

    private func drafts(_ result: Investigation) -> [Draft] {
        var drafts: [Draft] = []
        if let entry = result.entry {
            drafts.append(
                Draft(
                    kind: .entry, subject: result.name(entry.device), object: entry.vector,
                    techniques: entry.techniques, time: entry.time, rows: entry.rows))
        }
        drafts += result.movements.map { movement in
            Draft(
                kind: .movement, subject: result.name(movement.from), object: result.name(movement.to),
                techniques: [movement.technique], time: movement.time, because: movement.how,
                rows: movement.rows.map(\.reference), facts: [.account: movement.account])
        }
        drafts += result.marks.map { mark in
            Draft(
                kind: .technique, subject: result.name(mark.row.device), object: mark.hunt.slug,
                techniques: mark.hunt.techniques, time: mark.row.time,
                because: "\(mark.hunt.title) (\(mark.hunt.version))", rows: [mark.row.reference],
                facts: [.title: mark.hunt.title, .version: "\(mark.hunt.version)"])
        }
        drafts += result.harm.map { harm in
            Draft(
                kind: .harm, subject: result.name(harm.device), object: harm.what, techniques: harm.techniques,
                time: harm.time, rows: harm.rows)
        }
        drafts += result.causes.map { cause in
            var facts: [Claim.Fact: String] = [.gap: cause.kind.rawValue, .proof: cause.proof.rawValue]
            if let state = cause.state {
                facts[.state] = state.shown
                facts[.observed] = DateTime.format(state.observed)
                facts[.stateTable] = state.table
            }
            return Draft(
                kind: .cause, subject: result.name(cause.device), object: cause.control,
                techniques: cause.techniques, time: cause.time, because: "\(cause.proof.rawValue): \(cause.because)",
                rows: cause.rows, facts: facts)
        }
        drafts += result.held.map { held in
            Draft(
                kind: .prevented, subject: result.name(held.device), object: held.control,
                techniques: [held.technique], time: held.time, rows: [held.row])
        }
        return drafts
    }
}
