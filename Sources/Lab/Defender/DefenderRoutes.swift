import Foundation
import Hummingbird
import Tables

/// Machines and the vulnerability-management exports, and what every call of Defender asks of its bearer.
struct DefenderRoutes: Sendable {
    let lab: LabState
    let scheme: String

    static let graph = "https://graph.microsoft.com"
    static let endpoint = "https://api.securitycenter.microsoft.com"

    func add(to router: Router<BasicRequestContext>) {
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
        HuntingRoutes(defender: self).add(to: router)
        InventoryRoutes(defender: self).add(to: router)
        DeviceDetailRoutes(defender: self).add(to: router)
    }

    /// What a call's token says of its bearer.
    enum Bearer {
        case allowed
        /// There is no token that this service knows.
        case unknown(reason: String)
        /// The application was not given this role.
        case lacking(role: String)
    }

    func bearer(of request: Request, audience: String, role: String) async -> Bearer {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer "),
            let claims = await lab.issuer.read(String(header.dropFirst(7)))
        else { return .unknown(reason: "The access token is missing, has expired, or is not valid.") }
        guard claims.aud == audience else {
            return .unknown(reason: "The access token's audience \(claims.aud) is not \(audience).")
        }
        return claims.roles?.contains(role) == true ? .allowed : .lacking(role: role)
    }

    /// Nil when the bearer may go on.
    func refuse(_ request: Request, audience: String, role: String) async -> Response? {
        switch await bearer(of: request, audience: audience, role: role) {
        case .allowed: nil
        case .unknown(let reason): Reply.defenderError(401, "Unauthorized", reason)
        case .lacking(let role):
            Reply.defenderError(
                403, "Forbidden", "The application does not have any of the required application permissions (\(role))."
            )
        }
    }

    // MARK: REST

    private func machines(_ request: Request) async throws -> Response {
        if let refusal = await refuse(request, audience: Self.endpoint, role: "Machine.Read.All") { return refusal }
        let all = lab.world.fleet.machines
        // Documented so: no machine that reported lately is an error, not an empty list.
        if all.isEmpty { return Reply.defenderError(404, "NotFound", "No recent machines were found.") }
        return collection(request, limits: .usual, context: "#Machines") { _ in all.map(machine) }
    }

    /// A page of a collection, with a next link only where the call named no `$top`.
    func collection(
        _ request: Request, limits: ODataLimits, context: String = "", rows: (ODataQuery) -> [Value]
    ) -> Response {
        do throws(ODataRefusal) {
            let query = try ODataQuery(request, limits)
            let page = try query.page(of: rows(query))
            var bag = Bag([
                ("@odata.context", .string("https://api.security.microsoft.com/api/$metadata\(context)")),
                ("value", .array(page.rows)),
            ])
            if page.hasMore {
                bag["@odata.nextLink"] = .string("\(base(request))\(request.uri.path)?$skip=\(query.nextSkip)")
            }
            return Reply.json(.bag(bag))
        } catch { return Reply.defenderError(400, "ODataError", error.message) }
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
        let midnight = lab.world.clock.midnight
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
                            ("recommendedSecurityUpdateUrl", .string("https://updates.lab.example/\(v.id)")),
                            ("diskPaths", .array([.string("C:\\Program Files\\\(v.product)\\\(v.product).exe")])),
                            ("registryPaths", .array([.string("HKLM\\Software\\\(v.product)")])),
                        ])))
            }
        }
        return out
    }

    func configurationRows() -> [Value] {
        let fleet = lab.world.fleet
        let day = lab.world.clock.day
        let midnight = lab.world.clock.midnight
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
