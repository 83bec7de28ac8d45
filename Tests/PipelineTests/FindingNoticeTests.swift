import Content
import Foundation
import KQLEngine
import Tables
import TestKit
import Testing

@testable import Pipeline

/// What people are told of findings: grouped by incident, from a severity on, each once.
@Suite struct FindingNoticeTests {
    private func batch(_ rows: String) throws -> Batch {
        let query = """
            datatable(FindingId:string, IncidentId:string, Severity:string, IsAsSentinel:bool)[\(rows)]
            | extend TimeGenerated = datetime(2026-09-01), RuleId = "r", FindingTitle = strcat("Title ", FindingId), Description = "d",
                EventCount = 2, Tactics = dynamic(["Impact"]), Techniques = dynamic([]), CustomDetails = dynamic({}),
                Entities = dynamic([{"type": "Host", "FullName": "srv1"}])
            """
        return try Engine(provider: MemoryTables()).run(query).primary.batch
    }

    @Test func oneNoticeForAnIncident() throws {
        let notices = try FindingNotice.notices(
            try batch(
                #""a","i1","Low",false, "b","i1","High",false, "c","","Medium",false, "d","i2","Low",false, "e","i1","High",true"#
            ),
            least: .medium)
        #expect(notices.map(\.incident) == ["i1", "c"])
        // The mild one and the one that is told as Sentinel would are left out.
        #expect(notices.map(\.rows) == [[1], [2]])
        #expect(notices[0].title == "Title b" && notices[0].severity == .high)
        let all = try FindingNotice.notices(
            try batch(#""a","i1","Low",false, "b","i1","High",false, "c","i1","Low",false"#), least: .informational)
        #expect(all.count == 1 && all[0].rows == [0, 1, 2] && all[0].title == "Title b and 2 more")
        #expect(all[0].id == "i1-c")
        #expect(all[0].text.contains("srv1") && all[0].text.contains("Incident i1"))
        #expect(all[0].json["findings"]?.array?.count == 3)
    }

    private func problem(_ settings: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("notice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("vestige.yaml")
        try "sinks:\n  - {name: s, \(settings)}\n".write(to: file, atomically: true, encoding: .utf8)
        do {
            let configuration = try Configuration.load(file: file.path, environment: [:])
            #expect(configuration.sinks.count == 1)
            let plan = try #require(configuration.sinks.first).kind.plan(ContentLibrary.load(folders: []).library)
            #expect(plan.part(of: "VestigeFindings_CL") != nil && plan.part(of: "DeviceInfo") == nil)
            return ""
        } catch let error as OperatorError { return error.rendered }
    }

    @Test func settingsAreReadAndMistakesTold() throws {
        let mail = "kind: mail, host: h, from: a@b.example, to: c@d.example"
        #expect(try problem(mail) == "")
        #expect(try problem("kind: syslog, host: h, transport: udp") == "")
        #expect(try problem("kind: webhook, address: 'https://h.example/x'") == "")
        #expect(try problem(mail + ", user: u").contains("'user' and 'password' go together"))
        #expect(try problem(mail + ", password: secret, user: u").contains("not the secret itself"))
        #expect(try problem(mail.replacing("a@b.example", with: "'a b@c'")).contains("is no mail address"))
        #expect(try problem("kind: syslog, host: h, facility: 24").contains("between 0 and 23"))
        #expect(try problem(mail + ", severity: Grave").contains("Informational"))
    }
}
