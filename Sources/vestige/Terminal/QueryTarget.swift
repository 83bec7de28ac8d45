import Azure
import Foundation
import KQL
import KQLEngine
import Pipeline
import Tables

/// Bounds that the user sets for queries of the workspace; nil where the standard ones are meant.
struct QueryLimits: Sendable {
    var seconds: Double?
    var rows: Int?
}

/// What answers a query: the workspace, or a service elsewhere.
enum QueryTarget: Sendable {
    case local(any TableProvider)
    case kusto(KustoQueryClient, ServiceClient)
    case logAnalytics(LogAnalyticsQueryClient, ServiceClient)

    /// - Parameter address: nil for the workspace.
    static func open(_ address: String?, database: String?, _ session: SessionOptions) async throws -> QueryTarget {
        guard let address else { return .local(try Session.queryProvider(session)) }
        guard let remote = RemoteAddress(address) else {
            throw OperatorError(
                "--on needs a web address, not \"\(address)\"",
                next:
                    "give a Kusto cluster (https://help.kusto.windows.net/Samples) or a workspace (https://api.loganalytics.azure.com/v1/workspaces/ID)",
                isConfiguration: true)
        }
        guard remote.base.hasPrefix("https://") || remote.isLoopback else {
            throw OperatorError(
                "queries are not sent in the clear to \(remote.base)", next: "use https://", isConfiguration: true)
        }
        var retry = ServiceClient.RetryPolicy()
        retry.attempts = 2
        let network = Network(
            try session.configuration(), environment: ProcessInfo.processInfo.environment, retry: retry,
            logger: Logs.make(session.console, level: .warning))
        let client = try await network.client()
        let tokens = try await tokens(remote, client, session)
        let caller = RemoteCaller(client: client, tokens: tokens)
        switch remote {
        case .kusto(let base, let named):
            var name = database ?? named
            if name == nil { name = await KustoQueryClient.database(caller: caller, base: base) }
            return .kusto(KustoQueryClient(caller: caller, base: base, database: name ?? ""), client)
        case .logAnalytics(let base, let workspace):
            return .logAnalytics(LogAnalyticsQueryClient(caller: caller, base: base, workspace: workspace), client)
        }
    }

    /// Who signs in; nobody on this machine.
    private static func tokens(_ remote: RemoteAddress, _ client: ServiceClient, _ session: SessionOptions) async throws
        -> TokenCache?
    {
        if remote.isLoopback { return nil }
        guard let tenant = try session.configuration().tenant else {
            throw OperatorError(
                "\(remote.base) asks for a sign-in", got: "the configuration has no 'tenant'",
                next:
                    "name an application: VESTIGE_TENANT_ID, VESTIGE_CLIENT_ID and VESTIGE_CLIENT_SECRET, or 'tenant' in the configuration",
                isConfiguration: true)
        }
        return try await tenant.tokens(client: client, environment: ProcessInfo.processInfo.environment)
    }

    /// Asks, and waits for the answer.
    ///
    /// - Parameter parameters: values of `declare query_parameters`, as literals of KQL.
    func ask(
        _ text: String, parameters: [String: String] = [:], timespan: String? = nil,
        limits: QueryLimits = QueryLimits(), isCancelled: @escaping @Sendable () -> Bool = { false }
    )
        async throws -> QueryResult
    {
        let isCommand = ManagementCommands.isCommand(text)
        let start = ContinuousClock.now
        let remote: RemoteResult
        switch self {
        case .local(let provider):
            if isCommand { return try ManagementCommands(provider: provider, version: Vestige.version).run(text) }
            var options = QueryOptions()
            options.parameters = parameters.mapValues { .string($0) }
            if let seconds = limits.seconds { options.durationMax = seconds }
            if let rows = limits.rows { options.rowCountMax = rows }
            if let timespan {
                guard let span = QueryTimespan(timespan, now: SystemClock.now()) else {
                    throw OperatorError(
                        "--timespan is not an ISO 8601 duration or interval: \"\(timespan)\"",
                        next: "write P7D, PT12H or 2026-01-01/2026-02-01",
                        isConfiguration: true)
                }
                options.timeScope = TimeScope(column: "TimeGenerated", from: span.from, to: span.to)
            }
            return try Engine(provider: provider).run(text, options: options, isCancelled: isCancelled)
        case .kusto(let client, _):
            do {
                remote = try await client.run(text, isCommand: isCommand, parameters: Self.literals(parameters, text))
            } catch let error as ServiceError {
                throw OperatorError(error, title: "the query failed")
            }
        case .logAnalytics(let client, _):
            do { remote = try await client.run(text, timespan: timespan) } catch let error as ServiceError {
                throw OperatorError(error, title: "the query failed")
            }
        }
        let elapsed = ContinuousClock.now - start
        return QueryResult(
            tables: remote.tables.map { ResultTable(name: $0.name, batch: $0.batch) },
            render: remote.visualization.map(Self.render), rowsScanned: 0,
            duration: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18,
            truncation: remote.partial)
    }

    /// Values as Kusto wants them for the types that the query declares.
    private static func literals(_ given: [String: String], _ text: String) -> [String: Value] {
        var types: [String: ScalarType] = [:]
        for case .queryParameters(let declared) in (try? Parser.parse(text)) ?? [] {
            for parameter in declared {
                if case .scalar(let type) = parameter.kind { types[parameter.name.text] = type }
            }
        }
        return Dictionary(
            uniqueKeysWithValues: given.map { name, text in
                switch types[name] {
                case .int, .long: (name, Int64(text).map { .long($0) } ?? .string(text))
                case nil, .string: (name, .string(text))
                case let type?: (name, .string(text.hasPrefix(type.name + "(") ? text : "\(type.name)(\(text))"))
                }
            })
    }

    private static func render(_ bag: Bag) -> RenderSpec {
        var kind = ""
        var properties: [(String, String)] = []
        for (name, value) in zip(bag.keys, bag.values) {
            if name.lowercased() == "visualization" {
                kind = value.text
            } else if !value.isNull {
                properties.append((name.lowercased(), value.text))
            }
        }
        return RenderSpec(kind: kind, properties: properties)
    }

    /// What is asked, for people.
    var title: String {
        switch self {
        case .local: "the workspace"
        case .kusto(let client, _): client.title
        case .logAnalytics(let client, _): client.title
        }
    }

    /// The tables and functions that completion may offer; empty when the service does not tell.
    func catalog() async -> any SchemaCatalog {
        switch self {
        case .local(let provider): return provider
        case .kusto(let client, _):
            let tables = MemoryTables()
            let rows = try? await client.run(".show database schema", isCommand: true).tables[0].batch.rows()
            var schemas: [String: [ColumnSpec]] = [:]
            for row in rows ?? [] where row.count > 3 && !row[1].text.isEmpty {
                let type = row[3].text.split(separator: ".").last.map(String.init) ?? ""
                schemas[row[1].text, default: []] +=
                    row[2].text.isEmpty ? [] : [ColumnSpec(row[2].text, ScalarType(dotNetName: type) ?? .string)]
            }
            for (name, columns) in schemas { tables.declare(name, schema: Schema(columns)) }
            return tables
        case .logAnalytics: return EmptyCatalog()
        }
    }

    /// Ends connections.
    func close() async {
        switch self {
        case .local: break
        case .kusto(_, let client), .logAnalytics(_, let client): await client.shutdown()
        }
    }
}
