import Content
import KQLEngine
import Tables
import Workspace

/// Finds the ids of devices that are chosen by name, among the machines that were collected.
struct DeviceNames: Sendable {
    let workspace: Workspace
    private static let table = "MDEMachines_CL"

    /// The endpoint with ids in the place of names, where its calls need ids.
    func resolved(_ endpoint: SourceEndpoint) throws -> SourceEndpoint {
        guard endpoint.definition.isPerDevice, !endpoint.choice.devices.isEmpty else { return endpoint }
        let known = try ids()
        var choice = endpoint.choice
        choice.devices = try choice.devices.map { device in
            if Self.isID(device) { return device.lowercased() }
            if let id = known[device.lowercased()] { return id }
            throw OperatorError(
                "source \(endpoint.name) cannot ask about \(device)", got: "no collected machine has this name",
                next: "collect them first (vestige collect --once --source mde-machines), or name the device by its id",
                isConfiguration: true)
        }
        return SourceEndpoint(
            endpoint.definition, endpoint.service, prefersFiles: endpoint.prefersFiles, choice: choice)
    }

    private static func isID(_ text: String) -> Bool { text.utf8.count >= 32 && text.allSatisfy(\.isHexDigit) }

    /// Ids by whole names and by their first parts, in small letters; the machine that was seen last wins.
    private func ids() throws -> [String: String] {
        guard try workspace.schemas()[Self.table] != nil else { return [:] }
        let query =
            "\(Self.table) | where isnotempty(ComputerDnsName) | order by TimeGenerated asc | project tolower(ComputerDnsName), MachineId"
        var options = QueryOptions()
        options.rowCountMax = nil
        let rows = try Engine(provider: try WorkspaceProvider(workspace, functions: [:])).run(query, options: options)
            .primary.rows()
        var out: [String: String] = [:]
        for row in rows {
            out[row[0].text] = row[1].text
            out[String(row[0].text.prefix { $0 != "." })] = row[1].text
        }
        return out
    }
}

extension Value {
    /// A time's ticks.
    var ticks: Int64? { if case .datetime(let t) = self { t } else { nil } }
}
