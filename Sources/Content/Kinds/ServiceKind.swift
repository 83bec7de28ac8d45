import Tables

/// A service that sources ask: what a source's file may say of it, and how the documents name it.
package struct ServiceKind: Sendable {
    package let service: SourceDefinition.Service
    /// The heading in `docs/sources.md`, and what is said below it.
    package let title: String
    package let summary: String
    /// Keys of a source's file that only this service reads.
    package let fields: Set<String>
    let read: @Sendable (Fields) throws -> SourceRequest

    /// All services, in the order of the documents.
    package static let all: [ServiceKind] = [defenderEndpoint, hunting, resourceGraph, sensor, manager, web]

    static func of(_ service: SourceDefinition.Service) -> ServiceKind {
        guard let kind = all.first(where: { $0.service == service }) else {
            preconditionFailure("the service \(service.rawValue) is not declared")
        }
        return kind
    }

    private static let defenderEndpoint = ServiceKind(
        service: .defenderEndpoint, title: "Defender for Endpoint API",
        summary: """
            REST calls of `WindowsDefenderATP`. Exports that come in pages and as files are fetched as files above 20,000 \
            devices, or as `exports` in the configuration says.
            """,
        fields: ["path", "parameters", "paging", "pageSize", "files"]
    ) { yaml in
        .rest(
            RestRequest(
                path: try yaml.string("path"), parameters: try yaml.texts("parameters"),
                paging: try yaml.word("paging") ?? RestRequest.Paging.none, pageSize: try pageSize(yaml),
                files: try yaml.optionalString("files")))
    }

    private static let hunting = ServiceKind(
        service: .graphHunting, title: "Advanced hunting",
        summary: """
            Queries through Microsoft Graph. One that is more than an answer holds is split by a hash of the device, or of \
            its key, into as many parts as are needed; the workspace remembers how many.
            """,
        fields: ["query", "partitions", "divideBy", "partsMax", "rowsMax", "window"]
    ) { yaml in
        let query = try yaml.string("query")
        let parts = try yaml.optionalInt("partitions") ?? 1
        guard (1...1024).contains(parts) else { throw yaml.fail("'partitions' must be between 1 and 1024") }
        let most = try yaml.optionalInt("partsMax") ?? 1_024
        guard most >= parts else { throw yaml.fail("'partsMax' must not be below 'partitions'") }
        let rowsMax = try yaml.optionalInt("rowsMax") ?? 100_000
        guard rowsMax > 0 else { throw yaml.fail("'rowsMax' must be above zero") }
        var reading = HuntingRequest.Reading.division(
            HuntingRequest.Division(column: try yaml.optionalString("divideBy"), start: parts, most: most))
        if let window = try yaml.optionalFields("window") {
            try window.only(["first", "overlap"])
            guard query.contains("{from}"), query.contains("{to}") else {
                throw yaml.fail("'window' needs a query with {from} and {to}")
            }
            reading = .windows(
                HuntingRequest.Window(first: try window.seconds("first"), overlap: try window.seconds("overlap")))
        }
        return .hunting(HuntingRequest(query: query, reading: reading, rowsMax: rowsMax))
    }

    private static let resourceGraph = ServiceKind(
        service: .resourceGraph, title: "Azure Resource Graph",
        summary: """
            Devices, sensors and alerts of plants that are connected to Azure: what replaced the management console. Asked \
            when the tenant names `subscriptions`.
            """,
        fields: ["query"]
    ) { .graph(GraphRequest(query: try $0.string("query"))) }

    private static let sensor = ServiceKind(
        service: .iotSensor, title: "Defender for IoT sensors",
        summary: """
            Calls of each OT sensor that the configuration names, with an access token made on the sensor.
            """,
        fields: applianceFields
    ) { .sensor(try appliance($0)) }

    private static let manager = ServiceKind(
        service: .iotManager, title: "Defender for IoT management consoles",
        summary: """
            Calls of each console in `managers`, with an access token made on it. Microsoft retired the console on \
            2025-01-01; it is asked where one still runs.
            """,
        fields: applianceFields
    ) { .manager(try appliance($0)) }

    private static let web = ServiceKind(
        service: .web, title: "Public lists",
        summary: """
            From their web address, or from a file or a mirror that `feeds` in the configuration names; `off` there leaves \
            a list out. A list that moved to another https address is followed there.
            """,
        fields: ["path", "format", "match", "document", "announce", "emptyWith", "total"]
    ) { yaml in
        .web(
            WebRequest(
                address: try yaml.string("path"), format: try yaml.word("format") ?? .json,
                match: try yaml.optionalString("match"), document: try yaml.columns("document"),
                announced: try yaml.strings("announce"), emptyWith: try yaml.strings("emptyWith"),
                total: try yaml.optionalString("total")))
    }

    private static let applianceFields: Set<String> = [
        "path", "parameters", "paging", "pageSize", "variants", "cap", "varyMinutes",
    ]

    private static func appliance(_ yaml: Fields) throws -> ApplianceRequest {
        let variants = try yaml.optionalFields("variants").map { part in
            try part.only(["parameter", "values"])
            return (try part.string("parameter"), try part.strings("values"))
        }
        return ApplianceRequest(
            path: try yaml.string("path"), parameters: try yaml.texts("parameters"),
            paging: try yaml.word("paging") ?? ApplianceRequest.Paging.none, pageSize: try pageSize(yaml),
            variants: variants,
            cap: try yaml.optionalInt("cap"), varyMinutes: try yaml.optionalInt("varyMinutes"))
    }

    private static func pageSize(_ yaml: Fields) throws -> Int {
        let size = try yaml.optionalInt("pageSize") ?? 10_000
        guard size > 0 else { throw yaml.fail("'pageSize' must be above zero") }
        return size
    }
}

extension Fields {
    /// One of the words of an enumeration; nil where the key is missing.
    func word<Word: RawRepresentable & CaseIterable>(_ name: String) throws -> Word? where Word.RawValue == String {
        guard let text = try optionalString(name) else { return nil }
        if let word = Word(rawValue: text) { return word }
        let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
        throw fail("'\(name)' must be one of \(words), not \"\(text.prefix(40))\"")
    }

    /// Columns and their types.
    func columns(_ name: String) throws -> [ColumnSpec] {
        try texts(name).map { column, typeText in
            guard let type = ScalarType(name: typeText) else {
                throw fail("'\(name).\(column)': \"\(typeText)\" is not a type")
            }
            return ColumnSpec(column, type)
        }
    }

    /// A duration in whole seconds.
    func seconds(_ name: String) throws -> Int {
        guard let seconds = try optionalSeconds(name) else { throw fail("'\(name)' is missing") }
        return seconds
    }

    /// A duration in whole seconds; nil where the key is missing.
    func optionalSeconds(_ name: String) throws -> Int? {
        guard let text = try optionalString(name) else { return nil }
        guard let ticks = TimeSpan.parse(text), ticks > 0 else {
            throw fail("'\(name)' must be a duration such as 1h, not \"\(text.prefix(40))\"")
        }
        return Int(ticks / DateTime.ticksPerSecond)
    }
}
