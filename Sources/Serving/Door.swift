import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle

/// The one way into every HTTP server of the program: what a connection may take, what a request must be like, who
/// may ask, and what every answer says to browsers.
///
/// A request passes, in this order: `ConnectionGate` (limits, form, host; before anything is made of the request),
/// then the middlewares `PolicyHeaders`, `ErrorAnswers`, `SiteGuard`, `Compression`, `Methods`, those of the server
/// (such as sign-in), and the router.
package struct Door: Sendable {
    private let form: RequestForm
    private let limits: DoorLimits
    private let pages: [RouterPath]
    private let ignoresCase: Bool
    private let isSecure: Bool
    private let packs: Bool
    private let onRefusal: DoorWatch?

    /// - Parameters:
    ///   - pages: the paths that a link of another site may lead to.
    ///   - isSecure: whether clients come over TLS.
    ///   - ignoresCase: whether the router does.
    ///   - packs: whether answers are packed for clients that take them so.
    ///   - onRefusal: gets each request that is not let in.
    package init(
        names: ServedNames = .loopback(), limits: DoorLimits = DoorLimits(), pages: [RouterPath] = [],
        isSecure: Bool = false, ignoresCase: Bool = false, packs: Bool = true, onRefusal: DoorWatch? = nil
    ) {
        form = RequestForm(names: names, isSecure: isSecure, bodyBytesMax: limits.bodyBytesMax)
        self.limits = limits
        self.pages = pages
        self.isSecure = isSecure
        self.ignoresCase = ignoresCase
        self.packs = packs
        self.onRefusal = onRefusal
    }

    /// What answers requests: the door's middlewares before the router, which has those of the server (such as
    /// sign-in).
    package func responder<Context: RequestContext>(
        _ router: Router<Context>
    ) -> some HTTPResponder<Context> {
        var own: [any MiddlewareProtocol<Request, Response, Context>] = [
            PolicyHeaders(isSecure: isSecure), ErrorAnswers(),
            SiteGuard(isSecure: isSecure, pages: pages, onRefusal: onRefusal),
        ]
        if packs { own.append(Compression()) }
        own.append(Methods(router, ignoresCase: ignoresCase, onRefusal: onRefusal))
        var responder: any HTTPResponder<Context> = router.buildResponder()
        for middleware in own.reversed() {
            responder = Passage(middleware: middleware, next: responder)
        }
        return Whole(first: responder)
    }

    /// What reads connections; `HTTPServerBuilder.tls` goes around it.
    package var channels: HTTPServerBuilder {
        let (form, limits, onRefusal) = (form, limits, onRefusal)
        let connections = limits.connectionsThatFit
        let table = ConnectionTable(connectionsMax: connections, bytesHeldMax: limits.bodyBytesHeldMax)
        return HTTPServerBuilder { responder in
            GatedChannel(
                base: HTTP1Channel(responder: responder), form: form, limits: limits, table: table,
                onRefusal: onRefusal)
        }
    }

    /// The server; `onRunning` gets its port once it listens.
    package func service<Context: RequestContext>(
        _ router: Router<Context>,
        host: String, port: Int, logger: Logger, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some Service where Context: InitializableFromSource<ApplicationRequestContextSource> {
        service(
            router, over: channels, host: host, port: port, logger: logger,
            onRunning: onRunning)
    }

    /// The same over other channels, such as those of TLS around the door's own.
    package func service<Context: RequestContext>(
        _ router: Router<Context>,
        over channels: HTTPServerBuilder, host: String, port: Int, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) -> some Service where Context: InitializableFromSource<ApplicationRequestContextSource> {
        Application(
            responder: responder(router), server: channels,
            configuration: .init(address: .hostname(host, port: port), serverName: "Vestige"),
            onServerRunning: { channel in await onRunning(channel.localAddress?.port ?? 0) }, logger: logger)
    }
}

/// A middleware before what comes after it.
private struct Passage<Context: RequestContext>: HTTPResponder {
    let middleware: any MiddlewareProtocol<Request, Response, Context>
    let next: any HTTPResponder<Context>

    func respond(to request: Request, context: Context) async throws -> Response {
        try await middleware.handle(request, context: context) { try await next.respond(to: $0, context: $1) }
    }
}

/// All of them, as one.
private struct Whole<Context: RequestContext>: HTTPResponder {
    let first: any HTTPResponder<Context>

    func respond(to request: Request, context: Context) async throws -> Response {
        try await first.respond(to: request, context: context)
    }
}

/// A connection with its gate behind the decoder.
private struct GatedChannel: ServerChildChannel {
    let base: HTTP1Channel
    let form: RequestForm
    let limits: DoorLimits
    let table: ConnectionTable
    let onRefusal: DoorWatch?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let gate = ConnectionGate(form: form, limits: limits, table: table, onRefusal: onRefusal)
            try pipeline.addHandler(gate, position: .after(decoder))
            try pipeline.addHandler(ByteWatch(gate), position: .before(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
