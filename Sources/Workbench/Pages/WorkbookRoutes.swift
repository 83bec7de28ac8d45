import Hummingbird
import KQLEngine
import Tables
import Workbooks

/// Workbook pages; the first is the site's own front page.
struct WorkbookRoutes: Sendable {
    let state: WorkbenchState
    /// Pages that need a parameter which only a link gives.
    private static let detailPages: Set<String> = ["device"]

    func add(to router: Router<BasicRequestContext>) {
        router.get("/") { _, _ in
            let first = state.documents.first { $0.id == "posture" } ?? state.documents.first
            return Response(status: .seeOther, headers: [.location: first.map { "/workbooks/\($0.id)" } ?? "/healthz"])
        }
        router.get("/workbooks/:id") { request, context in
            var asked: [String: [String]] = [:]
            for (name, value) in request.uri.queryParameters { asked[String(name), default: []].append(String(value)) }
            return try await page(context.parameters.get("id") ?? "", asked)
        }
    }

    private var navigation: [(id: String, title: String)] {
        state.documents.filter { !Self.detailPages.contains($0.id) }.map { ($0.id, $0.title) }
    }

    private func page(_ id: String, _ asked: [String: [String]]) async throws -> Response {
        guard let document = state.documents.first(where: { $0.id == id }) else {
            let body = "<main><div class=\"text error\"><p>There is no workbook \(Markup.escape(id)).</p></div></main>"
            return Answer.html(
                PageRenderer.shell(title: "Not found", navigation: navigation, current: nil, body: body),
                status: .notFound)
        }
        let run = WorkbookRun(provider: try state.provider(), now: SystemClock.now())
        return Answer.html(PageRenderer(navigation: navigation).page(await run.resolve(document, asked: asked)))
    }
}
