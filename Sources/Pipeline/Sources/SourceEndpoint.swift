import Azure
import Content
import Tables

/// A source and the service that it is asked of.
package struct SourceEndpoint: Sendable {
    package enum Service: Sendable {
        /// - Parameter tenant: empty for the only tenant.
        case defender(DefenderClient, tenant: String)
        case sensor(SensorClient, name: String)
    }

    package let definition: SourceDefinition
    package let service: Service

    package init(_ definition: SourceDefinition, _ service: Service) {
        self.definition = definition
        self.service = service
    }

    /// What the source's state, runs and rows are filed under; a source that several sensors or tenants answer has one name for each.
    package var name: String {
        switch service {
        case .sensor(_, let sensor): "\(definition.id)@\(sensor)"
        case .defender(_, let tenant): tenant.isEmpty ? definition.id : "\(definition.id)@\(tenant)"
        }
    }

    package var sensorName: String? {
        if case .sensor(_, let sensor) = service { return sensor }
        return nil
    }
}
