import Azure
import Content
import Tables

/// A source and the service that it is asked of.
package struct SourceEndpoint: Sendable {
    package enum Service: Sendable {
        case defender(DefenderClient)
        case sensor(SensorClient, name: String)
    }

    package let definition: SourceDefinition
    package let service: Service

    package init(_ definition: SourceDefinition, _ service: Service) {
        self.definition = definition
        self.service = service
    }

    /// What the source's state, runs and rows are filed under; a source that several sensors answer has one name for each.
    package var name: String {
        if case .sensor(_, let sensor) = service { return "\(definition.id)@\(sensor)" }
        return definition.id
    }

    package var sensorName: String? {
        if case .sensor(_, let sensor) = service { return sensor }
        return nil
    }
}
