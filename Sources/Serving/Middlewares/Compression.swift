import Hummingbird
import NIOCore
import Synchronization
import Tables

/// Packs answers for clients that take them packed.
///
/// The length of a packed answer tells of repetitions in it. Where an answer holds a secret and something that the
/// asker chose, who sees lengths and can make a browser ask again and again reads the secret letter by letter
/// (BREACH, https://www.breachattack.com). Pages for somebody who signed in hold such a secret, the mark of their
/// forms: what is asked with a cookie is not packed. Other answers hold no secret, and a program's token cannot be
/// sent by another's page.
struct Compression<Context: RequestContext>: RouterMiddleware {
    /// Less is not worth the work; more is for programs on this machine, which gain nothing.
    private static var sizes: ClosedRange<Int> { 1_024...(16 << 20) }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard let type = response.headers[.contentType], Self.isText(type), response.status != .noContent else {
            return response
        }
        response.headers[.vary] = "Accept-Encoding"
        guard Self.acceptsGzip(request.headers[values: .acceptEncoding]), !request.headers.contains(.cookie),
            !response.headers.contains(.contentEncoding), let size = response.body.contentLength,
            Self.sizes.contains(size)
        else { return response }
        let plain = BodyBytes()
        try await response.body.write(plain)
        let bytes = plain.bytes
        if let packed = Deflate.compress(bytes, .gzip, level: 1), packed.count < bytes.count {
            response.headers[.contentEncoding] = "gzip"
            response.body = .init(byteBuffer: ByteBuffer(bytes: packed))
        } else {
            response.body = .init(byteBuffer: ByteBuffer(bytes: bytes))
        }
        return response
    }

    private static func isText(_ type: String) -> Bool {
        let type = type.lowercased()
        return type.hasPrefix("text/") || type.hasPrefix("application/json") || type.hasPrefix("image/svg+xml")
    }

    /// Whether gzip is among the codings that a client takes (https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3).
    static func acceptsGzip(_ values: [String]) -> Bool {
        var weights: [String: Double] = [:]
        for item in values.joined(separator: ",").split(separator: ",") {
            let parts = item.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let name = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            weights[name] = weight
        }
        return (weights["gzip"] ?? weights["x-gzip"] ?? weights["*"] ?? 0) > 0
    }
}

/// Keeps an answer's body.
private final class BodyBytes: ResponseBodyWriter, Sendable {
    private let kept = Mutex<[UInt8]>([])
    var bytes: [UInt8] { kept.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws { kept.withLock { $0 += buffer.readableBytesView } }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
