import Hummingbird
import KQLEngine
import Workbooks

/// Workbook pages, and the way from the site's address to the first of them.
struct WorkbookRoutes: Sendable {
    let state: WorkbenchState
    /// The pages' paths.
    static let pages: [RouterPath] = ["/", "/workbooks/:id"]

    func add(to router: Router<BasicRequestContext>) {
        router.get("/") { _, _ in
            guard let home = state.home else {
                return Answer.html(shell.missing("There are no workbooks."), status: .notFound)
            }
            return Response(status: .seeOther, headers: [.location: WorkbookAddress.make(home.id, [:]).text])
        }
        router.get("/workbooks/:id") { request, context in
            var asked: [String: [String]] = [:]
            for (name, value) in request.uri.queryParameters { asked[String(name), default: []].append(String(value)) }
            let (id, given) = (try context.parameters.require("id"), asked)
            let client = state.client(of: request)
            return try await request.body.consumeWithCancellationOnInboundClose { _ in
                var response = try await page(id, given, client)
                response.headers[.connection] = "close"
                return response
            }
        }
    }

    private var shell: PageShell { PageShell(documents: state.documents) }

    private func page(_ id: String, _ asked: [String: [String]], _ client: Client) async throws -> Response {
        guard let document = state.documents.first(where: { $0.id == id }) else {
            return Answer.html(shell.missing("There is no workbook \(id)."), status: .notFound)
        }
        let view = try state.view()
        let run = WorkbookRun(
            provider: view.provider, now: view.time, queries: state.queries, client: client, version: view.current)
        let page = await run.resolve(document, asked: asked)
        // Another thread draws the page, for the same reader.
        let (documents, account) = (state.documents, PageAccount.current)
        return Answer.html(
            try await QueryService.offload {
                PageAccount.$current.withValue(account) { PageRenderer(documents: documents).page(page) }
            })
    }
}
