import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A server whose answers a test writes itself, and which can pass connections on as a proxy does.
package final class WireServer: Sendable {
    /// A request's first line and header.
    package struct Request: Sendable {
        package let method: String
        package let target: String
        package let headers: [(name: String, value: String)]

        package func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    package enum Reply: Sendable {
        case answer(Int, headers: [(String, String)] = [], body: String = "")
        /// As a proxy answers `CONNECT`: from then on bytes go to and fro.
        case tunnel(host: String, port: Int)
        /// The connection ends without a word.
        case close
    }

    package let port: Int
    private let log: RequestLog

    /// The requests that came in, in their order.
    package var requests: [Request] { log.requests.withLock { $0 } }
    package var address: String { "http://127.0.0.1:\(port)" }

    private init(port: Int, log: RequestLog) {
        self.port = port
        self.log = log
    }

    /// Runs a server for the length of `body`.
    ///
    /// - Parameter respond: what a request gets, and how many came before it.
    package static func use<R>(
        _ respond: @escaping @Sendable (Request, Int) -> Reply, _ body: (WireServer) async throws -> R
    ) async throws -> R {
        let log = RequestLog()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(WireConnection(log, respond))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let port = channel.localAddress?.port else { preconditionFailure("a bound socket has a port") }
        let result: Result<R, any Error>
        do { result = .success(try await body(WireServer(port: port, log: log))) } catch { result = .failure(error) }
        try await channel.close()
        return try result.get()
    }
}

private final class RequestLog: Sendable {
    let requests = Mutex<[WireServer.Request]>([])

    /// Notes a request; how many came before it.
    func note(_ request: WireServer.Request) -> Int {
        requests.withLock { requests in
            requests.append(request)
            return requests.count - 1
        }
    }
}

/// One connection: reads a request's header, answers, and begins anew; or passes bytes on.
private final class WireConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let log: RequestLog
    private let respond: @Sendable (WireServer.Request, Int) -> WireServer.Reply
    private var received: [UInt8] = []
    private var upstream: (any Channel)?

    init(_ log: RequestLog, _ respond: @escaping @Sendable (WireServer.Request, Int) -> WireServer.Reply) {
        self.log = log
        self.respond = respond
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if let upstream {
            upstream.writeAndFlush(buffer, promise: nil)
            return
        }
        received += buffer.readableBytesView
        let text = String(decoding: received, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return }
        let request = Self.request(String(text[..<end.lowerBound]))
        let body = request.header("Content-Length").flatMap { Int($0) } ?? 0
        guard text[end.upperBound...].utf8.count >= body else { return }
        received = []
        switch respond(request, log.note(request)) {
        case .close: context.close(promise: nil)
        case .tunnel(let host, let port): open(host, port, context)
        case .answer(let status, let headers, let body):
            let lines = headers.map { "\($0): \($1)\r\n" }.joined()
            let answer = "HTTP/1.1 \(status) X\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) { upstream?.close(promise: nil) }

    private func open(_ host: String, _ port: Int, _ context: ChannelHandlerContext) {
        let client = context.channel
        ClientBootstrap(group: context.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TunnelEnd(client))
                }
            }
            .connect(host: host, port: port).assumeIsolated().whenComplete { result in
                switch result {
                case .success(let channel):
                    self.upstream = channel
                    client.writeAndFlush(ByteBuffer(string: "HTTP/1.1 200 Connected\r\n\r\n"), promise: nil)
                case .failure: client.close(promise: nil)
                }
            }
    }

    private static func request(_ head: String) -> WireServer.Request {
        let lines = head.split(separator: "\r\n")
        let first = lines.first.map { $0.split(separator: " ").map(String.init) } ?? []
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), String(line[line.index(after: colon)...].drop { $0 == " " }))
        }
        return WireServer.Request(
            method: first.first ?? "", target: first.count > 1 ? first[1] : "", headers: headers)
    }
}

/// The far end of a tunnel: what comes from there goes to the client.
private final class TunnelEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let client: any Channel

    init(_ client: any Channel) { self.client = client }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        client.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { client.close(promise: nil) }
}
