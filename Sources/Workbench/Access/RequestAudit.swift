import Foundation
import Hummingbird
import NIOCore
import Pipeline
import Serving

typealias HTTPField = HTTPFields.Element

/// What the workbench's routes know of a request besides itself: where it comes from.
struct WorkbenchContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?

    init(source: Source) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
    }
}

/// The context that every route of this target is written for.
typealias BasicRequestContext = WorkbenchContext

/// Around all routes: knows whom a request comes from, and writes down what became of it.
struct RequestAudit<Context: RemoteAddressRequestContext>: RouterMiddleware {
    let access: ServerAccess

    func handle(_ request: Request, context: Context, next: (Request, Context) async throws -> Response) async throws
        -> Response
    {
        let peer = context.remoteAddress?.ipAddress ?? "local"
        let trail = RequestTrail(address: access.client(of: request, peer: peer))
        let began = ContinuousClock.now
        let outcome: Result<Response, any Error>
        do {
            outcome = .success(
                try await RequestTrail.$current.withValue(trail) { try await next(request, context) })
        } catch { outcome = .failure(error) }
        let status: HTTPResponse.Status? =
            switch outcome {
            case .success(let response): response.status
            // What the door makes of an error that says nothing of its own.
            case .failure(is CancellationError): nil
            case .failure(let error): (error as? any HTTPResponseError)?.status ?? .internalServerError
            }
        access.note(
            request, trail, status: status, milliseconds: Int((ContinuousClock.now - began).seconds * 1_000))
        return try outcome.get()
    }
}

extension ServerAccess {
    /// Where a request comes from. A proxy on this machine says it in the last place of `X-Forwarded-For`, which it
    /// wrote itself; what stands before that anybody may have written.
    func client(of request: Request, peer: String) -> String {
        client(forwardedFor: request.headers[values: Self.forwardedFor], peer: peer)
    }

    private func client(forwardedFor: [String], peer: String) -> String {
        guard isBehindProxy, let field = forwardedFor.last,
            let last = field.split(separator: ",").last?.trimmingCharacters(in: .whitespaces),
            (2...45).contains(last.utf8.count), last.allSatisfy({ $0.isHexDigit || $0 == "." || $0 == ":" })
        else { return peer }
        return last
    }

    private static var forwardedFor: HTTPField.Name {
        guard let name = HTTPField.Name("X-Forwarded-For") else { preconditionFailure("a lawful name") }
        return name
    }

    /// Writes down what became of a request.
    ///
    /// - Parameter status: nil when there was no answer, as when whoever asked went away.
    func note(_ request: Request, _ trail: RequestTrail, status: HTTPResponse.Status?, milliseconds: Int) {
        let facts = trail.facts
        if let accessLog {
            let code = status.map { String($0.code) } ?? "-"
            accessLog(
                Self.line([
                    trail.address, request.method.rawValue, request.uri.path, facts.identity?.name ?? "-", code,
                    "\(milliseconds)ms",
                ]))
        }
        guard let audit else { return }
        let code = status.map { Int($0.code) }
        let isRefusal = facts.refusal != nil || [401, 403, 429].contains(code)
        var entry = AuditEntry(.request, isRefusal ? .refused : (200..<400).contains(code ?? 0) ? .success : .failure)
        entry.actor = facts.identity?.name ?? facts.claimed ?? ""
        entry.actorID = facts.identity?.id ?? ""
        entry.method = facts.identity?.method.rawValue ?? ""
        entry.role = facts.identity?.role.rawValue ?? ""
        entry.address = trail.address
        entry.resource = "\(request.method.rawValue) \(request.uri.path)"
        entry.milliseconds = milliseconds
        entry.status = code
        entry.reason = facts.refusal ?? (status == nil ? "there was no answer" : "")
        switch facts.signIn {
        case .entered: entry.action = .signIn
        case .left: entry.action = .signOut
        case nil: if facts.endpoint == AccessTable.workbook.description { entry.action = .page }
        }
        guard facts.questions.isEmpty else {
            entry.action = .query
            audit.record(
                facts.questions.map { question in
                    var one = entry
                    (one.query, one.rows) = (question.text, question.rows)
                    if let failure = question.failure, one.outcome == .success {
                        (one.outcome, one.reason) = (.failure, failure)
                    }
                    return one
                })
            return
        }
        // Probes, metrics and redirects that went well are no news.
        let isNews = entry.action != .request || isRefusal || ![.get, .head].contains(request.method)
        if isRefusal, facts.identity == nil {
            record(refused: entry)
        } else if isNews {
            audit.record([entry])
        }
    }

    /// Writes down what the door did not let in.
    func note(_ refusal: DoorRefusal) {
        let address = client(forwardedFor: refusal.forwardedFor, peer: refusal.peer.isEmpty ? "local" : refusal.peer)
        if let accessLog {
            accessLog(Self.line([address, refusal.method, refusal.path, "-", String(refusal.status), "-"]))
        }
        var entry = AuditEntry(.request, .refused)
        entry.address = address
        entry.resource = refusal.method.isEmpty ? "a connection" : "\(refusal.method) \(refusal.path)"
        entry.status = refusal.status
        entry.reason = "at the door: \(refusal.reason)"
        record(refused: entry)
    }

    /// Writes a refusal of somebody unknown, as long as their address has not filled its share.
    private func record(refused entry: AuditEntry) {
        guard let audit, let untold = refusals.take(entry.address) else { return }
        var entry = entry
        if untold > 0 { entry.reason += " (\(untold) more from this address are not listed)" }
        audit.record([entry])
    }

    /// A line of the access log: where from, what, by whom, the answer's status, and how long it took.
    private static func line(_ parts: [String]) -> String {
        let time = Date().ISO8601Format(.iso8601(timeZone: .gmt, includingFractionalSeconds: true))
        return ([time] + parts).map(escaped).joined(separator: " ")
    }

    /// One word of a line, whatever is in it.
    private static func escaped(_ text: String) -> String {
        guard !text.isEmpty else { return "-" }
        return text.unicodeScalars.map { scalar in
            let isPlain = scalar.value > 0x20 && scalar.value < 0x7F && scalar != "\\" || scalar.properties.isAlphabetic
            return isPlain ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
        }.joined()
    }
}
