import Azure
import Content
import Tables

/// A source and the service that it is asked of.
package struct SourceEndpoint: Sendable {
    /// A request and the client that can send it.
    package enum Call: Sendable {
        case hunting(HuntingRequest, DefenderClient)
        /// - Parameter files: what fetches the export as files; nil where pages are wanted.
        case rest(RestRequest, DefenderClient, files: ExportDownloader?)
        case graph(GraphRequest, ResourceGraphClient)
        /// - Parameter name: of the sensor or management console.
        case appliance(ApplianceRequest, SensorClient, name: String)
        case web(WebFeed)
    }

    package let definition: SourceDefinition
    package let call: Call
    /// The tenant's name; empty for the only tenant, and where none is asked.
    package let tenant: String
    /// Which devices and what time, for sources that ask about those.
    package let choice: Choice

    package init(_ definition: SourceDefinition, _ call: Call, tenant: String = "", choice: Choice = Choice()) {
        self.definition = definition
        self.call = call
        self.tenant = tenant
        self.choice = choice
    }

    /// Devices and time that somebody is interested in.
    package struct Choice: Sendable, Equatable {
        /// Ids or names; all devices when empty.
        package var devices: [String] = []
        /// Seconds that the first run looks back; nil for what the source's file says.
        package var since: Int?
        /// The only time to ask for, ticks: what was asked for before and will be later is another matter.
        package var range: Range<Int64>?

        package init() {}
    }

    /// What the source's state, runs and rows are filed under; a source that several sensors or tenants answer has one
    /// name for each.
    package var name: String {
        if case .appliance(_, _, let sensor) = call { return "\(definition.id)@\(sensor)" }
        return tenant.isEmpty ? definition.id : "\(definition.id)@\(tenant)"
    }
}
