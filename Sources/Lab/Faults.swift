import Foundation
import Hummingbird
import NIOCore
import Synchronization
import Tables

/// How often an injected fault happened, and how often it would still happen.
package struct FaultTally: Sendable, Equatable {
    package let path: String
    package let met: Int
    package let left: Int
}

/// A fault to inject: of the requests whose path and query hold `path`, `after` pass, and the next `times` go wrong like
/// this.
struct Fault: Sendable {
    enum Kind: Sendable {
        /// This answer instead of the real one.
        case answer(status: Int, retryAfter: Int?, body: String?, type: String)
        /// Half of the real answer's body, as if it were all.
        case cutShort
        /// The connection breaks after half of the real answer's body.
        case reset
        /// The service does what was asked, and the connection breaks before it says so.
        case lostAnswer
        /// The real answer's body comes in small pieces, with this many milliseconds between them.
        case drip(milliseconds: Int)
        /// The real answer is held back until the faults are cleared.
        case held
    }

    var path: String
    var times: Int
    var after: Int
    /// How often it happened.
    var met = 0
    var kind: Kind

    var tally: FaultTally { FaultTally(path: path, met: met, left: times) }

    /// Reads a fault as `/lab/faults` takes it: `path`, `times`, `after`, and either `status` with `retryAfter`, `body` and
    /// `type`, or one of `truncates`, `resets`, `losesAnswer`, `holds` and `dripMilliseconds`.
    init(_ fault: JSON) {
        path = fault["path"]?.string ?? ""
        times = Int(fault["times"]?.integer ?? 1)
        after = Int(fault["after"]?.integer ?? 0)
        if fault["truncates"]?.bool == true {
            kind = .cutShort
        } else if fault["resets"]?.bool == true {
            kind = .reset
        } else if fault["losesAnswer"]?.bool == true {
            kind = .lostAnswer
        } else if fault["holds"]?.bool == true {
            kind = .held
        } else if let milliseconds = fault["dripMilliseconds"]?.integer {
            kind = .drip(milliseconds: Int(milliseconds))
        } else {
            kind = .answer(
                status: Int(fault["status"]?.integer ?? 500), retryAfter: fault["retryAfter"]?.integer.map { Int($0) },
                body: fault["body"]?.string, type: fault["type"]?.string ?? "application/json; charset=utf-8")
        }
    }
}

/// Injects the faults that were asked for.
struct FaultMiddleware<Context: RequestContext>: RouterMiddleware {
    let lab: LabState

    /// The connection is to break.
    private struct Broken: Error {}

    func handle(_ request: Request, context: Context, next: (Request, Context) async throws -> Response) async throws
        -> Response
    {
        let path = request.uri.path
        if path.hasPrefix("/lab/") { return try await next(request, context) }
        let place = request.uri.string.removingPercentEncoding ?? request.uri.string
        lab.note(request: "\(request.method.rawValue) \(place)")
        let clearings = lab.clearings
        guard let fault = lab.fault(for: place) else { return try await next(request, context) }
        if case .answer(let status, let retryAfter, let body, let type) = fault.kind {
            let headers = retryAfter.map { [("Retry-After", String($0))] } ?? []
            if let body { return Reply.raw(Array(body.utf8), status: status, type: type, headers: headers) }
            return Reply.defenderError(
                status, status == 429 ? "429" : "InjectedFault",
                "API calls quota exceeded! maximum allowed 45 per 00:01:00", headers: headers)
        }
        var response = try await next(request, context)
        let collector = BodyCollector()
        try await response.body.write(collector)
        let bytes = collector.bytes
        switch fault.kind {
        case .answer: break
        case .held:
            while lab.clearings == clearings { try await Task.sleep(for: .milliseconds(5)) }
            response.body = .init(byteBuffer: ByteBuffer(bytes: bytes))
        case .cutShort:
            response.headers[.contentLength] = nil
            response.body = .init(byteBuffer: ByteBuffer(bytes: bytes.prefix(bytes.count / 2)))
        case .reset:
            response.body = .init { writer in
                try await writer.write(ByteBuffer(bytes: bytes.prefix(bytes.count / 2)))
                throw Broken()
            }
        case .lostAnswer: response.body = .init { _ in throw Broken() }
        case .drip(let milliseconds):
            response.body = .init(contentLength: bytes.count) { writer in
                let piece = max(1, bytes.count / 5)
                for start in stride(from: 0, to: bytes.count, by: piece) {
                    try await Task.sleep(for: .milliseconds(milliseconds))
                    try await writer.write(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + piece)]))
                }
                try await writer.finish(nil)
            }
        }
        return response
    }
}

/// Keeps a response's body.
final class BodyCollector: ResponseBodyWriter, Sendable {
    private let kept = Mutex<[UInt8]>([])
    var bytes: [UInt8] { kept.withLock { $0 } }

    func write(_ buffer: ByteBuffer) async throws { kept.withLock { $0 += buffer.readableBytesView } }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
