import Forensics
import Foundation
import KQLEngine
import TestKit
import Testing

@testable import Workbench

/// Pages of investigations on a server that people share: who may read and who may write, and what is written.
@Suite(.serialized) struct InvestigationPageTests {
    private static let users: [(String, Role)] = [("anna", .analyst), ("rita", .reader)]

    /// A shared server beside whose workspace a case lies.
    private func serve(_ body: @Sendable (SharedWorkbench, CaseFolder) async throws -> Void) async throws {
        try await SharedWorkbench.use(users: Self.users) { server in
            let folder = CaseFolder(workspace: server.folder + "/shared.vestige")
            try folder.update("payroll", new: CaseFixture.file()) { _ in }
            try await body(server, folder)
        }
    }

    private func harm() throws -> Claim {
        try #require(CaseFixture.file().statements.first { $0.object == "files-encrypted" })
    }

    @Test func aCaseIsFoundReadAndFollowed() async throws {
        try await serve { server, _ in
            let cookies = try await server.session("rita")
            let list = try await server.send("GET", "/investigations", cookies: cookies)
            #expect(list.status == 200 && list.body.contains("href=\"/investigations/payroll\""))
            #expect(list.body.contains("✕ got in"))
            let page = try await server.send("GET", "/investigations/payroll", cookies: cookies)
            #expect(page.status == 200 && page.body.contains("What to do in the next hour"))
            #expect(page.body.contains("<title>payroll · Vestige</title>"))
            #expect(!page.body.contains("<img"))
            // Each way from the page leads somewhere.
            let links = Set(page.body.matches(of: /href="(\/investigations\/[^"]*)"/).map { String($0.1) })
            #expect(links.count > 8)
            for link in links {
                let answer = try await server.send("GET", link, cookies: cookies)
                #expect(answer.status == 200, "\(link)")
            }
            let claim = try harm()
            let one = try await server.send(
                "GET", "/investigations/payroll/claims/\(claim.id)", cookies: cookies)
            #expect(one.body.contains("DeviceProcessEvents") && one.body.contains("| where Timestamp =="))
            // A reader sees no form but the one to sign out.
            #expect(one.body.components(separatedBy: "<form").count == 2)
        }
    }

    @Test func whatIsNotThereIsToldSo() async throws {
        try await serve { server, _ in
            let cookies = try await server.session("anna")
            for path in [
                "/investigations/none", "/investigations/..%2Fx", "/investigations/payroll/claims/none",
                "/investigations/payroll/export/word",
            ] {
                let answer = try await server.send("GET", path, cookies: cookies)
                #expect(answer.status == 404, "\(path)")
            }
            for (query, status) in [
                ("from=yesterday", 400), ("from=2026-02-01&to=2026-01-01", 400), ("device=zzz", 404),
            ] {
                let answer = try await server.send("GET", "/investigations/-now?\(query)", cookies: cookies)
                #expect(answer.status == status, "\(query)")
            }
            let anonymous = try await server.send("GET", "/investigations/payroll")
            #expect(anonymous.status == 401)
        }
    }

    /// Whoever judges writes under the name that they signed in with, whatever the form says.
    @Test func anAnalystsWordIsInTheLedger() async throws {
        try await serve { server, folder in
            let cookies = try await server.session("anna")
            let claim = try harm()
            let path = "/investigations/payroll/claims/\(claim.id)"
            let page = try await server.send("GET", path, cookies: cookies)
            let token = try #require(page.formToken)
            let silent = try await server.send(
                "POST", path, cookies: cookies, form: [("form", token), ("status", "rejected"), ("text", " ")])
            let untouched = try folder.read("payroll")
            #expect(silent.status == 400 && untouched.judgements.isEmpty)
            let rejected = try await server.send(
                "POST", path, cookies: cookies,
                form: [
                    ("form", token), ("status", "rejected"), ("text", "the backup <b>"), ("author", "mallory"),
                ])
            #expect(rejected.status == 303 && rejected["location"] == path)
            let file = try folder.read("payroll")
            #expect(file.judgements[claim.id]?.author == "anna" && file.status(of: claim.id) == .rejected)
            #expect(file.statements.contains(claim), "the claim stays")
            #expect(CaseVerifier.verify(file.encoded()) == [])
            let ledger = try #require(file.objects.last { $0.kind == .ledger })
            #expect(ledger.body["actor"]?.string == "anna")
            let after = try await server.send("GET", path, cookies: cookies)
            #expect(after.body.contains("rejected by anna") && after.body.contains("the backup &lt;b&gt;"))
            let confirmed = try await server.send(
                "POST", path, cookies: cookies, form: [("form", token), ("status", "confirmed"), ("text", "")])
            let again = try folder.read("payroll")
            #expect(confirmed.status == 303 && again.status(of: claim.id) == .confirmed)
            let note = try await server.send(
                "POST", "/investigations/payroll/notes", cookies: cookies,
                form: [("form", token), ("text", "called the plant")])
            let noted = try folder.read("payroll")
            #expect(note.status == 303 && noted.notes.last?.text == "called the plant")
        }
    }

    @Test(arguments: ["/investigations/payroll/notes", "/investigations/payroll/claims/x", "/investigations"])
    func nobodyElseWrites(_ path: String) async throws {
        try await serve { server, folder in
            let before = try folder.read("payroll").root
            let form = [("text", "x"), ("status", "confirmed"), ("name", "new")]
            // Without a token of the session, as another site would send it.
            let anna = try await server.session("anna")
            let forged = try await server.send("POST", path, cookies: anna, form: form)
            #expect(forged.status == 403)
            let wrong = try await server.send("POST", path, cookies: anna, form: form + [("form", "guess")])
            #expect(wrong.status == 403)
            // A reader with a token of their own.
            let rita = try await server.session("rita")
            let token = try await server.send("GET", "/investigations", cookies: rita).formToken
            let reader = try await server.send("POST", path, cookies: rita, form: form + [("form", token ?? "")])
            #expect(reader.status == 403)
            let anonymous = try await server.send("POST", path, form: form)
            #expect(anonymous.status == 401)
            let after = try folder.read("payroll").root
            #expect(try after == before && folder.names() == ["payroll"])
        }
    }

    /// An investigation is computed once for a version of the workspace, whoever asks; it can be kept as a case.
    @Test func anInvestigationIsComputedOnceAndKept() async throws {
        try await serve { server, folder in
            let cookies = try await server.session("anna")
            let page = try await server.send("GET", "/investigations/-now", cookies: cookies)
            #expect(page.status == 200 && page.body.contains("<h1>Not known"))
            let list = try await server.send("GET", "/investigations", cookies: cookies)
            #expect(list.body.contains("href=\"/investigations/-now\"") && list.body.contains("the whole workspace"))
            let bad = try await server.send(
                "POST", "/investigations", cookies: cookies, form: [("form", page.formToken ?? ""), ("name", "../x")])
            #expect(bad.status == 400)
            let kept = try await server.send(
                "POST", "/investigations", cookies: cookies, form: [("form", page.formToken ?? ""), ("name", "empty")])
            #expect(kept.status == 303 && kept["location"] == "/investigations/empty")
            let file = try folder.read("empty")
            #expect(file.summary?.verdict == .unknown && file.notes.first?.author == "anna")
            let export = try await server.send("GET", "/investigations/empty/export/evidence", cookies: cookies)
            #expect(CaseVerifier.verify(Array(export.body.utf8)) == [])
            #expect(export["content-disposition"] == "attachment; filename=\"empty.case\"")
        }
    }

    /// A damaged case is told as such and hides no other.
    @Test func aDamagedCaseIsToldSo() async throws {
        try await serve { server, folder in
            try folder.update("second", new: CaseFixture.file("second")) { _ in }
            let path = try folder.path("second")
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            let place = try #require(bytes.range(of: Data("phishing".utf8))?.lowerBound)
            bytes[place] = UInt8(ascii: "P")
            try bytes.write(to: URL(fileURLWithPath: path))
            let cookies = try await server.session("rita")
            let list = try await server.send("GET", "/investigations", cookies: cookies)
            #expect(list.body.contains("cannot be read") && list.body.contains("✕ got in"))
            let page = try await server.send("GET", "/investigations/second", cookies: cookies)
            #expect(page.status == 409 && page.body.contains("claim "))
        }
    }

    @Test func oneComputationForAll() async throws {
        let shelf = InvestigationShelf()
        let asked = Counter()
        let question = InvestigationQuestion([:])
        let version = DataVersion([1])
        try await withThrowingTaskGroup(of: String.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask {
                    try await shelf.answer(question, version: version) {
                        await asked.add()
                        return CaseFixture.file()
                    }.id
                }
            }
            for try await id in tasks { #expect(id == "payroll") }
        }
        let once = await asked.count
        #expect(once == 1 && shelf.runs(of: version).count == 1)
        _ = try await shelf.answer(question, version: DataVersion([2])) {
            await asked.add()
            return CaseFixture.file()
        }
        let twice = await asked.count
        #expect(twice == 2 && shelf.runs(of: version).isEmpty)
        // A failure is asked anew.
        let other = InvestigationQuestion(["device": "x"])
        await #expect(throws: ScopeError.self) {
            try await shelf.answer(other, version: version) { throw ScopeError.noDevice("x") }
        }
        _ = try await shelf.answer(other, version: version) { CaseFixture.file() }
    }

    private actor Counter {
        private(set) var count = 0
        func add() { count += 1 }
    }
}
