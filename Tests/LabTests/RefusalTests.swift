import AsyncHTTPClient
import Lab
import NIOCore
import Tables
import TestKit
import Testing

/// The lab refuses what the services' pages say is refused, each in the service's own form.
@Suite struct RefusalTests {
    private static let endpoint = "https://api.securitycenter.microsoft.com"

    private func statuses(
        _ lab: RunningLab, _ calls: [(String, Int)], code: String
    ) async throws {
        let bearer = try await HuntingWireTests.bearer(lab, Self.endpoint)
        for (path, status) in calls {
            let answer = try await lab.send("GET", lab.cloud + path, headers: bearer)
            #expect(answer.status == status, "\(path): \(answer.body.prefix(200))")
            if status == 400 {
                let error = try JSON(parsing: answer.body)["error"]
                #expect(error?["code"]?.string == code, "\(path): \(answer.body)")
                #expect(error?["target"]?.string?.isEmpty == false)
            }
        }
    }

    @Test func sizesOfPagesHaveBounds() async throws {
        try await RunningLab.use(devices: 5, otDevices: 3) { lab in
            let calls = ["/api/machines", "/api/alerts", "/api/deviceavinfo", "/api/recommendations"].flatMap { path in
                [
                    ("\(path)?$top=10000", 200), ("\(path)?$top=10001", 400), ("\(path)?$top=0", 400),
                    ("\(path)?$top=many", 400), ("\(path)?$skip=-1", 400), ("\(path)?$skip=1e+06", 400),
                ]
            }
            try await statuses(lab, calls, code: "ODataError")
            let export = "/api/machines/SoftwareVulnerabilitiesByMachine"
            try await statuses(
                lab,
                [
                    ("\(export)?pageSize=200000", 200), ("\(export)?pageSize=200001", 400),
                    ("\(export)?pageSize=0", 400),
                    ("\(export)?pageSize=all", 400), ("\(export)?$skiptoken=none", 400),
                    ("/api/machines/SoftwareVulnerabilitiesExport?sasValidHours=6", 200),
                    ("/api/machines/SoftwareVulnerabilitiesExport?sasValidHours=7", 400),
                    ("/api/machines/certificateAssessmentExport?sasValidHours=24", 200),
                    ("/api/machines/certificateAssessmentExport?sasValidHours=25", 400),
                ], code: "InvalidInput")
        }
    }

    @Test func onlyDocumentedPropertiesAreFiltered() async throws {
        try await RunningLab.use(devices: 5, otDevices: 3) { lab in
            func path(_ collection: String, _ filter: String) -> String {
                "/api/\(collection)?$filter=\(filter.replacing(" ", with: "%20").replacing("'", with: "%27"))"
            }
            try await statuses(
                lab,
                [
                    (path("machines", "healthStatus eq 'Active'"), 200),
                    (path("machines", "agentVersion eq '1'"), 400), (path("machines", "healthstatus eq 'Active'"), 400),
                    (path("machines", "healthStatus eq Active"), 400), (path("machines", "healthStatus is 'x'"), 400),
                    (path("machines", "healthStatus eq 'Active' and"), 400),
                    (path("machines", "lastSeen gt 2018-08-01T00:00:00Z"), 200),
                    (path("machines", "(id eq 'a' or id eq 'b'"), 400),
                    (path("machines", "startswith(computerDnsName,'m')"), 200),
                    (path("deviceavinfo", "rbacGroupName eq 'x'"), 400),
                    (path("deviceavinfo", "id eq 'x'"), 400), (path("alerts", "title eq 'x'"), 400),
                    ("/api/machines?$orderby=id", 400), ("/api/machines?$select=id", 400),
                    ("/api/machines?$expand=evidence", 400), ("/api/alerts?$expand=evidence", 200),
                ], code: "ODataError")
        }
    }

    @Test func aFilterLeavesOutWhatItSays() async throws {
        try await RunningLab.use(devices: 60, otDevices: 3) { lab in
            let bearer = try await HuntingWireTests.bearer(lab, Self.endpoint)
            func count(_ query: String) async throws -> Int {
                let answer = try await lab.send("GET", lab.cloud + "/api/machines" + query, headers: bearer)
                return try #require(try JSON(parsing: answer.body)["value"]?.array?.count)
            }
            let all = try await count("")
            let high = try await count("?$filter=deviceValue+eq+%27High%27")
            let rest = try await count("?$filter=not%20(deviceValue%20eq%20%27High%27)")
            #expect(all == 60 && high > 0 && rest > 0 && high + rest == all)
            let both = try await count("?$filter=deviceValue%20eq%20%27High%27%20or%20deviceValue%20ne%20%27High%27")
            #expect(both == all)
            #expect(try await count("?$filter=lastSeen%20gt%202999-01-01T00:00:00Z") == 0)
        }
    }

    @Test func aDeltaGoesBackFourteenDays() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let path = "/api/machines/SoftwareVulnerabilityChangesByMachine"
            let now = lab.lab.clock.now
            let old = DateTime.format(now - 15 * DateTime.ticksPerDay)
            let recent = DateTime.format(now - 13 * DateTime.ticksPerDay)
            try await statuses(
                lab, [(path, 400), ("\(path)?sinceTime=\(old)", 400), ("\(path)?sinceTime=\(recent)", 200)],
                code: "BadRequest")
            #expect(try await lab.send("GET", lab.cloud + path).status == 401)
        }
    }

    @Test func noMachinesAreAnError() async throws {
        try await RunningLab.use(devices: 0, otDevices: 3) { lab in
            try await statuses(lab, [("/api/machines", 404)], code: "NotFound")
        }
    }

    @Test func resourceGraphAsksForItsVersionAndType() async throws {
        try await RunningLab.use(devices: 3, otDevices: 3) { lab in
            let bearer = try await HuntingWireTests.bearer(lab, "https://management.azure.com")
            let path = lab.cloud + "/providers/Microsoft.ResourceGraph/resources"
            let body = #"{"query":"iotsecurityresources | take 1"}"#
            let json = [("Content-Type", "application/json")]
            let bare = try await lab.send("POST", path, body, headers: bearer + json)
            #expect(bare.status == 400 && bare.body.contains("MissingApiVersionParameter"))
            let typeless = try await lab.send("POST", path + "?api-version=2022-10-01", body, headers: bearer)
            #expect(typeless.status == 415 && typeless.body.contains("UnsupportedMediaType"))
            let whole = try await lab.send("POST", path + "?api-version=2022-10-01", body, headers: bearer + json)
            #expect(whole.status == 200)
        }
    }

    // MARK: The plant

    static func sensor(_ lab: RunningLab, _ path: String, token: Bool = true) async throws -> (Int, String) {
        // The sensor's certificate is its own.
        let configuration = HTTPClient.Configuration(certificateVerification: .none)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        var request = HTTPClientRequest(url: lab.sensor + path)
        if token { request.headers.add(name: "Authorization", value: lab.lab.options.identity.sensorToken) }
        let answer: (Int, String)
        do {
            let response = try await client.execute(request, timeout: .seconds(30))
            answer = (Int(response.status.code), String(buffer: try await response.body.collect(upTo: 16 << 20)))
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
        return answer
    }

    @Test func sensorsReadTheirParameters() async throws {
        try await RunningLab.use(devices: 3, otDevices: 10) { lab in
            let calls = [
                ("/api/v1/devices?authorized=true", 200), ("/api/v1/devices?authorized=yes", 400),
                ("/api/v1/devices/cves?top=5", 200), ("/api/v1/devices/cves?top=all", 400),
                ("/api/v1/alerts?state=handled", 200), ("/api/v1/alerts?state=open", 400),
                ("/api/v1/alerts?fromTime=2026-01-01", 400), ("/api/v1/events?minutesTimeFrame=x", 400),
                ("/api/v1/devices/connections?lastActiveInMinutes=x", 400),
                ("/external/v3/integration/devices/yesterday", 400), ("/external/v3/integration/devices/0?size=0", 400),
                ("/external/v2/alerts?fromTime=x", 400),
            ]
            for (path, status) in calls {
                let answer = try await Self.sensor(lab, path)
                #expect(answer.0 == status, "\(path): \(answer.1.prefix(200))")
                if status == 400 { #expect(try JSON(parsing: answer.1)["error"]?.string?.contains("failed") == true) }
            }
            #expect(try await Self.sensor(lab, "/api/v1/devices", token: false).0 == 401)
        }
    }

    /// Documented traps: a type that there is none of gives everything, and three days are the most.
    @Test func theTimelineIsLenientWhereThePageSaysSo() async throws {
        try await RunningLab.use(devices: 3, otDevices: 10) { lab in
            let all = try await Self.sensor(lab, "/api/v1/events?minutesTimeFrame=4000").1
            let unknown = try await Self.sensor(lab, "/api/v1/events?minutesTimeFrame=4000&type=NO_SUCH").1
            let one = try await Self.sensor(lab, "/api/v1/events?minutesTimeFrame=4000&type=USER_LOGIN").1
            #expect(all == unknown && one != all && one.contains("USER_LOGIN") && !one.contains("FILE_TRANSFER"))
            let most = try await Self.sensor(lab, "/api/v1/events?minutesTimeFrame=4320").1
            #expect(try await Self.sensor(lab, "/api/v1/events?minutesTimeFrame=99999").1 == most)
        }
    }
}
