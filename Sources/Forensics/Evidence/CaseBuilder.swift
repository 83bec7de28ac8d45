import KQLEngine
import Tables

/// Makes a case of an investigation: its statements as claims, each with the rows behind it.
package struct CaseBuilder {
    private let engine: Engine

    package init(provider: any TableProvider) { engine = Engine(provider: provider) }

    /// Adds what an investigation found; what is there already stays as it is.
    ///
    /// - Parameters:
    ///   - now: ticks.
    ///   - author: the program with its version.
    /// - Throws: `QueryError`.
    package func add(_ result: Investigation, to file: inout CaseFile, now: Int64, author: String) throws {
        var digests: [RowReference: String] = [:]
        func rows(_ references: [RowReference]) throws -> [String] {
            var found: [String] = []
            for reference in Set(references).sorted().prefix(20) {
                if let known = digests[reference] {
                    found.append(known)
                    continue
                }
                guard let row = try row(reference) else { continue }
                let digest = Digest.hex(row)
                digests[reference] = digest
                file.add(
                    .row, id: digest, body: ["table": .string(reference.table), "row": row], now: now, actor: author,
                    action: "take")
                found.append(digest)
            }
            return found
        }
        func claim(
            _ kind: Claim.Kind, _ subject: String, _ object: String, _ techniques: [String], _ time: Int64,
            _ because: String, _ references: [RowReference]
        ) throws {
            let supports = try rows(references)
            // Nothing is claimed without a row.
            guard !supports.isEmpty else { return }
            let claim = Claim(
                kind, subject: subject, object: object, techniques: techniques, time: time, because: because,
                supports: supports)
            file.add(.claim, id: claim.id, body: claim.json, now: now, actor: author, action: "state")
        }
        if let entry = result.entry {
            try claim(.entry, result.name(entry.device), entry.vector, entry.techniques, entry.time, "", entry.rows)
        }
        for movement in result.movements {
            try claim(
                .movement, result.name(movement.from), result.name(movement.to), [movement.technique], movement.time,
                movement.how, movement.rows.map(\.reference))
        }
        for mark in result.marks {
            try claim(
                .technique, result.name(mark.row.device), mark.hunt.slug, mark.hunt.techniques, mark.row.time,
                "\(mark.hunt.title) (\(mark.hunt.version))", [mark.row.reference])
        }
        for harm in result.harm {
            try claim(.harm, result.name(harm.device), harm.what, harm.techniques, harm.time, "", harm.rows)
        }
        for cause in result.causes {
            try claim(
                .cause, result.name(cause.device), cause.control, cause.techniques, cause.time,
                "\(cause.proof.rawValue): \(cause.because)", cause.rows)
        }
        for held in result.held {
            try claim(.prevented, result.name(held.device), held.control, [held.technique], held.time, "", [held.row])
        }
    }

    /// A row as it is stored, without the columns that are empty.
    private func row(_ reference: RowReference) throws -> JSON? {
        let isPlant = reference.table.hasPrefix("IoT")
        let time = reference.table == "IoTAlerts_CL" ? "AlertTime" : isPlant ? "EventTime" : "Timestamp"
        var query = "\(reference.table) | where \(time) == datetime(\(DateTime.format(reference.time)))"
        if !isPlant {
            query += " and DeviceId == \(Estate.literal(reference.device)) and ReportId == \(reference.report)"
        }
        if reference.table == "IoTEvents_CL" { query += " and Content has \(Estate.literal(reference.device))" }
        let table = try engine.run(query + " | take 1").primary
        guard let row = try table.rows().first else { return nil }
        let cells = zip(table.schema.names, row).filter { !$1.isNull && $1 != .string("") }.map { ($0, JSON($1)) }
        return Digest.canonical(.object(JSON.Members(cells)))
    }
}
