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
        /// A Defender for IoT management console, which stands for several sensors.
        case iotManager = "iot-manager"
        /// Azure Resource Graph.
        case resourceGraph = "resource-graph"
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
        /// `page`, from 0, and `size`, until a page is short.
        case page
    }

    /// Rows of what happened are asked for by time, since an answer has a limit.
    package struct Window: Sendable {
        /// Seconds that the first run looks back.
        package let first: Int
        /// Seconds before the last run's end that are read again: events arrive late.
        package let overlap: Int
    }

    /// What it means that a row is not in an answer.
    package enum Absence: String, Sendable, CaseIterable {
        /// What it tells of is no longer there.
        case gone
        /// Nothing: the answer holds only what is new.
        case unknown
        /// It is no longer there, on the devices that were asked about.
        case goneFromDevice = "gone-from-device"
    }

    package let id: String
    package let description: String
    package let service: Service
    /// The query, for `graph-hunting` and `resource-graph`.
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
    /// The member of the answer that holds the records, where it is none of the usual ones.
    package let records: String?
    /// Parameters with which the call is repeated, for an answer that holds the latest rows only: all kinds first, then each by itself.
    package let variants: (name: String, values: [String])?
    /// Rows that an answer holds at most, the latest ones: when it is full and all of it is news, something may be missing.
    package let cap: Int?
    /// Whether the answer is one record as a whole, not a list of records.
    package let isOneRecord: Bool
    /// Members, at any depth, whose texts are secrets: only their fingerprints go on.
    package let secrets: [String]
    /// A parameter that differs at every call, against a cache of the server's.
    package let varyMinutes: Int?
    package let table: String
    /// KQL over `source`, as in a data collection rule.
    package let transform: String
    /// Columns of the payload, as the transform sees them; the table's own where the file names none.
    package private(set) var columns: [ColumnSpec]
    /// For `graph-hunting` over tables of events.
    package let window: Window?
    /// Whether the path names a device (`{device}`): it is called for each that is chosen.
    package let isPerDevice: Bool
    package let absence: Absence
    /// Whether another source gives the same rows: it runs only when it is named.
    package let isAlternative: Bool
    /// Seconds between runs.
    package let intervalSeconds: Int
    package let permissions: [String]
    package let documentation: [String]
    package let file: String

    /// What the transform sees as `source`: the payload's columns, and the sensor's name where there is one.
    package var inputSchema: Schema {
        Schema(columns + [TableDefinition.unmapped] + (givenColumn.map { [ColumnSpec($0, .string)] } ?? []))
    }

    /// A column that is not in the payload: whom the answer is of.
    package var givenColumn: String? {
        switch service {
        case .iotSensor: "SensorName"
        case .iotManager: "ManagerName"
        default: isPerDevice ? "DeviceId" : nil
        }
    }

    /// Whether it runs only when somebody chose to: it asks for much, or about single devices.
    package var isOnDemand: Bool { window != nil || isPerDevice || isAlternative }

    /// Takes the table's columns where the file names none.
    mutating func complete(with tables: [String: TableDefinition]) {
        if columns.isEmpty, let table = tables[table] { columns = table.columns }
    }

    /// Whether a tenant's identity asks for it.
    package var isOfTenant: Bool {
        service == .graphHunting || service == .defenderEndpoint || service == .resourceGraph
    }

    init(yaml: Fields, file: String) throws {
        self.file = file
        try yaml.only([
            "id", "description", "service", "query", "partitions", "path", "parameters", "paging", "pageSize", "files",
            "format", "varyMinutes", "oneRecord",
            "secrets", "table", "window", "absence", "records", "variants", "cap", "alternative",
            "transform", "columns", "interval", "permissions", "documentation",
        ])
        id = try yaml.string("id")
        description = try yaml.string("description")
        let serviceText = try yaml.string("service")
        guard let service = Service(rawValue: serviceText) else {
            throw yaml.fail(
                "'service' must be one of \(Service.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(serviceText)\""
            )
        }
        self.service = service
        query = try yaml.optionalString("query")
        path = try yaml.optionalString("path")
        let isQuery = service == .graphHunting || service == .resourceGraph
        if isQuery, query == nil { throw yaml.fail("'query' is missing") }
        if !isQuery, path == nil { throw yaml.fail("'path' is missing") }
        isAlternative = try yaml.optionalBool("alternative") ?? false
        records = try yaml.optionalString("records")
        cap = try yaml.optionalInt("cap")
        variants = try yaml.optionalFields("variants").map { part in
            try part.only(["parameter", "values"])
            return (try part.string("parameter"), try part.strings("values"))
        }
        partitions = try yaml.optionalInt("partitions") ?? 1
        guard (1...1024).contains(partitions) else { throw yaml.fail("'partitions' must be between 1 and 1024") }
        parameters = try yaml.texts("parameters")
        let pagingText = try yaml.optionalString("paging") ?? "none"
        guard let paging = Paging(rawValue: pagingText) else {
            throw yaml.fail(
                "'paging' must be one of \(Paging.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(pagingText)\""
            )
        }
        self.paging = paging
        pageSize = try yaml.optionalInt("pageSize") ?? 10_000
        files = try yaml.optionalString("files")
        let formatText = try yaml.optionalString("format") ?? "json"
        guard let format = Format(rawValue: formatText) else {
            throw yaml.fail("'format' must be json or csv, not \"\(formatText)\"")
        }
        self.format = format
        varyMinutes = try yaml.optionalInt("varyMinutes")
        isOneRecord = try yaml.optionalBool("oneRecord") ?? false
        secrets = try yaml.strings("secrets")
        table = try yaml.string("table")
        transform = try yaml.optionalString("transform") ?? "source"
        var columns: [ColumnSpec] = []
        for (name, typeText) in try yaml.texts("columns") {
            guard let type = ScalarType(name: typeText) else {
                throw yaml.fail("'columns.\(name)': \"\(typeText)\" is not a type")
            }
            columns.append(ColumnSpec(name, type))
        }
        if columns.isEmpty, transform != "source" {
            throw yaml.fail("'columns' is missing: the payload's columns and their types")
        }
        self.columns = columns
        window = try yaml.optionalFields("window").map { window in
            try window.only(["first", "overlap"])
            return Window(first: try Self.seconds(window, "first"), overlap: try Self.seconds(window, "overlap"))
        }
        if window != nil, query?.contains("{from}") != true || query?.contains("{to}") != true {
            throw yaml.fail("'window' needs a query with {from} and {to}")
        }
        isPerDevice = path?.contains("{device}") == true
        let absenceText = try yaml.optionalString("absence") ?? (isPerDevice ? "gone-from-device" : "gone")
        guard let absence = Absence(rawValue: absenceText) else {
            throw yaml.fail(
                "'absence' must be \(Absence.allCases.map(\.rawValue).joined(separator: ", ")), not \"\(absenceText)\"")
        }
        self.absence = absence
        intervalSeconds = try Self.seconds(yaml, "interval")
        permissions = try yaml.strings("permissions")
        documentation = try yaml.strings("documentation")
    }

    private static func seconds(_ yaml: Fields, _ name: String) throws -> Int {
        let text = try yaml.string(name)
        guard let ticks = TimeSpan.parse(text), ticks > 0 else {
            throw yaml.fail("'\(name)' must be a duration such as 1h, not \"\(text)\"")
        }
        return Int(ticks / DateTime.ticksPerSecond)
    }
}
