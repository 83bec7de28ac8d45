import Hummingbird

/// Answers what the router does not know of methods: HEAD as GET without the body, OPTIONS with what is allowed, and
/// 405 with `Allow` where a path is there but not for this method (https://www.rfc-editor.org/rfc/rfc9110#section-9,
/// https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6).
struct Methods<Context: RequestContext>: RouterMiddleware {
    private struct Path: Sendable {
        let components: [RouterPath.Element]
        var methods: Set<HTTPRequest.Method>
    }

    private let paths: [Path]
    private let ignoresCase: Bool
    private let onRefusal: DoorWatch?
    /// Methods that RFC 9110 and RFC 5789 define; others are not implemented anywhere here.
    private static var known: Set<HTTPRequest.Method> {
        [.get, .head, .post, .put, .delete, .connect, .options, .trace, .patch]
    }

    init(_ router: Router<Context>, ignoresCase: Bool, onRefusal: DoorWatch? = nil) {
        var paths: [String: Path] = [:]
        for route in router.routes {
            paths[route.path.description, default: Path(components: route.path.components, methods: [])].methods
                .insert(route.method)
        }
        self.paths = Array(paths.values)
        self.ignoresCase = ignoresCase
        self.onRefusal = onRefusal
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard Self.known.contains(request.method) else {
            let reason = "the method \(request.method.rawValue) is not known here"
            onRefusal?(DoorRefusal(.notImplemented, reason, of: request, in: context))
            return PlainAnswer.make(.notImplemented, reason)
        }
        let methods = request.uri.path == "*" ? Set(paths.flatMap(\.methods)) : methods(for: request.uri.path)
        guard !methods.isEmpty else {
            let answer = try await next(request, context)
            return answer.status == .notFound && answer.body.contentLength == 0
                ? PlainAnswer.make(.notFound, "there is no such page") : answer
        }
        var allowed = methods.union([.options])
        if methods.contains(.get) { allowed.insert(.head) }
        guard allowed.contains(request.method) else {
            let reason = "this address is not asked by \(request.method.rawValue)"
            onRefusal?(DoorRefusal(.methodNotAllowed, reason, of: request, in: context))
            return PlainAnswer.make(.methodNotAllowed, reason, Self.fields(allowed))
        }
        if methods.contains(request.method) { return try await next(request, context) }
        if request.method == .options { return Response(status: .noContent, headers: Self.fields(allowed)) }
        var head = request.head
        head.method = .get
        return try await next(Request(head: head, body: request.body), context).createHeadResponse()
    }

    private static func fields(_ methods: Set<HTTPRequest.Method>) -> HTTPFields {
        [.allow: methods.map(\.rawValue).sorted().joined(separator: ", ")]
    }

    /// The methods of all routes that a path belongs to.
    private func methods(for path: String) -> Set<HTTPRequest.Method> {
        let parts = (ignoresCase ? path.lowercased() : path).split(separator: "/", omittingEmptySubsequences: true)
        return paths.reduce(into: []) { found, route in
            if Self.matches(route.components[...], parts[...]) { found.formUnion(route.methods) }
        }
    }

    private static func matches(_ route: ArraySlice<RouterPath.Element>, _ parts: ArraySlice<Substring>) -> Bool {
        guard let first = route.first else { return parts.isEmpty }
        if first.description == "**" { return true }
        guard let part = parts.first, first ~= part else { return false }
        return matches(route.dropFirst(), parts.dropFirst())
    }
}
