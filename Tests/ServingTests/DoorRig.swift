import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Serving
import Synchronization

/// A server behind a door, with a page, a question, and what a test can bring to its limits.
enum DoorRig {
    /// Lets `/held` answer.
    final class Latch: Sendable {
        private let stream = AsyncStream<Void>.makeStream()
        private let entered = AsyncStream<Void>.makeStream()

        /// Waits, as an answer that takes long does.
        func pass() async {
            entered.continuation.yield()
            for await _ in stream.stream { return }
        }

        /// Waits until somebody waits.
        func untilEntered() async { for await _ in entered.stream { return } }

        func open() { stream.continuation.finish() }
    }

    private struct Fault: Error {}

    static func use(
        _ names: ServedNames = .loopback(), limits: DoorLimits = DoorLimits(), latch: Latch = Latch(),
        onRefusal: DoorWatch? = nil,
        _ body: @Sendable (Int) async throws -> Void
    ) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let ports = AsyncStream.makeStream(of: Int.self)
        let door = Door(names: names, limits: limits, pages: ["/page", "/page/:id"], onRefusal: onRefusal)
        let service = door.service(router(latch), host: "127.0.0.1", port: 0, logger: logger) {
            ports.continuation.yield($0)
        }
        let group = ServiceGroup(configuration: .init(services: [.init(service: service)], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.stream.makeAsyncIterator()
            guard let port = await iterator.next() else { return }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(port)) } catch { outcome = .failure(error) }
            latch.open()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try outcome.get()
        }
    }

    private static func router(_ latch: Latch) -> Router<BasicRequestContext> {
        let router = Router(context: BasicRequestContext.self)
        router.get("/page") { _, _ in text("page") }
        router.get("/page/:id") { _, context in text(context.parameters.get("id") ?? "none") }
        router.get("/query") { _, _ in text("answer") }
        router.post("/query") { request, _ in text("\(try await request.body.collect(upTo: 8 << 20).readableBytes)") }
        router.get("/long") { _, _ in text(String(repeating: "many words ", count: 1_000)) }
        router.get("/huge") { _, _ in text(String(repeating: "x", count: 64 << 20)) }
        router.get("/fails") { _, _ -> Response in throw Fault() }
        router.get("/held") { _, _ in
            await latch.pass()
            return text("late")
        }
        router.post("/held") { request, _ in
            let size = try await request.body.collect(upTo: 8 << 20).readableBytes
            await latch.pass()
            return text("late \(size)")
        }
        return router
    }

    private static func text(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// A request's text, with the host that a server on `port` answers to.
func request(
    _ line: String, _ port: Int, host: String? = nil, _ fields: [String] = [], body: String = ""
) -> String {
    let lines = ["\(line) HTTP/1.1", "Host: \(host ?? "127.0.0.1:\(port)")"] + fields
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
}
