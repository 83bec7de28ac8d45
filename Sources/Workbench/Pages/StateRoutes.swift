import Hummingbird
import Tables
import Workspace

/// Whether the server is well, and figures for a monitor.
struct StateRoutes: Sendable {
    let state: WorkbenchState

    func add(to router: Router<BasicRequestContext>) {
        router.get("/healthz") { _, _ in Answer.text("ok\n") }
        router.get("/readyz") { _, _ in
            do throws(WorkspaceError) {
                _ = try state.workspace.schemas()
                return Answer.text("ready\n")
            } catch { return Answer.text("not ready: \(error.message)\n", status: .serviceUnavailable) }
        }
        router.get("/metrics") { _, _ in Answer.text(try metrics(), type: "text/plain; version=0.0.4; charset=utf-8") }
    }

    /// Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/).
    private func metrics() throws -> String {
        var out = ""
        func family(_ name: String, _ help: String, _ samples: [(label: String, value: Int)]) {
            out += "# HELP \(name) \(help)\n# TYPE \(name) gauge\n"
            for s in samples { out += "\(name)\(s.label) \(s.value)\n" }
        }
        func label(_ name: String, _ value: String) -> String {
            "{\(name)=\"\(value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n"))\"}"
        }
        let runs = try state.workspace.lastRuns()
        family("vestige_workspace_bytes", "Size of the workspace.", [("", state.workspace.sizeBytes)])
        family("vestige_table_rows", "Rows of a table.", try state.workspace.rowCounts().sorted { $0.key < $1.key }.map { (label("table", $0.key), $0.value) })
        family(
            "vestige_source_last_run_seconds", "When a source ran last, as Unix time.",
            runs.map { (label("source", $0.source), Int(($0.started - DateTime.unixEpoch) / DateTime.ticksPerSecond)) })
        family("vestige_source_up", "Whether a source's last run succeeded.", runs.map { (label("source", $0.source), $0.error == nil ? 1 : 0) })
        family(
            "vestige_outbox_extents", "Extents that a sink still has to get.",
            try state.workspace.outboxCounts().sorted { $0.key < $1.key }.map { (label("sink", $0.key), $0.value) })
        return out
    }
}
