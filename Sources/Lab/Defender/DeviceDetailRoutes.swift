import Foundation
import Hummingbird
import Tables

/// Calls about one device, and the delta of vulnerabilities.
struct DeviceDetailRoutes: Sendable {
    let defender: DefenderRoutes

    private var lab: LabState { defender.lab }

    func add(to router: Router<BasicRequestContext>) {
        router.get("/api/machines/:id/logonusers") { request, context in
            await ofMachine(request, context, "User.Read.All", "Users") { logonUsers($0) }
        }
        router.get("/api/machines/:id/getmissingkbs") { request, context in
            await ofMachine(request, context, "Software.Read.All", "PublicProductFixDto") { missingKBs($0) }
        }
        router.get("/api/machines/SoftwareVulnerabilityChangesByMachine") { request, _ in
            if let refusal = await defender.refuse(
                request, audience: DefenderRoutes.endpoint, role: "Vulnerability.Read.All")
            {
                return refusal
            }
            guard let since = request.uri.queryParameters["sinceTime"].flatMap({ DateTime.parse(String($0)) }) else {
                return Reply.defenderError(400, "BadRequest", "sinceTime is required.")
            }
            guard lab.world.clock.now - since <= 14 * DateTime.ticksPerDay else {
                return Reply.defenderError(400, "BadRequest", "sinceTime cannot be more than 14 days ago.")
            }
            return try await defender.export(
                request, role: "Vulnerability.Read.All", context: "DeltaAssetVulnerability"
            ) { changes(since: since) }
        }
    }

    private func ofMachine(
        _ request: Request, _ context: BasicRequestContext, _ role: String, _ kind: String, _ rows: (Machine) -> [Value]
    ) async -> Response {
        if let refusal = await defender.refuse(request, audience: DefenderRoutes.endpoint, role: role) {
            return refusal
        }
        guard let machine = lab.world.fleet.machines.first(where: { $0.id == context.parameters.get("id") }) else {
            return Reply.defenderError(
                404, "ResourceNotFound", "Machine \(context.parameters.get("id") ?? "") was not found")
        }
        return Reply.json(
            .bag(
                Bag([
                    ("@odata.context", .string("https://api.security.microsoft.com/api/$metadata#\(kind)")),
                    ("value", .array(rows(machine))),
                ])))
    }

    private func logonUsers(_ m: Machine) -> [Value] {
        let dice = lab.world.fleet.dice
        let others = ["svc.backup", "helpdesk", "admin.t1"].filter { _ in m.isServer }
        return ([m.user] + others).enumerated().map { k, name in
            let seen = lab.world.clock.now - Int64(dice.roll(m.index, 80, k) % 80_000) * DateTime.ticksPerSecond
            return .bag(
                Bag([
                    ("id", .string("contoso\\\(name)")), ("accountName", .string(name)),
                    ("accountDomain", .string("contoso")),
                    ("firstSeen", .datetime((DateTime.ticks(2026, 1, 5) ?? 0) + Int64(k) * DateTime.ticksPerDay)),
                    ("lastSeen", .datetime(seen)),
                    ("logonTypes", .string(k == 0 ? "Interactive, RemoteInteractive" : "Network")),
                    ("isDomainAdmin", .bool(name == "admin.t1")),
                    ("isOnlyNetworkUser", .bool(k > 0)),
                ]))
        }
    }

    private func missingKBs(_ m: Machine) -> [Value] {
        let fleet = lab.world.fleet
        let missing = fleet.vulnerabilities(m, day: lab.world.clock.day).filter { $0.vendor == "microsoft" }
        return Dictionary(grouping: missing, by: \.fix).sorted { $0.key < $1.key }.map { fix, found in
            let number =
                5_000_000 + Int(fleet.dice.roll(fix.utf8.reduce(0) { ($0 * 31 + Int($1)) % 1_000_003 }) % 90_000)
            return .bag(
                Bag([
                    ("id", .string(String(number))), ("name", .string(fix)),
                    ("productsNames", .array(Set(found.map(\.product)).sorted().map { .string($0) })),
                    ("url", .string("https://catalog.update.microsoft.com/Search.aspx?q=KB\(number)")),
                    ("machineMissedOn", .long(Int64(m.index % 40 + 1))),
                    ("cveAddressed", .long(Int64(found.count))),
                ]))
        }
    }

    /// What differs between two days, told of at the first instant of the later one: at no hour is it still to come.
    private func changes(since: Int64) -> [Value] {
        let fleet = lab.world.fleet
        let clock = lab.world.clock
        var out: [Value] = []
        for day in 1...max(1, clock.day) where clock.day > 0 {
            let time = clock.midnight - Int64(clock.day - day) * DateTime.ticksPerDay
            // Rounded down to the six hours that the snapshot was made in.
            guard time >= since / (DateTime.ticksPerDay / 4) * (DateTime.ticksPerDay / 4) else { continue }
            for m in fleet.machines where fleet.onboarding(m) == "Onboarded" {
                let before = fleet.vulnerabilities(m, day: day - 1)
                let after = fleet.vulnerabilities(m, day: day)
                let (old, new) = (Set(before.map(\.id)), Set(after.map(\.id)))
                for v in after where !old.contains(v.id) { out.append(change(m, v, "New", time)) }
                for v in before where !new.contains(v.id) { out.append(change(m, v, "Fixed", time)) }
            }
        }
        return out
    }

    private func change(_ m: Machine, _ v: Vulnerability, _ status: String, _ time: Int64) -> Value {
        func spaced(_ t: Int64) -> String { String(DateTime.format(t).replacing("T", with: " ").dropLast(5)) }
        let installed = SoftwareVersions.installed(v, m)
        return .bag(
            Bag([
                ("id", .string("\(m.id)_\(v.vendor)_\(v.product)_\(installed)_\(v.id)")), ("status", .string(status)),
                ("eventTimestamp", .string(spaced(time))),
                ("deviceId", .string(m.id)), ("deviceName", .string(m.name)), ("osPlatform", .string(m.osPlatform)),
                ("osVersion", .string(m.osVersion)),
                ("osArchitecture", .string("x64")), ("rbacGroupId", .long(m.groupID)),
                ("rbacGroupName", .string(m.group)), ("isOnboarded", .bool(true)),
                ("softwareVendor", .string(v.vendor)), ("softwareName", .string(v.product)),
                ("softwareVersion", .string(installed)), ("cveId", .string(v.id)),
                ("vulnerabilitySeverityLevel", .string(v.severity)), ("cvssScore", .real(v.score)),
                ("exploitabilityLevel", .string(v.isExploited ? "ExploitIsPublic" : "NoExploit")),
                ("recommendedSecurityUpdate", .string(v.fix)),
                ("recommendationReference", .string("va-_-\(v.vendor)-_-\(v.product)")),
                ("securityUpdateAvailable", .bool(true)),
                ("firstSeenTimestamp", .string(spaced((DateTime.parse(v.published) ?? 0)))),
                ("lastSeenTimestamp", .string(spaced(time))),
            ]))
    }
}
