import Hummingbird
import HummingbirdCore
import Logging
import Pipeline
import ServiceLifecycle
import Serving

/// What a collector tells those who watch it: `/metrics` for Prometheus, `/healthz` for whoever starts it again when it
/// hangs.
package struct MetricsServer: Sendable {
    private let options: WorkbenchOptions
    private let access: ServerAccess?
    private let health: @Sendable () throws -> HealthReport

    /// - Parameter access: who may ask; nil for everybody on this machine.
    package init(
        _ options: WorkbenchOptions, access: ServerAccess? = nil, health: @escaping @Sendable () throws -> HealthReport
    ) {
        self.options = options
        self.access = access
        self.health = health
    }

    static func answer(_ report: HealthReport) -> Response {
        Answer.text(PrometheusText.write(report), type: "text/plain; version=0.0.4; charset=utf-8")
    }

    /// The server; `onRunning` gets its port once it listens.
    package func service(logger: Logger, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }) -> some Service
    {
        let router = Router(context: BasicRequestContext.self)
        let health = health
        if let access {
            router.add(middleware: RequestAudit(access: access))
            router.add(middleware: AccessControl(access: access))
        }
        router.get("/metrics") { _, _ in
            Self.answer(try health())
        }
        // It answers, so it lives; what is wrong with a source is for the metrics to tell.
        router.get("/healthz") { _, _ in Answer.text("ok\n") }
        return Door(options, access).service(router, options, access: access, logger: logger, onRunning: onRunning)
    }
}
