import Tables

/// Something to call on a schedule: `Content/Sources/*.yaml`.
package struct SourceDefinition: Sendable {
    /// Which service is called, which decides host and authorization.
    package enum Service: String, Sendable, CaseIterable {
        /// Advanced hunting through Microsoft Graph.
        case graphHunting = "graph-hunting"
        /// The Defender for Endpoint REST API.
        case defenderEndpoint = "defender-endpoint"
        /// A Defender for IoT sensor.
        case iotSensor = "iot-sensor"
        /// A public list, without sign-in.
        case web
    }

    /// How a public list is written.
    package enum Format: String, Sendable, CaseIterable { case json, csv }

    package enum Paging: String, Sendable, CaseIterable {
        case none
        /// `@odata.nextLink`.
        case nextLink = "next-link"
        /// `$top` and `$skip`, until a page is short.
        case skip
    }

    package let id: String
    package let description: String
    package let service: Service
    /// The hunting query, for `graph-hunting`.
    package let query: String?
    /// The query is sent this many times, each for a part of the devices (`{partition}`, `{partitions}`).
    package let partitions: Int
    /// The path, for the REST services; the address, for `web`.
    package let path: String?
    package let parameters: [(String, String)]
    package let paging: Paging
    package let pageSize: Int
    /// The call that gives the same rows as files, for large tenants; nil where there is none.
    package let files: String?
    /// For `web`.
    package let format: Format
    /// Whether the answer is one record as a whole, not a list of records.
    package let isOneRecord: Bool
    /// Members, at any depth, whose texts are secrets: only their fingerprints go on.
    package let secrets: [String]
    /// A parameter that differs at every call, against a cache of the server's.
    package let varyMinutes: Int?
    package let table: String
    /// KQL over `source`, as in a data collection rule.
    package let transform: String
    /// Columns of the payload, as the transform sees them.
    package let columns: [ColumnSpec]
    /// Seconds between runs.
    package let intervalSeconds: Int
    package let permissions: [String]
    package let documentation: [String]
    package let file: String

    /// What the transform sees as `source`: the payload's columns, and the sensor's name where there is one.
    package var inputSchema: Schema {
        Schema(columns + [TableDefinition.unmapped] + (service == .iotSensor ? [ColumnSpec("SensorName", .string)] : []))
    }

    /// Whether a tenant's identity asks for it.
    package var isOfTenant: Bool { service == .graphHunting || service == .defenderEndpoint }

    init(yaml: Fields, file: String) throws {
        self.file = file
        try yaml.only([
            "id", "description", "service", "query", "partitions", "path", "parameters", "paging", "pageSize", "files", "format", "varyMinutes", "oneRecord",
            "secrets", "table",
            "transform", "columns", "interval", "permissions", "documentation",
        ])
        id = try yaml.string("id")
        description = try yaml.string("description")
        let serviceText = try yaml.string("service")
        guard let service = Service(rawValue: serviceText) else {
            throw yaml.fail("'service' must be one of \(Service.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(serviceText)\"")
        }
        self.service = service
        query = try yaml.optionalString("query")
        path = try yaml.optionalString("path")
        if service == .graphHunting, query == nil { throw yaml.fail("'query' is missing") }
        if service != .graphHunting, path == nil { throw yaml.fail("'path' is missing") }
        partitions = try yaml.optionalInt("partitions") ?? 1
        guard (1...1024).contains(partitions) else { throw yaml.fail("'partitions' must be between 1 and 1024") }
        parameters = try yaml.texts("parameters")
        let pagingText = try yaml.optionalString("paging") ?? "none"
        guard let paging = Paging(rawValue: pagingText) else {
            throw yaml.fail("'paging' must be one of \(Paging.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(pagingText)\"")
        }
        self.paging = paging
        pageSize = try yaml.optionalInt("pageSize") ?? 10_000
        files = try yaml.optionalString("files")
        let formatText = try yaml.optionalString("format") ?? "json"
        guard let format = Format(rawValue: formatText) else { throw yaml.fail("'format' must be json or csv, not \"\(formatText)\"") }
        self.format = format
        varyMinutes = try yaml.optionalInt("varyMinutes")
        isOneRecord = try yaml.optionalBool("oneRecord") ?? false
        secrets = try yaml.strings("secrets")
        table = try yaml.string("table")
        transform = try yaml.optionalString("transform") ?? "source"
        var columns: [ColumnSpec] = []
        for (name, typeText) in try yaml.texts("columns") {
            guard let type = ScalarType(name: typeText) else { throw yaml.fail("'columns.\(name)': \"\(typeText)\" is not a type") }
            columns.append(ColumnSpec(name, type))
        }
        guard !columns.isEmpty else { throw yaml.fail("'columns' is missing: the payload's columns and their types") }
        self.columns = columns
        let interval = try yaml.string("interval")
        guard let ticks = TimeSpan.parse(interval), ticks > 0 else { throw yaml.fail("'interval' must be a duration such as 1h, not \"\(interval)\"") }
        intervalSeconds = Int(ticks / DateTime.ticksPerSecond)
        permissions = try yaml.strings("permissions")
        documentation = try yaml.strings("documentation")
    }
}
