import Lab
import Tables
import TestKit
import Testing

/// The lab's hunting interface speaks as the service does, and refuses what the service refuses.
@Suite struct HuntingWireTests {
    private static let path = "/v1.0/security/runHuntingQuery"

    /// Headers of a caller with a token for an audience.
    static func bearer(_ lab: RunningLab, _ audience: String) async throws -> [(String, String)] {
        let form = lab.tokenForm.replacing(
            "https%3A%2F%2Fapi.securitycenter.microsoft.com",
            with: audience.replacing(":", with: "%3A").replacing("/", with: "%2F"))
        let answer = try await lab.send(
            "POST", "\(lab.cloud)/\(lab.lab.options.identity.tenant)/oauth2/v2.0/token", form,
            headers: [("Content-Type", "application/x-www-form-urlencoded")])
        let token = try #require(try JSON(parsing: answer.body)["access_token"]?.string)
        return [("Authorization", "Bearer \(token)")]
    }

    private static func ask(
        _ lab: RunningLab, _ query: String, form: String = "application/json"
    ) async throws -> (status: Int, body: String) {
        let headers = try await bearer(lab, "https://graph.microsoft.com") + [("Content-Type", form)]
        let body: JSON = ["Query": .string(query)]
        return try await lab.send("POST", lab.cloud + path, body.text, headers: headers)
    }

    private static let query =
        "print Flag = true, None = bool(null), N = 7, Big = 3000000000, Text = 'x', When = datetime(null), "
        + "List = dynamic([]), Nested = dynamic([['a', 1], {'b': 2}, 'c']), Numbers = dynamic([1, 2]), "
        + "Bag = dynamic({'k': [[1]], 'in': {}}), Empty = dynamic(null)"

    @Test func theCapturedFormIsWrittenByDefault() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let answer = try await Self.ask(lab, Self.query)
            let expected =
                ##"{"Flag@odata.type":"#SByte","Flag":1,"None":{},"N@odata.type":"#Int64","N":7,"##
                + ##""Big@odata.type":"#Int64","Big":3000000000,"Text":"x","When":{},"##
                + ##""List@odata.type":"#Collection(String)","List":[],"##
                + ##""Nested@odata.type":"#Collection(String)","Nested":["[\"a\",1]","{\"b\":2}","c"],"##
                + ##""Numbers@odata.type":"#Collection(Int64)","Numbers":[1,2],"##
                + ##""Bag":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue","##
                + ##""k@odata.type":"#Collection(String)","k":["[1]"],"##
                + ##""in":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue"}},"Empty":{}}"##
            #expect(answer.status == 200)
            #expect(answer.body.hasSuffix("\"results\":[\(expected)]}"), "\(answer.body)")
        }
    }

    @Test func theDocumentedFormIsPlain() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3, huntingForm: .documented) { lab in
            let answer = try await Self.ask(lab, Self.query)
            #expect(answer.body.contains(#""Flag":1,"None":null,"N":7,"#) && !answer.body.contains("@odata.type"))
            #expect(answer.body.contains(#""Nested":[["a",1],{"b":2},"c"]"#))
        }
    }

    @Test func whatGraphRefusesIsRefusedInItsForm() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let graph = try await Self.bearer(lab, "https://graph.microsoft.com")
            let other = try await Self.bearer(lab, "https://api.securitycenter.microsoft.com")
            let json = [("Content-Type", "application/json")]
            let cases: [(headers: [(String, String)], body: String, status: Int, code: String)] = [
                (json, #"{"Query":"print 1"}"#, 401, "InvalidAuthenticationToken"),
                (other + json, #"{"Query":"print 1"}"#, 401, "InvalidAuthenticationToken"),
                (graph, #"{"Query":"print 1"}"#, 400, "BadRequest"),
                (graph + [("Content-Type", "text/plain")], #"{"Query":"print 1"}"#, 415, "BadRequest"),
                (graph + json, #"{"query":"print 1"}"#, 400, "BadRequest"),
                (graph + json, #"{"Query":"print 1","timespan":"P1D"}"#, 400, "BadRequest"),
                (graph + json, #"{"Query":"print 1","Timespan":"one day"}"#, 400, "BadRequest"),
                (graph + json, "Query", 400, "BadRequest"),
                (graph + json, #"{"Query":"NoSuchTable | take 1"}"#, 400, "BadRequest"),
            ]
            for one in cases {
                let answer = try await lab.send("POST", lab.cloud + Self.path, one.body, headers: one.headers)
                #expect(answer.status == one.status, "\(one.body): \(answer.body)")
                let error = try JSON(parsing: answer.body)["error"]
                #expect(error?["code"]?.string == one.code)
                #expect(error?["innerError"]?["request-id"]?.string != nil && error?["target"] == nil)
            }
            _ = try await lab.control("POST", "/lab/roles/withhold", #"["ThreatHunting.Read.All"]"#)
            let denied = try await Self.ask(lab, "print 1")
            #expect(denied.status == 403 && denied.body.contains("ThreatHunting.Read.All"))
        }
    }

    @Test func aTimespanAndThirtyDaysBoundWhatIsSeen() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let headers =
                try await Self.bearer(lab, "https://graph.microsoft.com") + [("Content-Type", "application/json")]
            func count(_ query: String, _ timespan: String?) async throws -> String {
                var body: JSON = ["Query": .string(query)]
                if let timespan { body = ["Query": .string(query), "Timespan": .string(timespan)] }
                return try await lab.send("POST", lab.cloud + Self.path, body.text, headers: headers).body
            }
            let old = "DeviceProcessEvents | where Timestamp < ago(31d) | count"
            #expect(try await count(old, nil).hasSuffix(#""Count":0}]}"#))
            let query = "DeviceProcessEvents | where Timestamp > ago(3d) | count"
            let day = try await count(query, "P1D")
            let all = try await count(query, nil)
            #expect(day != all && !day.hasSuffix(#""Count":0}]}"#))
        }
    }

    @Test func theOlderInterfacesHaveRolesAndKeysOfTheirOwn() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let json = [("Content-Type", "application/json")]
            let endpoint = try await Self.bearer(lab, "https://api.securitycenter.microsoft.com") + json
            let xdr = try await Self.bearer(lab, "https://api.security.microsoft.com") + json
            let body = #"{"Query":"print Ok = true"}"#
            let first = try await lab.send("POST", lab.cloud + "/api/advancedqueries/run", body, headers: endpoint)
            #expect(first.body == #"{"Schema":[{"Name":"Ok","Type":"SByte"}],"Results":[{"Ok":1}]}"#)
            let second = try await lab.send("POST", lab.cloud + "/api/advancedhunting/run", body, headers: xdr)
            #expect(second.body.hasPrefix(#"{"Stats":{"#) && second.status == 200)
            let crossed = try await lab.send("POST", lab.cloud + "/api/advancedhunting/run", body, headers: endpoint)
            #expect(crossed.status == 401)
        }
    }
}
