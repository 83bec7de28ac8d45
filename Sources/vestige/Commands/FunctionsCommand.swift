import ArgumentParser
import Foundation
import Hummingbird
import Logging
import Pipeline
import ServiceLifecycle
import Serving
import Tables
import Workspace

/// The custom handler of Azure Functions: each call of a timer trigger is one run of all sources that are due
/// (https://learn.microsoft.com/azure/azure-functions/functions-custom-handlers).
struct FunctionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "functions",
        abstract: "Collects when Azure Functions calls: the custom handler of a timer trigger.",
        discussion:
            "The host names the port in FUNCTIONS_CUSTOMHANDLER_PORT. docs/hosting.md has the files that a function app needs."
    )

    @OptionGroup var options: SessionOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard
            let port = (environment["FUNCTIONS_CUSTOMHANDLER_PORT"] ?? environment["FUNCTIONS_HTTPWORKER_PORT"])
                .flatMap({ Int($0) })
        else {
            throw OperatorError(
                "there is no port to listen on", got: "FUNCTIONS_CUSTOMHANDLER_PORT is not set",
                means: "this command is started by the Azure Functions host",
                next: "try it by hand with: FUNCTIONS_CUSTOMHANDLER_PORT=7072 vestige functions", isConfiguration: true)
        }
        let session = try Session.open(options, for: .writing)
        let logger = Logs.make(options.console)
        let router = Router(context: BasicRequestContext.self)
        router.get("/") { _, _ in "ready\n" }
        router.post("/:function") { request, context -> Response in
            _ = try await request.body.collect(upTo: 1 << 20)
            return await Self.invoke(context.parameters.get("function") ?? "", session, logger)
        }
        let server = Door().service(
            router, host: "127.0.0.1", port: port, logger: Logs.make(options.console, level: .warning))
        try await ServiceGroup(
            configuration: .init(
                services: [.init(service: server)], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logs.make(options.console, level: .warning))
        ).run()
    }

    /// One run; its outcome in the form that the host reads. A failed run is a failed invocation, so that the host shows it.
    private static func invoke(_ function: String, _ session: Session, _ logger: Logger) async -> Response {
        var lines: [String] = []
        var isFailed = false
        do {
            // Two calls at once, or a call while another collector runs, do not collect twice.
            guard let lock = try CollectorLock.take(workspace: session.configuration.workspace) else {
                return answer(["another run is under way; this call does nothing"], isFailed: false)
            }
            defer { withExtendedLifetime(lock) {} }
            let connections = try await session.connections(only: [], logger: logger)
            let collector = session.collector(connections, allowsEmpty: false)
            let service = CollectService(
                collector: collector, endpoints: connections.endpoints, planner: session.planner,
                workspace: session.workspace
            ) { _ in }
            let report = await collector.run(try service.due())
            await connections.close()
            lines.append("\(function): \(CollectReportText.line(report))")
            lines += [report.clock].compactMap { $0 }
            let failures = connections.failures + report.distinctFailures
            lines += failures.map(\.rendered)
            isFailed = !failures.isEmpty
        } catch {
            lines.append(OperatorError(error, title: "the run failed").rendered)
            isFailed = true
        }
        return answer(lines, isFailed: isFailed)
    }

    private static func answer(_ lines: [String], isFailed: Bool) -> Response {
        let body = Value.bag(
            Bag([("Outputs", .bag(Bag())), ("Logs", .array(lines.map { .string($0) })), ("ReturnValue", .null)]))
        return Response(
            status: isFailed ? .internalServerError : .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(string: JSONWriter.string(body))))
    }
}
