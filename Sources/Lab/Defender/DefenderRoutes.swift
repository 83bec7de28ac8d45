import Foundation
import Hummingbird
import KQLEngine
import Tables

/// Advanced hunting in its three forms, machines, and the vulnerability-management exports.
struct DefenderRoutes: Sendable {
    let lab: LabState
    let scheme: String

    static let graph = "https://graph.microsoft.com"
    static let endpoint = "https://api.securitycenter.microsoft.com"

    func add(to router: Router<BasicRequestContext>) {
        router.post("/v1.0/security/runHuntingQuery") { request, _ in try await hunt(request, isGraph: true) }
        router.post("/api/advancedqueries/run") { request, _ in try await hunt(request, isGraph: false) }
        router.post("/api/advancedhunting/run") { request, _ in try await hunt(request, isGraph: false) }
        router.get("/api/machines") { request, _ in try await machines(request) }
        router.get("/api/machines/SoftwareVulnerabilitiesByMachine") { request, _ in
            try await export(request, role: "Vulnerability.Read.All", context: "AssetVulnerability") {
                vulnerabilityRows()
            }
        }
        router.get("/api/machines/SecureConfigurationsAssessmentByMachine") { request, _ in
            try await export(request, role: "Vulnerability.Read.All", context: "AssetConfiguration") {
                configurationRows()
            }
        }
        InventoryRoutes(defender: self).add(to: router)
        DeviceDetailRoutes(defender: self).add(to: router)
    }

    /// Nil when the bearer may go on.
    func refuse(_ request: Request, audience: String, role: String) async -> Response? {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer "),
            let claims = await lab.issuer.read(String(header.dropFirst(7)))
        else {
            return Reply.defenderError(
                401, "Unauthorized", "The access token is missing, has expired, or is not valid.")
        }
        guard claims.aud == audience else {
            return Reply.defenderError(
                401, "Unauthorized", "The access token's audience \(claims.aud) is not \(audience).")
        }
        guard claims.roles?.contains(role) == true else {
            return Reply.defenderError(
                403, "Forbidden", "The application does not have any of the required application permissions (\(role))."
            )
        }
        return nil
    }

    // MARK: Advanced hunting

    private func hunt(_ request: Request, isGraph: Bool) async throws -> Response {
        if let refusal = await refuse(
            request, audience: isGraph ? Self.graph : Self.endpoint,
            role: isGraph ? "ThreatHunting.Read.All" : "Machine.Read.All")
        {
            return refusal
        }
        let body = try await request.body.collect(upTo: 4 << 20)
        guard case .bag(let bag)? = try? JSONReader.parse(Array(body.readableBytesView)),
            case .string(let query)? = bag["Query"]
        else {
            return Reply.defenderError(400, "BadRequest", "The request body needs a Query.")
        }
        var options = QueryOptions()
        options.now = lab.world.clock.now
        options.rowCountMax = nil
        options.durationMax = 180
        let result: QueryResult
        do { result = try Engine(provider: lab.world.tables()).run(query, options: options) } catch let error
            as QueryError
        {
            let inner = Value.bag(
                Bag([
                    ("date", .string(DateTime.format(lab.world.clock.now))),
                    ("request-id", .string(UUID().uuidString.lowercased())),
                ]))
            return Reply.json(
                .bag(
                    Bag([
                        (
                            "error",
                            .bag(
                                Bag([
                                    ("code", .string("BadRequest")),
                                    ("message", .string("\(error.message) Fix semantic errors in your query.")),
                                    ("innerError", inner),
                                ]))
                        )
                    ])),
                status: 400)
        }
        let table = result.primary
        guard table.count <= lab.huntingRowsMax else { return tooLarge }
        var out: [UInt8] = []
        let (schemaKey, resultsKey, nameKey, typeKey) =
            isGraph ? ("schema", "results", "name", "type") : ("Schema", "Results", "Name", "Type")
        // Only Graph's answer carries a context.
        let context =
            isGraph
            ? "\"@odata.context\":\"https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults\","
            : ""
        out += "{\(context)\"\(schemaKey)\":[".utf8
        for (i, c) in table.schema.columns.enumerated() {
            if i > 0 { out.append(44) }
            out += "{\"\(nameKey)\":\(JSONWriter.quoted(c.name)),\"\(typeKey)\":\"\(Self.typeName(c.type))\"}".utf8
        }
        out += "],\"\(resultsKey)\":[".utf8
        let columns = try table.schema.columns.indices.map { try table.batch.column($0) }
        let keys = table.schema.columns.map { JSONWriter.quoted($0.name) + ":" }
        for row in 0..<table.count {
            out += row > 0 ? ",{".utf8 : "{".utf8
            for (c, column) in columns.enumerated() {
                if c > 0 { out.append(44) }
                out += keys[c].utf8
                let value = column[row]
                if case .bool(let b) = value { out += (b ? "1" : "0").utf8 } else { JSONWriter.append(value, to: &out) }
            }
            out.append(125)
        }
        out += "]}".utf8
        return out.count > 50_000_000 ? tooLarge : Reply.raw(out)
    }

    private var tooLarge: Response {
        Reply.defenderError(
            400, "BadRequest",
            "Query execution has exceeded the allowed result size. Optimize your query by limiting the number of results and try again"
        )
    }

    private static func typeName(_ t: ScalarType) -> String {
        switch t {
        case .bool: "SByte"
        case .decimal: "SqlDecimal"
        default: t.dotNetName
        }
    }

    // MARK: REST

    private func machines(_ request: Request) async throws -> Response {
        if let refusal = await refuse(request, audience: Self.endpoint, role: "Machine.Read.All") { return refusal }
        let query = request.uri.queryParameters
        let skip = Int(query["$skip"].map(String.init) ?? "0") ?? 0
        let top = query["$top"].flatMap { Int($0) }
        guard skip >= 0, (top ?? 1) > 0, (top ?? 1) <= 10_000 else {
            return Reply.defenderError(400, "ODataError", "$top and $skip are out of range.")
        }
        let all = lab.world.fleet.machines
        let size = top ?? 1_000
        let page = all.dropFirst(skip).prefix(size)
        var bag = Bag([
            ("@odata.context", .string("https://api.security.microsoft.com/api/$metadata#Machines")),
            ("value", .array(page.map(machine))),
        ])
        if top == nil, skip + size < all.count {
            bag["@odata.nextLink"] = .string("\(base(request))/api/machines?$skip=\(skip + size)")
        }
        return Reply.json(.bag(bag))
    }

    func base(_ request: Request) -> String { "\(scheme)://\(request.head.authority ?? "127.0.0.1")" }

    private func machine(_ m: Machine) -> Value {
        let fleet = lab.world.fleet
        let day = lab.world.clock.day
        let now = lab.world.clock.now
        let health = fleet.health(m, day: day)
        let first = (DateTime.ticks(2026, 1, 1) ?? 0) - Int64(m.index % 300) * DateTime.ticksPerDay
        let silent: Int64 = health == "Inactive" ? 12 : 0
        let seen =
            now - silent * DateTime.ticksPerDay - Int64(fleet.dice.roll(m.index, 33, day) % 80_000)
            * DateTime.ticksPerSecond
        return .bag(
            Bag([
                ("id", .string(m.id)), ("mergedIntoMachineId", .null), ("isPotentialDuplication", .bool(false)),
                ("isExcluded", .bool(false)),
                ("computerDnsName", .string(m.name)), ("firstSeen", .datetime(first)),
                ("lastSeen", .datetime(seen)), ("osPlatform", .string(m.osPlatform)), ("osVersion", .null),
                ("osProcessor", .string("x64")),
                ("version", .string(m.version)), ("lastIpAddress", .string(m.address)),
                ("lastExternalIpAddress", .string("203.0.113.\(m.index % 250)")),
                ("agentVersion", .string(m.family == "Linux" ? "30.124092.2.0" : "10.8790.\(m.build ?? 0).5608")),
                ("osBuild", m.build.map { .long($0) } ?? .null),
                ("healthStatus", .string(health)), ("deviceValue", .string(m.isServer ? "High" : "Normal")),
                ("rbacGroupId", .long(m.groupID)),
                ("rbacGroupName", .string(m.group)),
                (
                    "riskScore",
                    .string(
                        ["None", "Low", "Medium", "High"][
                            Int(fleet.dice.roll(m.index, 34, (day + m.index % 30) / 30) % 4)])
                ),
                ("exposureLevel", .string(["Low", "Low", "Medium", "High"][Int(fleet.dice.roll(m.index, 31) % 4)])),
                ("isAadJoined", .bool(m.family == "Windows")), ("aadDeviceId", .null),
                ("machineTags", .array(m.isServer ? [.string("server")] : [])),
                ("onboardingStatus", .string(fleet.onboarding(m))), ("osArchitecture", .string("64-bit")),
                ("managedBy", .string(m.isServer ? "MicrosoftDefenderForEndpoint" : "Intune")),
                ("managedByStatus", .string("Success")),
                (
                    "ipAddresses",
                    .array([
                        .bag(
                            Bag([
                                ("ipAddress", .string(m.address)),
                                ("macAddress", .string("00005E\(Digits.padded(m.index % 1_000_000, 6))")),
                                ("type", .string("Ethernet")), ("operationalStatus", .string("Up")),
                            ]))
                    ])
                ),
                ("vmMetadata", .null),
            ]))
    }

    // MARK: Exports

    /// A page of a frozen snapshot; the skip token holds the line to go on from.
    func export(_ request: Request, role: String, context: String, _ rows: () -> [Value]) async throws -> Response {
        if let refusal = await refuse(request, audience: Self.endpoint, role: role) { return refusal }
        let query = request.uri.queryParameters
        let size = Int(query["pageSize"] ?? query["pagesize"] ?? "50000") ?? 0
        guard (1...200_000).contains(size) else {
            return Reply.defenderError(400, "InvalidInput", "pageSize must be between 1 and 200000.")
        }
        var start = 0
        if let token = query["$skiptoken"] {
            let padded = String(token).replacing("-", with: "+").replacing("_", with: "/")
            guard let data = Data(base64Encoded: padded + String(repeating: "=", count: (4 - padded.count % 4) % 4)),
                let state = try? JSONReader.parse([UInt8](data)), case .bag(let bag) = state,
                case .long(let line)? = bag["LineStoppedAt"]
            else { return Reply.defenderError(400, "InvalidInput", "The skip token is not valid.") }
            start = Int(line)
        }
        let all = rows()
        var bag = Bag([
            (
                "@odata.context",
                .string(
                    "https://api.securitycenter.microsoft.com/api/$metadata#Collection(microsoft.windowsDefenderATP.api.\(context))"
                )
            ),
            ("value", .array(Array(all.dropFirst(start).prefix(size)))),
        ])
        if start + size < all.count {
            let state =
                "{\"ExportDefinition\":{\"TimePath\":\"2026-08-01/0501/\"},\"ExportFileIndex\":0,\"LineStoppedAt\":\(start + size)}"
            let token = Data(state.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
                .replacing("=", with: "")
            bag["@odata.nextLink"] = .string("\(base(request))\(request.uri.path)?pagesize=\(size)&$skiptoken=\(token)")
        }
        return Reply.json(.bag(bag))
    }

    private func spaced(_ t: Int64) -> String { String(DateTime.format(t).replacing("T", with: " ").dropLast(5)) }

    func vulnerabilityRows() -> [Value] {
        let fleet = lab.world.fleet
        let day = lab.world.clock.day
        let now = lab.world.clock.now
        let midnight = now / DateTime.ticksPerDay * DateTime.ticksPerDay
        var out: [Value] = []
        for m in fleet.machines where fleet.onboarding(m) == "Onboarded" {
            for v in fleet.vulnerabilities(m, day: day) {
                let installed = SoftwareVersions.installed(v, m)
                let first =
                    (DateTime.parse(v.published) ?? 0) + Int64(fleet.dice.roll(m.index, 35) % 20) * DateTime.ticksPerDay
                out.append(
                    .bag(
                        Bag([
                            ("id", .string("\(m.id)_\(v.vendor)_\(v.product)_\(installed)_\(v.id)")),
                            ("deviceId", .string(m.id)),
                            ("rbacGroupId", .long(m.groupID)),
                            ("rbacGroupName", .string(m.group)), ("deviceName", .string(m.name)),
                            ("osPlatform", .string(m.osPlatform)),
                            ("osVersion", .string(m.osVersion)),
                            ("osArchitecture", .string("x64")), ("softwareVendor", .string(v.vendor)),
                            ("softwareName", .string(v.product)),
                            ("softwareVersion", .string(installed)), ("cveId", .string(v.id)),
                            ("vulnerabilitySeverityLevel", .string(v.severity)),
                            ("recommendedSecurityUpdate", .string(v.fix)), ("cvssScore", .real(v.score)),
                            ("securityUpdateAvailable", .bool(true)),
                            ("exploitabilityLevel", .string(v.isExploited ? "ExploitIsPublic" : "NoExploit")),
                            ("firstSeenTimestamp", .string(spaced(first))),
                            ("lastSeenTimestamp", .string(spaced(midnight))),
                            ("recommendationReference", .string("va-_-\(v.vendor)-_-\(v.product)")),
                        ])))
            }
        }
        return out
    }

    func configurationRows() -> [Value] {
        let fleet = lab.world.fleet
        let day = lab.world.clock.day
        let midnight = lab.world.clock.now / DateTime.ticksPerDay * DateTime.ticksPerDay
        var out: [Value] = []
        for m in fleet.machines where fleet.onboarding(m) == "Onboarded" {
            for (k, c) in m.controls.enumerated() {
                let applies = fleet.applies(m, k)
                out.append(
                    .bag(
                        Bag([
                            ("deviceId", .string(m.id)), ("rbacGroupName", .string(m.group)),
                            ("deviceName", .string(m.name)),
                            ("osPlatform", .string(m.osPlatform)),
                            ("osVersion", .string(m.osVersion)), ("timestamp", .string(spaced(midnight))),
                            ("configurationId", .string(c.id)),
                            ("configurationCategory", .string(c.category)),
                            ("configurationSubcategory", .string(c.subcategory)),
                            ("configurationImpact", .real(c.impact)),
                            ("isCompliant", .bool(applies && fleet.complies(m, k, day: day))),
                            ("isApplicable", .bool(applies)),
                            ("isExpectedUserImpact", .bool(false)),
                            ("configurationName", .string(c.name)),
                            ("recommendationReference", .string("sca-_-\(c.id)")),
                        ])))
            }
        }
        return out
    }
}
