import Hummingbird
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
        router.get("/metrics") { _, _ in MetricsServer.answer(try state.health()) }
    }
}
