import Foundation
import Lab
import Tables
import TestKit
import Testing

/// The lab's ingestion endpoint refuses what Azure refuses.
@Suite(.serialized) struct CollectionRuleTests {
    private static let columns = ["TimeGenerated": "datetime", "Name": "string", "Count": "long", "More": "dynamic"]

    @Test(arguments: [
        ("Custom-T", ["TimeGenerated": "datetime"], "InvalidStream"),
        ("T_CL", ["TimeGenerated": "datetime"], "InvalidStream"),
        ("Microsoft-T_CL", ["TimeGenerated": "datetime"], "InvalidStream"),
        ("Custom-1T_CL", ["TimeGenerated": "datetime"], "InvalidStream"),
        ("Custom-T-_CL", ["TimeGenerated": "datetime"], "InvalidStream"),
        ("Custom-\(String(repeating: "T", count: 43))_CL", ["TimeGenerated": "datetime"], "InvalidStream"),
        ("Custom-T_CL", ["Name": "string"], "SchemaUpdateFatalError"),
        ("Custom-T_CL", ["TimeGenerated": "datetime", "title": "string"], "InvalidColumn"),
        ("Custom-T_CL", ["TimeGenerated": "datetime", "TENANTID": "string"], "InvalidColumn"),
        ("Custom-T_CL", ["TimeGenerated": "datetime", "_ResourceId": "string"], "InvalidColumn"),
        ("Custom-T_CL", ["TimeGenerated": "datetime", "Asset-Tag": "string"], "InvalidColumn"),
        ("Custom-T_CL", ["TimeGenerated": "datetime", String(repeating: "c", count: 46): "string"], "InvalidColumn"),
        ("Custom-T_CL", ["TimeGenerated": "datetime", "DeviceKey": "guid"], "InvalidColumn"),
        ("Custom-T_CL", ["TimeGenerated": "datetime", "Span": "timespan"], "InvalidColumn"),
    ])
    func aDeclarationThatAzureRefuses(_ stream: String, _ columns: [String: String], _ code: String) async throws {
        let lab = try await Lab(LabOptions())
        do {
            try lab.declare(rule: "r", streams: [stream: columns])
            Issue.record("it was taken")
        } catch { #expect(error.code == code, "\(error)") }
    }

    @Test func theEleventhStreamIsRefused() async throws {
        try await RunningLab.use(devices: 5) { lab in
            for n in 1...10 { try lab.lab.declare(rule: "r", streams: ["Custom-T\(n)_CL": Self.columns]) }
            #expect(throws: CollectionRule.Refusal.self) {
                try lab.lab.declare(rule: "r", streams: ["Custom-T11_CL": Self.columns])
            }
            let body = (1...11).map { #""Custom-T\#($0)_CL":{"TimeGenerated":"datetime"}"# }.joined(separator: ",")
            let answer = try await lab.send("PUT", lab.cloud + "/lab/dcr?rule=other", "{\(body)}")
            #expect(answer.status == 400 && answer.body.contains("10 is the maximum"), "\(answer)")
        }
    }

    private struct Caller {
        let lab: RunningLab
        let rule: String

        /// - Parameter audience: of the token.
        func post(
            _ body: [UInt8], stream: String = "Custom-T_CL",
            audience: String = "https%3A%2F%2Fmonitor.azure.com%2F.default",
            query: String = "?api-version=2023-01-01",
            headers: [(String, String)] = [("Content-Type", "application/json")]
        ) async throws -> (status: Int, code: String) {
            let identity = lab.lab.options.identity
            let form = try await lab.send(
                "POST", "\(lab.cloud)/\(identity.tenant)/oauth2/v2.0/token",
                "grant_type=client_credentials&client_id=\(identity.client)&client_secret=\(identity.secret)&scope=\(audience)",
                headers: [("Content-Type", "application/x-www-form-urlencoded")])
            let token = try JSON(parsing: form.body)["access_token"]?.string ?? ""
            let answer = try await lab.send(
                "POST", "\(lab.cloud)/dataCollectionRules/\(rule)/streams/\(stream)\(query)", bytes: body,
                headers: headers + [("Authorization", "Bearer \(token)")])
            return (answer.status, (try? JSON(parsing: answer.body))?["error"]?["code"]?.string ?? "")
        }
    }

    @Test func aCallThatAzureRefuses() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let id = try lab.lab.declare(rule: "r", streams: ["Custom-T_CL": Self.columns])
            try lab.lab.declare(rule: "s", streams: ["Custom-S_CL": Self.columns])
            let caller = Caller(lab: lab, rule: id)
            let one = Array(#"[{"Name":"x"}]"#.utf8)
            #expect(try await caller.post(one).status == 204)
            #expect(try await caller.post([91, 93]).status == 204)
            #expect(try await caller.post(one, stream: "Custom-S_CL").code == "InvalidStream")
            #expect(try await caller.post(one, query: "").code == "InvalidApiVersion")
            #expect(try await caller.post(one, query: "?api-version=2019-01-01").code == "InvalidApiVersion")
            #expect(try await caller.post(one, audience: "https%3A%2F%2Fgraph.microsoft.com%2F.default").status == 401)
            #expect(try await caller.post(one, headers: [("Content-Type", "text/plain")]).code == "InvalidRequestBody")
            #expect(try await Caller(lab: lab, rule: "dcr-none").post(one).status == 404)
            for body in [#"{"Name":"x"}"#, #"["x"]"#, #"[{"Name":"x"}"#, "", "[1]"] {
                #expect(try await caller.post(Array(body.utf8)).code == "InvalidRequestBody", "\(body)")
            }
            // 1 MB before compression and after it.
            let wide = Array(#"[{"Name":""#.utf8) + [UInt8](repeating: 120, count: 1_048_577) + Array(#""}]"#.utf8)
            #expect(try await caller.post(wide).code == "ContentLengthLimitExceeded")
            let packed = try #require(Deflate.compress(wide, level: 6))
            let gzip = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")]
            #expect(try await caller.post(packed, headers: gzip).code == "ContentLengthLimitExceeded")
            #expect(try await caller.post(one, headers: gzip).code == "InvalidRequestBody")
        }
    }

    /// Undeclared columns go, values of another type are null, long ones are cut wherever the limit falls.
    @Test func whatIsTakenIsStoredAsAzureStoresIt() async throws {
        try await RunningLab.use(devices: 5) { lab in
            let id = try lab.lab.declare(rule: "r", streams: ["Custom-T_CL": Self.columns])
            let long = String(repeating: "y", count: 70_000)
            let record: JSON = [
                ["Name": .string(long), "Count": "many", "More": ["a": .string(long)], "Other": 1],
                ["Name": ["a": 1], "Count": "12", "More": 3],
            ]
            #expect(try await Caller(lab: lab, rule: id).post(record.bytes).status == 204)
            let stored = try await lab.records("Custom-T_CL").compactMap(\.bagValue)
            #expect(stored[0]["Name"]?.text.utf8.count == 65_536 && stored[0]["Count"] == .null)
            #expect(stored[0]["More"]?.stringValue?.utf8.count == 65_536 && stored[0]["Other"] == nil)
            #expect(stored[1]["Name"] == .string(#"{"a":1}"#) && stored[1]["Count"] == .long(12))
        }
    }
}
