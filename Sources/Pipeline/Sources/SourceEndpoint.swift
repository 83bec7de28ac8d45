import Azure
import Content
import Tables

/// A source and the service that it is asked of.
package struct SourceEndpoint: Sendable {
    package enum Service: Sendable {
        /// - Parameter tenant: empty for the only tenant.
        case defender(DefenderClient, files: ExportDownloader, tenant: String)
        case sensor(SensorClient, name: String)
        case resourceGraph(ResourceGraphClient, tenant: String)
        case web(WebFeed)
    }

    package let definition: SourceDefinition
    package let service: Service
    /// Whether exports that come as files too are fetched as files.
    package let prefersFiles: Bool
    /// Which devices and what time, for sources that ask about those.
    package let choice: Choice

    package init(
        _ definition: SourceDefinition, _ service: Service, prefersFiles: Bool = false, choice: Choice = Choice()
    ) {
        self.definition = definition
        self.service = service
        self.prefersFiles = prefersFiles
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

    /// What the source's state, runs and rows are filed under; a source that several sensors or tenants answer has one name for each.
    package var name: String {
        switch service {
        case .sensor(_, let sensor): "\(definition.id)@\(sensor)"
        case .defender(_, _, let tenant), .resourceGraph(_, let tenant):
            tenant.isEmpty ? definition.id : "\(definition.id)@\(tenant)"
        case .web: definition.id
        }
    }

    /// The name of the sensor or management console that is asked.
    package var sensorName: String? {
        if case .sensor(_, let sensor) = service { return sensor }
        return nil
    }
}
