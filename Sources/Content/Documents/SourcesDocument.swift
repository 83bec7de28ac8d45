import Tables

/// `docs/sources.md`: what the content collects, as Markdown.
package enum SourcesDocument {
    private static let services: [(SourceDefinition.Service, String, String)] = [
        (
            .defenderEndpoint, "Defender for Endpoint API",
            "REST calls of `WindowsDefenderATP`. Exports that come in pages and as files are fetched as files above 20,000 devices, or as `exports` in the configuration says."
        ),
        (
            .graphHunting, "Advanced hunting",
            "Queries through Microsoft Graph, split by a hash of the device id so that no answer exceeds the service's limits of rows and bytes."
        ),
        (
            .resourceGraph, "Azure Resource Graph",
            "Devices, sensors and alerts of plants that are connected to Azure: what replaced the management console. Asked when the tenant names `subscriptions`."
        ),
        (
            .iotSensor, "Defender for IoT sensors",
            "Calls of each OT sensor that the configuration names, with an access token made on the sensor."
        ),
        (
            .iotManager, "Defender for IoT management consoles",
            "Calls of each console in `managers`, with an access token made on it. Microsoft retired the console on 2025-01-01; it is asked where one still runs."
        ),
        (
            .web, "Public lists",
            "From their web address, or from a file or a mirror that `feeds` in the configuration names; `off` there leaves a list out."
        ),
    ]

    package static func markdown(_ library: ContentLibrary) -> String {
        var out = """
            # Sources

            What Vestige collects, made from the files in `Content/Sources` by `vestige content document`; do not edit it by hand.

            State tables are compared with the last run and keep only what was added, changed or removed, and a full copy once in
            `keyframeDays`. Event tables keep every event once. Sources *on demand* run when `investigate.sources` in the configuration, or
            `--source`, names them.

            ## What Microsoft has retired

            - **The on-premises management console of Defender for IoT** was retired on 2025-01-01. Sensors go on, also without a cloud: they
              are asked directly here. Connected ones are found in the Azure portal and in the Defender portal instead.
            - **The old advanced-hunting interfaces** (`/api/advancedqueries/run`, `/api/advancedhunting/run`) give no data after 2027-02-01.
              Vestige uses Microsoft Graph's `runHuntingQuery`.
            - **The HTTP Data Collector API** was retired on 2026-09-14. The sink `data-collector` is for workspaces that still take it; use
              `logs-ingestion`.


            """
        for (service, title, text) in services {
            let sources = library.sources.filter { $0.service == service }
            if sources.isEmpty { continue }
            out += "## \(title)\n\n\(text)\n\n| source | what | table | every | permission |\n|---|---|---|---|---|\n"
            for s in sources {
                let demand =
                    s.window != nil
                    ? " *On demand, by windows of time.*"
                    : s.isPerDevice
                        ? " *On demand, for chosen devices.*"
                        : s.isAlternative ? " *On demand, instead of others.*" : ""
                let page = s.documentation.first.map { "[\(s.id)](\($0))" } ?? s.id
                let kind = library.tables[s.table]?.kind == .event ? "events" : "state"
                let permission = s.permissions.isEmpty ? "–" : s.permissions.map { "`\($0)`" }.joined(separator: ", ")
                out +=
                    "| \(page) | \(s.description)\(demand) | `\(s.table)` (\(kind)) | \(interval(s.intervalSeconds)) | \(permission) |\n"
            }
            out += "\n"
        }
        return String(out.dropLast())
    }

    private static func interval(_ seconds: Int) -> String {
        seconds % 86_400 == 0
            ? "\(seconds / 86_400) d" : seconds % 3_600 == 0 ? "\(seconds / 3_600) h" : "\(seconds / 60) min"
    }
}
