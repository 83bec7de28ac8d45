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

    /// What it means that a row is not in an answer.
    package enum Absence: String, Sendable, CaseIterable {
        /// What it tells of is no longer there.
        case gone
        /// Nothing: the answer holds only what is new.
        case unknown
        /// It is no longer there, on the devices that were asked about.
        case goneFromDevice = "gone-from-device"
    }

    /// What the product itself learns from a source's rows.
    package enum Role: Sendable {
        /// The tenant's devices: how many there are, and which id a name belongs to.
        case devices(id: String, name: String)
    }

    package let id: String
    package let description: String
    package private(set) var request: SourceRequest
    /// From when on the call asks for what is new; nil for a call that gives everything.
    package let since: SinceRule?
    /// Seconds that the vendor's service goes back at most: what happened before can no longer be asked for. Nil for no
    /// bound.
    package let lookbackMax: Int?
    package let role: Role?
    /// The member of the answer that holds the records, where it is none of the usual ones.
    package let records: String?
    /// Columns of the payload without which an answer is not what it should be: they were renamed, or it is another list.
    package let required: [String]
    /// Whether an answer without rows is as good as any other.
    package let mayBeEmpty: Bool
    /// Whether the answer is one record as a whole, not a list of records.
    package let isOneRecord: Bool
    /// Members, at any depth, whose texts are secrets: only their fingerprints go on.
    package let secrets: [String]
    package let table: String
    /// KQL over `source`, as in a data collection rule.
    package let transform: String
    /// Columns of the payload, as the transform sees them; the table's own where the file names none.
    package private(set) var columns: [ColumnSpec]
    /// Columns of the payload that are not kept, each with the reason.
    package let ignored: [(name: String, reason: String)]
    /// Columns of the payload that the transform carries nowhere; they are kept in `Unmapped`.
    package private(set) var leftOver: [ColumnSpec] = []
    package let absence: Absence
    /// Whether another source gives the same rows: it runs only when it is named.
    package let isAlternative: Bool
    /// Seconds between runs.
    package let intervalSeconds: Int
    package let permissions: [String]
    package let documentation: [String]
    package let file: String

    package var service: Service {
        switch request {
        case .hunting: .graphHunting
        case .rest: .defenderEndpoint
        case .graph: .resourceGraph
        case .sensor: .iotSensor
        case .manager: .iotManager
        case .web: .web
        }
    }

    /// What the transform sees as `source`: the payload's columns, and the sensor's name where there is one.
    package var inputSchema: Schema {
        Schema(
            columns + documentColumns + [TableDefinition.unmapped]
                + (givenColumn.map { [ColumnSpec($0, .string)] } ?? []))
    }

    /// Columns whose values stand once for the whole answer.
    package var documentColumns: [ColumnSpec] { if case .web(let web) = request { web.document } else { [] } }

    /// What the file says of a public list.
    package var list: WebRequest {
        guard case .web(let web) = request else { preconditionFailure("source \(id) is no public list") }
        return web
    }

    /// A column that is not in the payload: whom the answer is of.
    package var givenColumn: String? {
        switch request {
        case .sensor: "SensorName"
        case .manager: "ManagerName"
        case .rest(let rest): rest.isPerDevice ? "DeviceId" : nil
        case .hunting, .graph, .web: nil
        }
    }

    /// Windows of time, for a source over tables of events.
    package var window: HuntingRequest.Window? {
        if case .hunting(let hunting) = request, case .windows(let window) = hunting.reading { return window }
        return nil
    }

    /// Whether it is called for each device that is chosen.
    package var isPerDevice: Bool { if case .rest(let rest) = request { rest.isPerDevice } else { false } }

    /// Whether it runs only when somebody chose to: it asks for much, or about single devices.
    package var isOnDemand: Bool { window != nil || isPerDevice || isAlternative }

    /// Whether a tenant's identity asks for it.
    package var isOfTenant: Bool {
        service == .graphHunting || service == .defenderEndpoint || service == .resourceGraph
    }

    /// Takes from the source's table what the file leaves out: the columns, and the column that divides a query; and
    /// finds out which fields of the payload reach none of the table's columns.
    mutating func complete(with tables: [String: TableDefinition]) {
        guard let table = tables[table] else { return }
        if columns.isEmpty { columns = table.columns }
        let use = TransformUse(
            of: transform, source: inputSchema.names,
            table: Set(table.columns.map(\.name) + [TableDefinition.unmapped.name]))
        leftOver = columns.filter { column in
            !use.carried.contains(column.name) && !ignored.contains { $0.name == column.name }
        }
        guard case .hunting(var hunting) = request, case .division(var division) = hunting.reading,
            division.column == nil
        else { return }
        let candidates = [Self.deviceColumn] + table.key
        division.column = candidates.first { name in columns.contains { $0.name == name } } ?? table.key[0]
        hunting.reading = .division(division)
        request = .hunting(hunting)
    }

    /// What the tables of advanced hunting call a device.
    private static let deviceColumn = "DeviceId"

    /// Keys of every source's file; each service has some of its own.
    package static let commonFields: Set<String> = [
        "id", "description", "service", "table", "transform", "columns", "ignored", "absence", "records",
        "oneRecord", "secrets", "required", "mayBeEmpty",
        "since", "lookbackMax", "role", "deviceColumns", "alternative", "interval", "permissions", "documentation",
    ]

    init(yaml: Fields, file: String) throws {
        self.file = file
        guard let service: Service = try yaml.word("service") else { throw yaml.fail("'service' is missing") }
        let kind = ServiceKind.of(service)
        try yaml.only(Self.commonFields.union(kind.fields))
        id = try yaml.string("id")
        description = try yaml.string("description")
        request = try kind.read(yaml)
        isAlternative = try yaml.optionalBool("alternative") ?? false
        records = try yaml.optionalString("records")
        isOneRecord = try yaml.optionalBool("oneRecord") ?? false
        secrets = try yaml.strings("secrets")
        table = try yaml.string("table")
        transform = try yaml.optionalString("transform") ?? "source"
        columns = try yaml.columns("columns")
        if columns.isEmpty, transform != "source" {
            throw yaml.fail("'columns' is missing: the payload's columns and their types")
        }
        ignored = try yaml.texts("ignored")
        required = try yaml.strings("required")
        let isMarked = if case .web(let web) = request { !web.emptyWith.isEmpty } else { false }
        mayBeEmpty = try yaml.optionalBool("mayBeEmpty") ?? isMarked
        since = try Self.since(yaml, columns)
        lookbackMax = try yaml.optionalSeconds("lookbackMax")
        role = try Self.role(yaml)
        let isPerDevice = if case .rest(let rest) = request { rest.isPerDevice } else { false }
        absence = try yaml.word("absence") ?? (isPerDevice ? .goneFromDevice : .gone)
        intervalSeconds = try yaml.seconds("interval")
        permissions = try yaml.strings("permissions")
        documentation = try yaml.strings("documentation")
        let announced = if case .web(let web) = request { web.announced } else { [String]() }
        for name in required + announced where !(columns + documentColumns).contains(where: { $0.name == name }) {
            throw yaml.fail("'required' and 'announce' name columns of the source; '\(name)' is none")
        }
        let asksSince = parameters.contains { $0.1.contains(Self.sinceMark) }
        guard asksSince == (since != nil) else {
            throw yaml.fail("'since' goes with {since} in one of the 'parameters', and that with 'since'")
        }
    }

    /// Where a parameter holds the time from which on the call asks.
    package static let sinceMark = "{since}"

    /// Parameters of the call; none where the service has none.
    package var parameters: [(String, String)] {
        switch request {
        case .rest(let rest): rest.parameters
        case .sensor(let call), .manager(let call): call.parameters
        case .hunting, .graph, .web: []
        }
    }

    private static func since(_ yaml: Fields, _ columns: [ColumnSpec]) throws -> SinceRule? {
        guard let part = try yaml.optionalFields("since") else { return nil }
        try part.only(["form", "overlap", "first", "full", "column"])
        let column = try part.optionalString("column")
        if let column, !columns.contains(where: { $0.name == column }) {
            throw part.fail("'column' must be one of the source's 'columns', not \"\(column.prefix(60))\"")
        }
        return SinceRule(
            form: try part.word("form") ?? .datetime, overlap: try part.seconds("overlap"),
            first: try part.optionalSeconds("first"), full: try part.optionalSeconds("full"), column: column)
    }

    private static func role(_ yaml: Fields) throws -> Role? {
        guard let text = try yaml.optionalString("role") else { return nil }
        guard text == "devices" else { throw yaml.fail("'role' must be devices, not \"\(text.prefix(40))\"") }
        guard let columns = try yaml.optionalFields("deviceColumns") else {
            throw yaml.fail("'role: devices' needs 'deviceColumns: {id: …, name: …}'")
        }
        try columns.only(["id", "name"])
        return .devices(id: try columns.string("id"), name: try columns.string("name"))
    }
}
