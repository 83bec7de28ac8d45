import Foundation
import Hummingbird
import Tables

/// The inventory, score and alert calls, and the exports as files behind signed addresses.
struct InventoryRoutes: Sendable {
    let defender: DefenderRoutes

    private var lab: LabState { defender.lab }
    private var inventory: Inventory {
        let clock = lab.world.clock
        return Inventory(fleet: lab.world.fleet, day: clock.day, now: clock.now, midnight: clock.midnight)
    }
    /// Rows of one file.

    /// Calls whose answer is a page of a frozen snapshot, with the call that gives the same as files.
    private var exports: [(path: String, files: String, role: String, type: String, rows: @Sendable () -> [Value])] {
        [
            (
                "SoftwareInventoryByMachine", "SoftwareInventoryExport", "Software.Read.All", "AssetSoftware",
                { inventory.software() }
            ),
            (
                "BaselineComplianceAssessmentByMachine", "BaselineComplianceAssessmentExport",
                "SecurityBaselinesAssessment.Read.All",
                "AssetBaselineAssessment", { inventory.baselines() }
            ),
            (
                "BrowserExtensionsInventoryByMachine", "browserextensionsinventoryExport", "Software.Read.All",
                "AssetBrowserExtension",
                { inventory.browserExtensions() }
            ),
            (
                "certificateAssessmentByMachine", "certificateAssessmentExport", "Vulnerability.Read.All",
                "AssetCertificateAssessment",
                { inventory.certificates() }
            ),
            (
                "HardwareFirmwareInventoryByMachine", "HardwareFirmwareInventoryExport", "Software.Read.All",
                "AssetHardwareFirmware", { inventory.hardware() }
            ),
        ]
    }

    func add(to router: Router<BasicRequestContext>) {
        for export in exports {
            router.get("/api/machines/\(export.path)") { request, _ in
                try await defender.export(request, role: export.role, context: export.type, export.rows)
            }
            router.get("/api/machines/\(export.files)") { request, _ in
                await files(request, export.role, export.files, export.rows)
            }
        }
        router.get("/api/machines/SoftwareVulnerabilitiesExport") { request, _ in
            await files(request, "Vulnerability.Read.All", "SoftwareVulnerabilitiesExport") {
                defender.vulnerabilityRows()
            }
        }
        router.get("/api/machines/SecureConfigurationsAssessmentExport") { request, _ in
            await files(request, "Vulnerability.Read.All", "SecureConfigurationsAssessmentExport") {
                defender.configurationRows()
            }
        }
        let lists: [(String, String, ODataLimits, @Sendable () -> [Value])] = [
            ("/api/deviceavinfo", "Machine.Read.All", .antivirus, { inventory.antivirus() }),
            (
                "/api/baselineProfiles", "SecurityBaselinesAssessment.Read.All", .usual,
                { inventory.baselineProfiles() }
            ),
            (
                "/api/recommendations", "SecurityRecommendation.Read.All", .usual,
                { inventory.recommendations() }
            ),
            ("/api/alerts", "Alert.Read.All", .alerts, { alerts }),
            ("/api/exposureScore/ByMachineGroups", "Score.Read.All", .usual, { inventory.scoresByGroup() }),
        ]
        for (path, role, limits, rows) in lists {
            router.get(.init(path)) { request, _ in await list(request, role: role, limits: limits, rows: rows) }
        }
        for name in ["exposureScore", "configurationScore"] {
            router.get("/api/\(name)") { request, _ in
                if let refusal = await defender.refuse(
                    request, audience: DefenderRoutes.endpoint, role: "Score.Read.All")
                {
                    return refusal
                }
                var bag = inventory.score(name).bagValue ?? Bag()
                bag["@odata.context"] = .string("https://api.security.microsoft.com/api/$metadata#\(name)/$entity")
                return Reply.json(.bag(bag))
            }
        }
        router.get("/blob/:kind/:generated/:part") { request, context in blob(request, context) }
    }

    /// Those of scenarios, where any is played.
    private var alerts: [Value] {
        let played = lab.world.scenarios
        return played.isEmpty ? inventory.alerts() : PlayedAlerts(played, now: lab.world.clock.now).rows
    }

    private func list(
        _ request: Request, role: String, limits: ODataLimits, rows: () -> [Value]
    ) async -> Response {
        if let refusal = await defender.refuse(request, audience: DefenderRoutes.endpoint, role: role) {
            return refusal
        }
        return defender.collection(request, limits: limits) { query in
            // Without being asked for, an alert's evidence is left out.
            guard limits.expandable.contains("evidence"), !query.expands.contains("evidence") else { return rows() }
            return rows().map { row in
                var bag = row.bagValue ?? Bag()
                bag["evidence"] = .array([])
                return .bag(bag)
            }
        }
    }

    // MARK: Files

    private func files(_ request: Request, _ role: String, _ kind: String, _ rows: () -> [Value]) async -> Response {
        if let refusal = await defender.refuse(request, audience: DefenderRoutes.endpoint, role: role) {
            return refusal
        }
        guard let hours = Self.validHours(request, kind) else {
            return Reply.defenderError(400, "InvalidInput", "sasValidHours is out of range.")
        }
        // The snapshot is made every six hours, whether anybody asks or not.
        let generated = lab.world.clock.now / (DateTime.ticksPerDay / 4) * (DateTime.ticksPerDay / 4)
        let parts = lab.parts(of: "\(kind)/\(generated)") {
            let all = rows()
            let size = lab.exportFileRows
            return stride(from: 0, to: all.count, by: size).map { Self.packed(all[$0..<min($0 + size, all.count)]) }
        }
        let end = lab.sasExpiry ?? Int(Date().timeIntervalSince1970) + hours * 3_600
        let links = parts.indices.map { part -> Value in
            .string(
                "\(defender.base(request))/blob/\(kind)/\(generated)/part-\(part).json.gz?sv=2021-08-06&se=\(end)&sr=b&sp=r&sig=\(lab.signature(part, end))"
            )
        }
        return Reply.json(
            .bag(
                Bag([
                    (
                        "@odata.context",
                        .string(
                            "https://api.security.microsoft.com/api/$metadata#microsoft.windowsDefenderATP.api.ExportFilesResponse"
                        )
                    ),
                    ("exportFiles", .array(links)), ("generatedTime", .datetime(generated)),
                ])))
    }

    /// Hours that the files' addresses hold; nil for more than the call's page allows. Two take none.
    private static func validHours(_ request: Request, _ kind: String) -> Int? {
        guard !["browserextensionsinventoryExport", "HardwareFirmwareInventoryExport"].contains(kind),
            let text = request.uri.queryParameters["sasValidHours"]
        else { return 1 }
        let most = kind == "certificateAssessmentExport" ? 24 : 6
        return Int(text).flatMap { (1...most).contains($0) ? $0 : nil }
    }

    /// One record a line, names with a capital, nothing for what has no value.
    private static func packed(_ rows: ArraySlice<Value>) -> [UInt8] {
        var out: [UInt8] = []
        for row in rows {
            let bag = row.bagValue ?? Bag()
            let pairs = zip(bag.keys, bag.values).filter { !$1.isNull }.map { key, value in
                let name = key.hasPrefix("os") ? "OS" + key.dropFirst(2) : key.prefix(1).uppercased() + key.dropFirst()
                return (name, value)
            }
            JSONWriter.append(.bag(Bag(pairs)), to: &out)
            out.append(10)
        }
        return Deflate.compress(out) ?? []
    }

    private func blob(_ request: Request, _ context: BasicRequestContext) -> Response {
        let kind = context.parameters.get("kind") ?? ""
        let generated = context.parameters.get("generated") ?? ""
        let part = Int((context.parameters.get("part") ?? "").dropFirst(5).prefix { $0.isNumber }) ?? -1
        let end = Int(request.uri.queryParameters["se"] ?? "0") ?? 0
        guard request.headers[.authorization] == nil,
            request.uri.queryParameters["sig"].map(String.init) == lab.signature(part, end)
        else {
            return Reply.raw(
                Array("<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code></Error>".utf8), status: 403,
                type: "application/xml")
        }
        guard end > Int(Date().timeIntervalSince1970) else {
            let detail = "Signature not valid in the specified key time frame"
            return Reply.raw(
                Array(
                    "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><AuthenticationErrorDetail>\(detail)</AuthenticationErrorDetail></Error>"
                        .utf8),
                status: 403, type: "application/xml")
        }
        let parts = lab.parts(of: "\(kind)/\(generated)") { [] }
        guard parts.indices.contains(part) else { return Reply.raw([], status: 404, type: "application/xml") }
        if part == lab.emptyPart { return Reply.raw([], type: "application/octet-stream") }
        if lab.takePendingCopy() {
            return Reply.raw([], type: "application/octet-stream", headers: [("x-ms-copy-status", "pending")])
        }
        return Reply.raw(parts[part], type: "application/octet-stream")
    }
}
