import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Tables

/// How a connection is encrypted.
package enum ChannelSecurity: String, Sendable, CaseIterable {
    /// From the first byte on.
    case tls
    /// After the greeting, by the protocol's own command; what the other side refuses is not sent.
    case starttls
    /// Not at all.
    case none
}

/// A connection for protocols of lines, such as SMTP and syslog over TCP.
package struct LineConnection: Sendable {
    package let host: String
    package let port: Int
    private let channel: any Channel
    private let lines: LineCollector
    private let trust: ServerTrust
    /// Seconds for connecting, and for each answer.
    private static let secondsMax: Int64 = 30
    private static let bytesPerLineMax = 1 << 16

    private init(
        _ host: String, _ port: Int, _ channel: any Channel, _ lines: LineCollector,
        _ trust: ServerTrust
    ) {
        self.host = host
        self.port = port
        self.channel = channel
        self.lines = lines
        self.trust = trust
    }

    /// - Parameter isEncrypted: whether TLS begins at once.
    package static func open(_ host: String, port: Int, isEncrypted: Bool, trust: ServerTrust)
        async throws(ServiceError)
        -> LineConnection
    {
        let lines = LineCollector(bytesMax: bytesPerLineMax)
        do {
            let tls = isEncrypted ? try context(trust) : nil
            let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(secondsMax))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        if let tls {
                            try channel.pipeline.syncOperations.addHandler(
                                NIOSSLClientHandler(context: tls, serverHostname: name(host)))
                        }
                        try channel.pipeline.syncOperations.addHandler(LineHandler(lines))
                    }
                }
            let channel = try await bootstrap.connect(host: host, port: port).get()
            return LineConnection(host, port, channel, lines, trust)
        } catch { throw trouble(error, host, port) }
    }

    private static func context(_ trust: ServerTrust) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        switch trust {
        case .system: break
        case .certificate(let file, let checksHost):
            configuration.trustRoots = .file(file)
            configuration.certificateVerification =
                checksHost ? .fullVerification : .noHostnameVerification
        case .any: configuration.certificateVerification = .none
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// A name for the handshake; addresses have none.
    private static func name(_ host: String) -> String? {
        (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
    }

    /// Encrypts what follows.
    package func encrypt() async throws(ServiceError) {
        do {
            let tls = try Self.context(trust)
            let (channel, host, port, lines) = (channel, host, port, lines)
            try await channel.eventLoop.submit {
                // What came in the clear would be taken for the first answers of the encrypted session (CVE-2011-0411).
                guard lines.isDrained else {
                    throw ServiceError(
                        tried: "encrypting the connection to \(host):\(port)",
                        got: "the other side sent more than its answer before encryption began",
                        means: "somebody on the way may be changing the traffic",
                        next: "set 'security: tls' with its port; if it stays, look at the network in between")
                }
                let handler = try NIOSSLClientHandler(context: tls, serverHostname: Self.name(host))
                try channel.pipeline.syncOperations.addHandler(handler, position: .first)
            }.get()
        } catch { throw Self.trouble(error, host, port) }
    }

    package func send(_ bytes: [UInt8]) async throws(ServiceError) {
        do { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() } catch {
            // What the handshake or the other side had against it says more than that the channel is closed.
            throw Self.trouble(lines.failure ?? error, host, port)
        }
    }

    /// The next line, without its end.
    package func line() async throws(ServiceError) -> String {
        let channel = channel
        let lines = lines
        let deadline = channel.eventLoop.scheduleTask(in: .seconds(Self.secondsMax)) {
            lines.fail(ChannelError.connectTimeout(.seconds(Self.secondsMax)))
            channel.close(promise: nil)
        }
        defer { deadline.cancel() }
        do { return try await lines.next() } catch { throw Self.trouble(error, host, port) }
    }

    /// Ends the connection, after everything that was sent is on its way.
    package func close() async { try? await channel.close().get() }

    private static func trouble(_ error: any Error, _ host: String, _ port: Int) -> ServiceError {
        if let known = error as? ServiceError { return known }
        let text = String(describing: error)
        let tried = "connecting to \(host):\(port)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("hostname")
            || error is NIOSSLExtraError
        {
            return ServiceError(
                tried: tried, got: "the certificate of \(host) is not trusted (\(text.prefix(200)))",
                next: "save the certificate of its authority in a file and name it under 'certificate'")
        }
        if text.contains("imeout") {
            return ServiceError(
                tried: tried, got: "no answer in time",
                means: "the host is down, or a firewall drops the traffic",
                next: "check host and port", isRetryable: true)
        }
        return ServiceError(
            tried: tried, got: String(text.prefix(300)),
            next: "check host and port, and that the server runs",
            isRetryable: true)
    }
}

/// A line that does not end where any line of the protocol would.
struct LineTooLong: Error, CustomStringConvertible {
    let bytesMax: Int

    var description: String { "the other side sent more than \(bytesMax) bytes without the end of a line" }
}

/// Lines that came, and who waits for the next one.
final class LineCollector: @unchecked Sendable {
    // Guarded by `lock`; a mutex cannot hold a continuation across its own body.
    private let lock = NSLock()
    private var ready: [String] = []
    private var rest: [UInt8] = []
    private var waiting: CheckedContinuation<String, any Error>?
    private var error: (any Error)?
    private let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    /// Whether everything that came was read.
    var isDrained: Bool { lock.withLock { ready.isEmpty && rest.isEmpty } }

    /// Why nothing comes any more.
    var failure: (any Error)? { lock.withLock { error } }

    func add(_ bytes: [UInt8]) {
        let resume = lock.withLock { () -> (() -> Void)? in
            rest += bytes
            while let end = rest.firstIndex(of: 10) {
                var line = rest[..<end]
                if line.last == 13 { line.removeLast() }
                ready.append(String(decoding: line, as: UTF8.self))
                rest.removeSubrange(...end)
            }
            if rest.count > bytesMax, error == nil { error = LineTooLong(bytesMax: bytesMax) }
            if let error, ready.isEmpty, let waiting {
                self.waiting = nil
                return { waiting.resume(throwing: error) }
            }
            guard let waiting, !ready.isEmpty else { return nil }
            self.waiting = nil
            let line = ready.removeFirst()
            return { waiting.resume(returning: line) }
        }
        resume?()
    }

    func fail(_ error: any Error) {
        let waiting = lock.withLock { () -> CheckedContinuation<String, any Error>? in
            if self.error == nil { self.error = error }
            defer { self.waiting = nil }
            return self.waiting
        }
        waiting?.resume(throwing: error)
    }

    func next() async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            let resume = lock.withLock { () -> (() -> Void)? in
                if !ready.isEmpty {
                    let line = ready.removeFirst()
                    return { continuation.resume(returning: line) }
                }
                if let error { return { continuation.resume(throwing: error) } }
                waiting = continuation
                return nil
            }
            resume?()
        }
    }
}

/// Hands what comes to the collector.
private final class LineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let lines: LineCollector

    init(_ lines: LineCollector) { self.lines = lines }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        lines.add(buffer.readBytes(length: buffer.readableBytes) ?? [])
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lines.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { lines.fail(ChannelError.eof) }
}
