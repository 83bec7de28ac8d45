import Forensics
import Hummingbird
import KQLEngine
import Pipeline
import Tables
import Workbooks

/// Pages of investigations: the list, one of them, a claim with its rows; and what analysts write into a case.
struct InvestigationRoutes: Sendable {
    let state: WorkbenchState

    static let list: RouterPath = "/investigations"
    static let one: RouterPath = "/investigations/:id"
    static let notes: RouterPath = "/investigations/:id/notes"
    static let claim: RouterPath = "/investigations/:id/claims/:claim"
    static let export: RouterPath = "/investigations/:id/export/:form"
    /// Pages that a link of another site may lead to.
    static let pages = [list, one, claim]

    func add(to router: Router<BasicRequestContext>) {
        router.get(Self.list) { request, _ in try await answer(request) { try await list($0) } }
        router.get(Self.one) { request, context in
            let id = try context.parameters.require("id")
            return try await answer(request) { try await one(id, $0) }
        }
        router.get(Self.claim) { request, context in
            let (id, claim) = (try context.parameters.require("id"), try context.parameters.require("claim"))
            return try await answer(request) { try await self.claim(claim, of: id, $0) }
        }
        router.get(Self.export) { request, context in
            let (id, form) = (try context.parameters.require("id"), try context.parameters.require("form"))
            return try await answer(request) { try await export(id, form, $0) }
        }
        router.post(Self.list) { request, _ in try await write(request) { try await open($0, $1) } }
        router.post(Self.notes) { request, context in
            let id = try context.parameters.require("id")
            return try await write(request) { try await note(id, $0, $1) }
        }
        router.post(Self.claim) { request, context in
            let (id, claim) = (try context.parameters.require("id"), try context.parameters.require("claim"))
            return try await write(request) { try await judge(id, claim, $0, $1) }
        }
    }

    private var shell: PageShell { PageShell(documents: state.documents) }
    private var folder: CaseFolder { CaseFolder(workspace: state.workspace.path) }
    private var author: String { "vestige \(state.version)" }

    // MARK: Reading

    /// What a page is asked by: the fields of its address, and who asks.
    private struct Asked: Sendable {
        let fields: [String: String]
        let client: Client
        let account: PageAccount?
    }

    private func answer(
        _ request: Request, _ page: @escaping @Sendable (Asked) async throws -> Response
    ) async throws -> Response {
        let asked = Asked(
            fields: FormText.read(request.uri.query ?? ""), client: state.client(of: request),
            account: PageAccount.current)
        do { return try await page(asked) } catch { return try trouble(error) }
    }

    /// A page of an error that says what somebody can do; others are the door's.
    private func trouble(_ error: any Error) throws -> Response {
        switch error {
        case let fault as InvestigationQuestion.Fault: return told(fault.text, .badRequest)
        case let fault as WriteFault: return told(fault.text, .badRequest)
        case let scope as ScopeError:
            switch scope {
            case .noDevice(let name): return told("No device is called \(name).", .notFound)
            case .noAlert(let id): return told("No row tells which devices belong to the alert \(id).", .notFound)
            }
        case let fault as CaseFolderError:
            switch fault {
            case .name(let name), .missing(let name): return told("There is no case \(name).", .notFound)
            case .claim(let claim, _): return told("There is no claim \(claim) in this case.", .notFound)
            case .damaged(let name, let damage):
                let objects = damage.map(\.object).joined(separator: ", ")
                return told("The case \(name) was changed by something else: \(objects).", .conflict)
            case .file(let name, _):
                return told("The case \(name) cannot be read or written now; it is as it was.", .serviceUnavailable)
            }
        case let error as QueryError:
            if case .limit = error {
                return told("The investigation was stopped: \(error.message)", .serviceUnavailable)
            }
            throw error
        default: throw error
        }
    }

    private func told(_ text: String, _ status: HTTPResponse.Status) -> Response {
        Answer.html(shell.missing(text), status: status)
    }

    private func list(_ asked: Asked) async throws -> Response {
        let runs = state.investigations.runs(of: try state.view().current())
        let (folder, shell) = (folder, shell)
        return try await draw(asked) {
            let cases = try folder.names().map { name -> InvestigationList.Entry in
                do throws(CaseFolderError) {
                    return InvestigationList.Entry(
                        name: name, story: CaseStory(try folder.read(name)), trouble: nil)
                } catch {
                    let trouble: String =
                        if case .damaged(_, let damage) = error {
                            damage.map(\.object).joined(separator: ", ") + " changed by something else"
                        } else { "the file cannot be read" }
                    return InvestigationList.Entry(name: name, story: nil, trouble: trouble)
                }
            }
            let page = InvestigationList(
                cases: cases.sorted { ($0.story?.opened ?? .max, $0.name) > ($1.story?.opened ?? .max, $1.name) },
                runs: runs)
            return shell.investigation(title: "Investigations", body: page.body)
        }
    }

    /// Draws a page on another thread, for the same reader.
    private func draw(_ asked: Asked, _ page: @escaping @Sendable () throws -> HTMLPage) async throws -> Response {
        Answer.html(
            try await QueryService.offload { try PageAccount.$current.withValue(asked.account) { try page() } })
    }

    private func one(_ id: String, _ asked: Asked) async throws -> Response {
        let address = CaseAddress(id: id, question: InvestigationQuestion(asked.fields))
        let run = address.isRun ? try await investigate(address.question, asked.client) : nil
        let (folder, shell) = (folder, shell)
        return try await draw(asked) {
            let story = CaseStory(try run ?? folder.read(id))
            var page = CasePage(story: story, place: .site(address))
            page.forms = CaseForms(address, account: asked.account)
            let name = address.isRun ? address.question.text : id
            page.crumb = Markup(.p, [.class: "crumb"]) {
                Markup(link: CaseAddress.list) { "Investigations" }
                " / \(name)"
            }
            return shell.investigation(title: address.isRun ? "Investigation" : id, body: page.body)
        }
    }

    private func claim(_ claim: String, of id: String, _ asked: Asked) async throws -> Response {
        let address = CaseAddress(id: id, question: InvestigationQuestion(asked.fields))
        let run = address.isRun ? try await investigate(address.question, asked.client) : nil
        let (folder, shell) = (folder, shell)
        return try await draw(asked) {
            let file = try run ?? folder.read(id)
            let story = CaseStory(file)
            guard let item = story.item(claim) else { throw CaseFolderError.claim(claim, count: 0) }
            let isWriter = asked.account.flatMap { Role(rawValue: $0.role) }.map { $0 >= .analyst } ?? false
            let form = isWriter && !address.isRun ? asked.account.map { CaseForms.judge(address, claim, $0) } : nil
            let page = ClaimPage(
                story: story, item: item, address: address, history: file.notes.filter { $0.claim == claim },
                form: form)
            return shell.investigation(title: "\(item.claim.object) on \(item.claim.subject)", body: page.body)
        }
    }

    /// What the workspace says now, computed once while nothing is written to it.
    private func investigate(_ question: InvestigationQuestion, _ client: Client) async throws -> CaseFile {
        let scope = try question.scope()
        let view = try state.view()
        let (library, queries, author) = (state.library, state.queries, author)
        let version = view.current()
        return try await state.investigations.answer(question, version: version) {
            try await queries.run("investigate \(question.text)", options: QueryOptions(), client: client) { _ in
                let result = try Investigator(provider: view.provider, library: library).run(scope)
                var file = CaseFile(id: "investigation", opened: view.time)
                try CaseBuilder(provider: view.provider, library: library).add(
                    result, to: &file, now: view.time, author: author)
                return file
            }
        }
    }

    private func export(_ id: String, _ form: String, _ asked: Asked) async throws -> Response {
        guard let form = CaseExport.Form(rawValue: form) else { return told("There is no form \(form).", .notFound) }
        let folder = folder
        let export = try await QueryService.offload {
            InvestigationReport.export(try folder.read(id), as: form)
        }
        // A browser keeps one file: of a set, that with everything in order of time.
        guard let file = export.files.first else { preconditionFailure("an export has a file") }
        return Answer.bytes(
            Array(file.text.utf8), type: "application/octet-stream",
            headers: [.contentDisposition: "attachment; filename=\"\(file.name)\""])
    }

    // MARK: Writing

    /// What a form asks for, that cannot be.
    private struct WriteFault: Error { let text: String }

    /// Lets somebody write under the name that they signed in with.
    private func write(
        _ request: Request, _ change: @escaping @Sendable ([String: String], String) async throws -> Response
    ) async throws -> Response {
        // On a server of one's own nobody has a name to write under, and no form a token: the terminal writes.
        guard let identity = Identity.current, identity.method != .machine else {
            return told("Nobody is signed in. 'vestige case' writes at the terminal (docs/team.md).", .forbidden)
        }
        var request = request
        guard let fields = await FormGuard.fields(&request) else {
            return told("This is no form, or it is too long.", .badRequest)
        }
        do { return try await change(fields, identity.name) } catch { return try trouble(error) }
    }

    private func back(to page: Link) -> Response {
        Response(status: .seeOther, headers: [.location: page.text, .cacheControl: "no-store"])
    }

    private func text(_ fields: [String: String]) throws -> String {
        let text = (fields[CaseField.text.rawValue] ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.count <= CaseField.lengthMax else {
            throw WriteFault(text: "At most \(CaseField.lengthMax) characters at once.")
        }
        return text
    }

    private func note(_ id: String, _ fields: [String: String], _ actor: String) async throws -> Response {
        let text = try text(fields)
        guard !text.isEmpty else { throw WriteFault(text: "The note says nothing.") }
        let folder = folder
        try await QueryService.offload {
            try folder.update(id) { $0.note(text, now: SystemClock.now(), actor: actor) }
        }
        return back(to: CaseAddress(id: id).page)
    }

    private func judge(_ id: String, _ claim: String, _ fields: [String: String], _ actor: String) async throws
        -> Response
    {
        let reason = try text(fields)
        guard let status = fields[CaseField.status.rawValue].flatMap({ Claim.Status(rawValue: $0) }),
            status != .machine
        else { throw WriteFault(text: "A claim is confirmed or rejected.") }
        guard status != .rejected || !reason.isEmpty else {
            throw WriteFault(text: "Say why the claim is wrong: it stays in the case, with your reason.")
        }
        let folder = folder
        try await QueryService.offload {
            // The whole id, as the page gives it.
            guard try folder.read(id).claims.contains(where: { $0.id == claim }) else {
                throw CaseFolderError.claim(claim, count: 0)
            }
            try folder.judge(id, claim, status, reason: reason, now: SystemClock.now(), actor: actor)
        }
        return back(to: CaseAddress(id: id).claim(claim))
    }

    private func open(_ fields: [String: String], _ actor: String) async throws -> Response {
        let name = (fields[CaseField.name.rawValue] ?? "").trimmingCharacters(in: .whitespaces)
        guard CaseFolder.isName(name) else {
            throw WriteFault(
                text: "A case's name is of letters, digits, '.', '_' and '-', and begins with one of the first two.")
        }
        let found = try await investigate(InvestigationQuestion(fields), Client(name: actor, address: "form"))
        let (folder, author) = (folder, author)
        try await QueryService.offload {
            let now = SystemClock.now()
            try folder.update(name, new: CaseFile(id: name, opened: now)) { file in
                file.take(found, now: now, actor: author)
                file.note("opened in the workbench", now: now, actor: actor)
            }
        }
        return back(to: CaseAddress(id: name).page)
    }
}
