import Foundation
import Hummingbird
import KQLEngine
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

@testable import Workbench

/// A server that several people use: who gets in, what they may, and how it ends.
@Suite(.serialized) struct SharingTests {
    private static func token(
        _ name: String, _ role: Role = .reader, days: Int64 = 1, calls: Int = 100, concurrent: Int = 8
    ) -> (Accounts.Token, secret: String) {
        Accounts.Token.make(
            name: name, role: role, expires: SystemClock.now() + days * DateTime.ticksPerDay, callsPerMinute: calls,
            concurrent: concurrent)
    }

    private func bearer(_ secret: String) -> [(String, String)] { [("Authorization", "Bearer \(secret)")] }

    /// Every route says which role it needs; one that was forgotten is for administrators only, and is named here.
    @Test func everyRouteHasARole() async throws {
        try await SharedWorkbench.use { shared async throws in
            let server = WorkbenchServer(
                WorkbenchOptions(), workspace: try Workspace(path: shared.folder + "/routes.vestige"),
                library: Repository.library(), access: shared.access)
            let routes = server.router.routes
            #expect(routes.count > 15)
            for route in routes {
                #expect(
                    AccessTable.declares(route.method, endpoint: route.path.description),
                    "\(route.method) \(route.path) needs a line in AccessTable")
            }
            #expect(AccessTable.access(.get, endpoint: nil) == .needs(.administrator))
            #expect(AccessTable.access(.delete, endpoint: "/healthz") == .needs(.administrator))
            #expect(AccessTable.access(.head, endpoint: "/healthz") == .open)
        }
    }

    @Test func nobodyGetsInWithoutSigningIn() async throws {
        try await SharedWorkbench.use { shared async throws in
            for path in [
                "/", "/workbooks/posture", "/metrics", "/v1/rest/query?csl=print%201&db=Vestige", "/no/such/page",
                "//v1/rest/query?csl=print%201", "/v1/workspaces/x/metadata",
            ] {
                let answer = try await shared.send("GET", path)
                #expect(answer.status == 401, "\(path)")
                #expect(answer["WWW-Authenticate"]?.hasPrefix("Bearer") == true)
                #expect(!answer.body.contains("MDEMachines") && !answer.body.contains("posture"))
            }
            for path in ["/healthz", "/readyz", "/v1/rest/ping"] {
                #expect(try await shared.send("GET", path).status == 200, "\(path)")
            }
            // A browser is sent to sign in, and comes back to what it wanted.
            let page = try await shared.send("GET", "/workbooks/posture?Tab=health", headers: [("Accept", "text/html")])
            #expect(page.status == 303)
            #expect(page["Location"] == "/sign-in?return=%2Fworkbooks%2Fposture%3FTab%3Dhealth")
            #expect(page["Strict-Transport-Security"]?.contains("max-age") == true)
        }
    }

    @Test func somebodySignsInLooksAndLeaves() async throws {
        try await SharedWorkbench.use { shared async throws in
            let entered = try await shared.signIn("Anna", back: "/workbooks/posture")
            #expect(entered.status == 303 && entered["Location"] == "/workbooks/posture")
            let cookie = try #require(entered.headers.first { $0.1.hasPrefix("__Host-vestige=") }?.1)
            for mark in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
                #expect(cookie.contains(mark), "\(mark)")
            }
            #expect(!cookie.contains("Domain"))
            let session = try await shared.session("anna")
            let page = try await shared.send("GET", "/workbooks/posture", cookies: session)
            #expect(page.status == 200 && page.body.contains("Signed in as anna, analyst"))
            let form = try #require(page.formToken)
            // Another site has no token, and ends nobody's session.
            for given in [nil, "", "x", String(form.dropLast())] as [String?] {
                let foreign = try await shared.send(
                    "POST", "/sign-out", cookies: session, form: given.map { [("form", $0)] } ?? [])
                #expect(foreign.status == 403)
            }
            #expect(try await shared.send("GET", "/", cookies: session).status == 303)
            let out = try await shared.send("POST", "/sign-out", cookies: session, form: [("form", form)])
            #expect(out.status == 303 && out["Location"] == "/sign-in")
            // The cookie that the browser may still have is worth nothing.
            #expect(try await shared.send("GET", "/metrics", cookies: session).status == 401)
        }
    }

    @Test func whatIsPostedByABrowserNeedsTheFormsToken() async throws {
        try await SharedWorkbench.use { shared async throws in
            let session = try await shared.session("anna")
            #expect(try await shared.query("print 1", cookies: session).status == 403)
            let form = try #require(try await shared.send("GET", "/workbooks/posture", cookies: session).formToken)
            let other = try await shared.session("anna")
            #expect(
                try await shared.query("print 1", cookies: session, headers: [("X-Vestige-Form", form)]).status == 200)
            #expect(
                try await shared.query("print 1", cookies: other, headers: [("X-Vestige-Form", form)]).status == 403)
        }
    }

    @Test func aWrongPasswordAndAnUnknownNameAreToldAlike() async throws {
        try await SharedWorkbench.use { shared async throws in
            func shown(_ answer: SharedWorkbench.Reply) -> String {
                answer.body.replacing(answer.formToken ?? "", with: "")
            }
            let wrong = try await shared.signIn("anna", "another password")
            let unknown = try await shared.signIn("nobody", "another password")
            #expect(wrong.status == 401 && unknown.status == 401)
            #expect(shown(wrong) == shown(unknown))
            #expect(wrong.cookies["__Host-vestige"] == nil)
            for odd in ["", "<script>", "a b", String(repeating: "a", count: 5_000)] {
                let answer = try await shared.signIn(odd, "x")
                #expect(answer.status == 401 && !answer.body.contains("<script>al"))
            }
        }
    }

    @Test func passwordsCannotBeTriedForLong() async throws {
        try await SharedWorkbench.use { shared async throws in
            var statuses: [Int] = []
            for _ in 0..<6 { statuses.append(try await shared.signIn("anna", "another password").status) }
            #expect(statuses == [401, 401, 401, 401, 429, 429])
            // The right one has to wait as well, and then is taken.
            let early = try await shared.signIn("anna")
            #expect(early.status == 429 && early["Retry-After"] == "1")
            shared.clock.advance(1.1)
            #expect(try await shared.signIn("anna").status == 303)
        }
    }

    @Test func aSignInBeganByAnotherSiteIsRefused() async throws {
        try await SharedWorkbench.use { shared async throws in
            let fields = [("user", "anna"), ("password", SharedWorkbench.password)]
            #expect(try await shared.send("POST", "/sign-in", form: fields).status == 403)
            let mine = try await shared.send("GET", "/sign-in")
            let other = try await shared.send("GET", "/sign-in")
            let mixed = try await shared.send(
                "POST", "/sign-in", cookies: mine.cookies, form: fields + [("form", other.formToken ?? "")])
            #expect(mixed.status == 403)
        }
    }

    @Test func signingInGivesANewSessionAndEndsTheOldOne() async throws {
        try await SharedWorkbench.use { shared async throws in
            let page = try await shared.send("GET", "/sign-in")
            let fields = [("form", page.formToken ?? ""), ("user", "anna"), ("password", SharedWorkbench.password)]
            // A name that somebody planted before is not taken over.
            let planted = ["__Host-vestige": String(repeating: "A", count: 43)]
            let first = try await shared.send(
                "POST", "/sign-in", cookies: page.cookies.merging(planted) { $1 }, form: fields)
            #expect(first.cookies["__Host-vestige"] != planted["__Host-vestige"])
            let old = ["__Host-vestige": first.cookies["__Host-vestige"] ?? ""]
            #expect(try await shared.send("GET", "/metrics", cookies: old).status == 200)
            let second = try await shared.send(
                "POST", "/sign-in", cookies: page.cookies.merging(old) { $1 }, form: fields)
            #expect(second.status == 303)
            #expect(try await shared.send("GET", "/metrics", cookies: old).status == 401)
        }
    }

    @Test func sessionsEndWithTheirTimeAndTheirAccount() async throws {
        try await SharedWorkbench.use(users: [("anna", .analyst), ("rita", .reader)]) { shared async throws in
            func status(_ cookies: [String: String]) async throws -> Int {
                try await shared.send("GET", "/metrics", cookies: cookies).status
            }
            let (anna, rita) = (try await shared.session("anna"), try await shared.session("rita"))
            #expect(try await status(anna) == 200)
            #expect(try await status(rita) == 200)
            try AccountFile(shared.folder + "/shared.vestige.accounts").update { accounts in
                accounts.users.removeAll { $0.name == "rita" }
                accounts.users[0].role = .reader
            }
            #expect(try await status(rita) == 401)
            #expect(try await status(anna) == 401, "another role asks for another sign-in")
            let again = try await shared.session("anna")
            #expect(try await status(again) == 200)
            shared.clock.advance(3_601)
            #expect(try await status(again) == 401)
        }
    }

    @Test func tokensAskUntilTheyEnd() async throws {
        let (reader, secret) = Self.token("grafana")
        let (ended, old) = Self.token("old", days: -1)
        try await SharedWorkbench.use(tokens: [reader, ended]) { shared async throws in
            let answer = try await shared.query("print x = 40 + 2", headers: bearer(secret))
            #expect(answer.status == 200 && answer.body.contains("42"))
            #expect(try await shared.query("print 1", headers: [("Authorization", "bearer  \(secret)")]).status == 200)
            for wrong in [old, secret + "x", String(secret.dropLast()), reader.id, "", "a b", "vst_", "e30.e30.e30"] {
                #expect(try await shared.query("print 1", headers: bearer(wrong)).status == 401, "\(wrong)")
                shared.clock.advance(1_000)
            }
            #expect(try await shared.query("print 1", headers: [("Authorization", "Basic \(secret)")]).status == 401)
            let twice = bearer(secret) + bearer(secret)
            #expect(try await shared.query("print 1", headers: twice).status == 401)
            // In an address a token proves nothing.
            #expect(try await shared.send("GET", "/metrics?access_token=\(secret)").status == 401)
            try AccountFile(shared.folder + "/shared.vestige.accounts").update { $0.tokens = [] }
            #expect(try await shared.query("print 1", headers: bearer(secret)).status == 401)
        }
    }

    @Test func aTokenHasLimitsOfItsOwn() async throws {
        let (slow, secret) = Self.token("slow", calls: 3)
        let (other, free) = Self.token("free")
        try await SharedWorkbench.use(tokens: [slow, other]) { shared async throws in
            var statuses: [Int] = []
            for _ in 0..<4 { statuses.append(try await shared.query("print 1", headers: bearer(secret)).status) }
            #expect(statuses == [200, 200, 200, 429])
            #expect(try await shared.query("print 1", headers: bearer(secret))["Retry-After"] == "20")
            #expect(try await shared.query("print 1", headers: bearer(free)).status == 200)
            shared.clock.advance(21)
            #expect(try await shared.query("print 1", headers: bearer(secret)).status == 200)
        }
    }

    /// A route that nobody has declared is for administrators, however the path is written.
    @Test func rolesDecide() async throws {
        let (reader, low) = Self.token("reader")
        let (administrator, high) = Self.token("administrator", .administrator)
        try await SharedWorkbench.use(tokens: [reader, administrator]) { shared async throws in
            #expect(try await shared.send("GET", "/no/such/page", headers: bearer(low)).status == 403)
            #expect(try await shared.send("GET", "/no/such/page", headers: bearer(high)).status == 404)
            #expect(try await shared.send("GET", "/metrics", headers: bearer(low)).status == 200)
            #expect(Role.reader < .analyst && Role.analyst < .administrator)
        }
    }

    @Test func theAuditKnowsWhoAskedWhatAndHoldsNoSecret() async throws {
        let (reader, secret) = Self.token("grafana")
        try await SharedWorkbench.use(tokens: [reader]) { shared async throws in
            let session = try await shared.session("anna")
            _ = try await shared.signIn("anna", "a wrong password")
            _ = try await shared.send("GET", "/workbooks/posture", cookies: session)
            _ = try await shared.query("range i from 1 to 3 step 1", headers: bearer(secret))
            _ = try await shared.query("print h'not for logs', 'plain'", headers: bearer(secret))
            _ = try await shared.query("print 1", headers: bearer(secret + "x"))
            _ = try await shared.send("GET", "/healthz")
            let file = AuditFile(shared.folder + "/shared.vestige.audit")
            let lines = try await Self.wait(for: 7, in: file)
            #expect(try file.verify().faults == [])
            func members(_ action: String, _ outcome: String) -> [JSON] {
                lines.filter { $0["Action"]?.string == action && $0["Outcome"]?.string == outcome }
            }
            #expect(members("SignIn", "Success").map { $0["Actor"]?.string } == ["anna"])
            #expect(members("SignIn", "Refused").first?["Reason"]?.string?.contains("wrong") == true)
            #expect(members("Page", "Success").first?["Resource"]?.string == "GET /workbooks/posture")
            let queries = members("Query", "Success")
            #expect(queries.map { $0["RowCount"]?.integer } == [3, 1])
            #expect(queries.allSatisfy { $0["Actor"]?.string == "grafana" && $0["SignInMethod"]?.string == "ApiToken" })
            #expect(queries.last?["QueryText"]?.string == "print h'****', 'plain'")
            #expect(queries.first?["ClientAddress"]?.string == "127.0.0.1")
            #expect(members("Request", "Refused").count == 1)
            let text = try String(contentsOfFile: file.path, encoding: .utf8)
            for hidden in [
                secret, SharedWorkbench.password, "a wrong password", session["__Host-vestige"] ?? "?", "not for logs",
            ] {
                #expect(!text.contains(hidden), "\(hidden)")
            }
            #expect(!text.contains("healthz"))
        }
    }

    /// What the door did not let in is written down as well, as far as an address has not filled its share.
    @Test func theAuditKnowsWhatTheDoorRefused() async throws {
        try await SharedWorkbench.use { shared async throws in
            let foreign = try await shared.send("GET", "/", headers: [("Origin", "https://evil.example")])
            #expect(foreign.status == 403)
            #expect(try await shared.send("PUT", "/healthz?token=secret").status == 405)
            #expect(try await shared.send("GET", "/", headers: [("Host", "evil.example")]).status == 403)
            let file = AuditFile(shared.folder + "/shared.vestige.audit")
            let lines = try await Self.wait(for: 4, in: file).filter { $0["Outcome"]?.string == "Refused" }
            #expect(lines.map { $0["StatusCode"]?.integer } == [403, 405, 403])
            #expect(lines.map { $0["Resource"]?.string } == ["GET /", "PUT /healthz", "GET /"])
            #expect(lines.allSatisfy { $0["ClientAddress"]?.string == "127.0.0.1" && $0["Actor"]?.string == "" })
            #expect(lines.allSatisfy { $0["Reason"]?.string?.hasPrefix("at the door: ") == true })
            for _ in 0..<100 { _ = try await shared.send("PUT", "/healthz") }
            #expect(try await shared.send("GET", "/healthz").status == 200)
        }
    }

    /// Whatever ends the server first, what was asked is in the file before, and its end once.
    @Test func theEndIsWrittenOnce() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AuditFile(folder + "/x.audit")
        let writer = AuditWriter(file) { _ in }
        for i in 0..<100 {
            var entry = AuditEntry(.query, .success)
            entry.query = "print \(i)"
            writer.record([entry])
        }
        writer.writeEnd()
        #expect(try file.verify().entries == 101)
        writer.record([AuditEntry(.page, .success)])
        writer.writeEnd()
        let text = try String(contentsOfFile: file.path, encoding: .utf8)
        #expect(try file.verify().entries == 102 && text.ranges(of: "the server ends").count == 1)
    }

    /// The lines of a file once there are so many.
    private static func wait(for count: Int, in file: AuditFile) async throws -> [JSON] {
        for _ in 0..<400 {
            let text = (try? String(contentsOfFile: file.path, encoding: .utf8)) ?? ""
            let lines = text.split(separator: "\n").compactMap { try? JSON(parsing: $0) }
            if lines.count >= count { return lines }
            try await Task.sleep(for: .milliseconds(25))
        }
        Issue.record("there were never \(count) entries")
        return []
    }

    /// A batch is answered whatever its queries gave; the audit tells of each.
    @Test func aFailedQueryOfABatchIsNoSuccess() async throws {
        let (reader, secret) = Self.token("batch")
        try await SharedWorkbench.use(tokens: [reader]) { shared async throws in
            let body = """
                {"requests": [
                  {"id": "1", "workspace": "w", "method": "POST", "path": "/query", "body": {"query": "print 1"}},
                  {"id": "2", "workspace": "w", "method": "POST", "path": "/query", "body": {"query": "print no_name"}}]}
                """
            let answer = try await shared.send(
                "POST", "/v1/$batch", headers: bearer(secret) + [("Content-Type", "application/json")], body: body)
            #expect(answer.status == 200, "\(answer.body)")
            let file = AuditFile(shared.folder + "/shared.vestige.audit")
            let queries = try await Self.wait(for: 3, in: file).filter { $0["Action"]?.string == "Query" }
            #expect(queries.map { $0["Outcome"]?.string } == ["Success", "Failure"])
            #expect(queries.last?["Reason"]?.string?.contains("no_name") == true)
        }
    }

    /// What was asked before the end is written before the end.
    @Test func nothingIsLostWhenTheServerEnds() async throws {
        let (reader, secret) = Self.token("many", calls: 1_000)
        let kept = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(kept) }
        try await SharedWorkbench.use(tokens: [reader], configure: { $0.server.audit = kept + "/kept.audit" }) {
            shared async throws in
            for i in 0..<50 { #expect(try await shared.query("print \(i)", headers: bearer(secret)).status == 200) }
        }
        let report = try AuditFile(kept + "/kept.audit").verify()
        #expect(report.faults == [] && report.entries == 52, "\(report)")
    }

    @Test func otherHostsAndSitesAreRefused() async throws {
        let (reader, secret) = Self.token("t")
        try await SharedWorkbench.use(
            tokens: [reader], configure: { $0.server.address = "https://vestige.example:8443" }
        ) { shared async throws in
            func status(host: String, origin: String? = nil) async throws -> Int {
                let fields = [("Host", host)] + (origin.map { [("Origin", $0)] } ?? [])
                return try await shared.send("GET", "/metrics", headers: bearer(secret) + fields).status
            }
            #expect(try await status(host: "vestige.example:8443") == 200)
            #expect(try await status(host: "evil.example:8443") == 403)
            #expect(try await status(host: "vestige.example:8443", origin: "https://vestige.example:8443") == 200)
            #expect(try await status(host: "vestige.example:8443", origin: "https://evil.example") == 403)
        }
    }

    @Test func aDoorWithoutALockIsNotOpened() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        try TestCertificate.make().write(to: folder)
        func refusal(_ listen: String, _ change: (inout ServeConfiguration) -> Void) async throws -> String? {
            var configuration = Configuration()
            configuration.workspace = folder + "/w.vestige"
            change(&configuration.server)
            let parts = ServerAccess.Parts(
                configuration: configuration, listen: try ListenAddress(listen, setting: "listen"),
                logger: .init(label: "test"))
            do { _ = try await ServerAccess(parts) } catch let error as OperatorError {
                #expect(error.isConfiguration && error.next != nil)
                return error.title
            }
            return nil
        }
        let tls = ServeConfiguration.TLS(certificate: folder + "/server.pem", key: folder + "/server.key")
        #expect(try await refusal("127.0.0.1:0") { _ in } == nil)
        #expect(try await refusal("10.0.0.5:80") { _ in }?.contains("without TLS") == true)
        #expect(try await refusal("10.0.0.5:80") { $0.tls = tls } == "nobody could sign in")
        #expect(try await refusal("127.0.0.1:0") { $0.tls = tls } == "nobody could sign in")
        #expect(try await refusal("0.0.0.0:80") { $0.tls = tls } == "'server.address' is missing")
        #expect(try await refusal("127.0.0.1:0") { $0.address = "http://x" }?.contains("https://") == true)
        try AccountFile(folder + "/w.vestige.accounts").update { $0.tokens = [Self.token("t").0] }
        #expect(try await refusal("10.0.0.5:80") { $0.tls = tls } == nil)
        #expect(try await refusal("127.0.0.1:0") { $0.address = "https://x.example" } == nil)
    }
}
