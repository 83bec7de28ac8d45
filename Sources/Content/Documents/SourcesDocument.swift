import Tables

/// `docs/sources.md`: what the content collects, as Markdown.
package enum SourcesDocument {
    package static func markdown(_ library: ContentLibrary) -> String {
        var out = """
            # Sources

            What Vestige collects, made from the files in `Content/Sources` by `vestige content document`; do not edit it by hand.

            State tables are compared with the last run and keep only what was added, changed or removed, and a full copy once in
            `keyframeDays`. Event tables keep every event once. Sources *on demand* run when `investigate.sources` in the configuration, or
            `--source`, names them.

            *Goes back* is how long ago the vendor's service can still be asked about. A source that was off for longer goes on from
            there; what lies between is recorded as a gap, in the run, in `vestige status` and in `VestigeHealth_CL`.

            ## What Microsoft has retired

            - **The on-premises management console of Defender for IoT** was retired on 2025-01-01. Sensors go on, also without a cloud: they
              are asked directly here. Connected ones are found in the Azure portal and in the Defender portal instead.
            - **The old advanced-hunting interfaces** (`/api/advancedqueries/run`, `/api/advancedhunting/run`) give no data after 2027-02-01.
              Vestige uses Microsoft Graph's `runHuntingQuery`.
            - **The HTTP Data Collector API** was retired on 2026-09-14. The sink `data-collector` is for workspaces that still take it; use
              `logs-ingestion`.


            """
        for kind in ServiceKind.all {
            let sources = library.sources.filter { $0.service == kind.service }
            if sources.isEmpty { continue }
            out += "## \(kind.title)\n\n\(kind.summary)\n\n"
            out += "| source | what | table | every | goes back | permission |\n|---|---|---|---|---|---|\n"
            for s in sources {
                let demand =
                    s.window != nil
                    ? " *On demand, by windows of time.*"
                    : s.isPerDevice
                        ? " *On demand, for chosen devices.*"
                        : s.isAlternative ? " *On demand, instead of others.*" : ""
                let page = s.documentation.first.map { "[\(s.id)](\($0))" } ?? s.id
                let rows = library.tables[s.table]?.kind == .event ? "events" : "state"
                let permission = s.permissions.isEmpty ? "–" : s.permissions.map { "`\($0)`" }.joined(separator: ", ")
                out +=
                    "| \(page) | \(s.description)\(demand) | `\(s.table)` (\(rows)) | \(interval(s.intervalSeconds)) "
                out += "| \(s.lookbackMax.map(interval) ?? "–") | \(permission) |\n"
            }
            out += "\n"
        }
        return out + volatile(library)
    }

    /// The columns whose values may lag behind.
    private static func volatile(_ library: ContentLibrary) -> String {
        var out = """
            ## Columns that may lag behind

            A state table gets a row when something changes. These columns do not count as a change: they are as of
            their row, and may be as old as the last full copy (`keyframeDays`, seven days by default). Whether a device
            went silent is therefore told by its state (`HealthStatus`, `SensorHealthState`), not by the age of
            `LastSeen`; how fresh a table as a whole is, by `VestigeHealth_CL`.

            | table | columns |
            |---|---|

            """
        for table in library.tables.values.sorted(by: { $0.name < $1.name }) {
            if table.kind != .state || table.volatile.isEmpty { continue }
            out += "| `\(table.name)` | \(table.volatile.map { "`\($0)`" }.joined(separator: ", ")) |\n"
        }
        return out
    }

    private static func interval(_ seconds: Int) -> String {
        seconds % 86_400 == 0
            ? "\(seconds / 86_400) d" : seconds % 3_600 == 0 ? "\(seconds / 3_600) h" : "\(seconds / 60) min"
    }
}
