import Content
import KQLEngine
import Tables
import Workspace

/// Finds the ids of devices that are chosen by name, in the table of the source whose role is to list the devices.
struct DeviceNames: Sendable {
    let workspace: Workspace
    /// The content's sources.
    let sources: [SourceDefinition]

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
                next: """
                    collect them first\(lists.first.map { " (vestige collect --once --source \($0.source.id))" } ?? ""), or name the \
                    device by its id
                    """,
                isConfiguration: true)
        }
        return SourceEndpoint(endpoint.definition, endpoint.call, tenant: endpoint.tenant, choice: choice)
    }

    private static func isID(_ text: String) -> Bool { text.utf8.count >= 32 && text.allSatisfy(\.isHexDigit) }

    /// Sources that list the devices, and the columns of ids and names.
    private var lists: [(source: SourceDefinition, id: String, name: String)] {
        sources.compactMap { source in
            guard case .devices(let id, let name)? = source.role else { return nil }
            return (source, id, name)
        }
    }

    /// Ids by whole names and by their first parts, in small letters; the device that was seen last wins.
    private func ids() throws -> [String: String] {
        var out: [String: String] = [:]
        for (source, id, name) in lists where try workspace.schemas()[source.table] != nil {
            let query = """
                \(source.table) | where isnotempty(\(name)) | order by TimeGenerated asc
                | project tolower(\(name)), tostring(\(id))
                """
            var options = QueryOptions()
            options.rowCountMax = nil
            let rows = try Engine(provider: try WorkspaceProvider(workspace, functions: [:])).run(
                query, options: options
            ).primary.rows()
            for row in rows {
                out[row[0].text] = row[1].text
                out[String(row[0].text.prefix { $0 != "." })] = row[1].text
            }
        }
        return out
    }
}

extension Value {
    /// A time's ticks.
    var ticks: Int64? { if case .datetime(let t) = self { t } else { nil } }
}
