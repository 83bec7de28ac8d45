import Foundation
import Tables

/// Queries of a Kusto endpoint: Azure Data Explorer, Fabric, or another workbench
/// (https://learn.microsoft.com/kusto/api/rest/).
package struct KustoQueryClient: Sendable {
    private let caller: RemoteCaller
    private let base: String
    private let database: String
    /// Seconds that the server may work on one query.
    private static let serverSeconds = 600

    package init(caller: RemoteCaller, base: String, database: String) {
        self.caller = caller
        self.base = base
        self.database = database
    }

    /// The only database of an endpoint, or the name that stands for its default one.
    package static func database(caller: RemoteCaller, base: String) async -> String {
        let anywhere = "NetDefaultDB"
        for database in [anywhere, ""] {
            let client = KustoQueryClient(caller: caller, base: base, database: database)
            guard let answer = try? await client.run(".show databases", isCommand: true),
                let names = try? answer.tables[0].batch.rows()
            else { continue }
            if names.count == 1, let name = names[0].first?.stringValue { return name }
            return anywhere
        }
        return anywhere
    }

    /// The database, for people.
    package var title: String { "database \(database) at \(base)" }

    /// Runs a query, or a command when the text starts with a dot.
    ///
    /// - Parameter parameters: values of `declare query_parameters`: numbers and text as JSON, others as literals of
    ///   KQL.
    /// - Throws: `ServiceError`.
    package func run(_ text: String, isCommand: Bool, parameters: [String: Value] = [:]) async throws -> RemoteResult {
        let options = Bag([("servertimeout", .string("00:10:00"))])
        let properties = Bag([
            ("Options", .bag(options)),
            ("Parameters", .bag(Bag(parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))),
        ])
        let body = Bag([("db", .string(database)), ("csl", .string(text)), ("properties", .bag(properties))])
        let request = RemoteCaller.post(
            base + (isCommand ? "/v1/rest/mgmt" : "/v2/rest/query"), body,
            headers: [
                ("x-ms-client-request-id", "Vestige;\(UUID().uuidString.lowercased())"), ("x-ms-app", "Vestige"),
                ("x-ms-version", "2024-12-12"),
            ],
            timeoutSeconds: Self.serverSeconds + 30)
        let response = try await caller.send(request) { try await audience() }
        let answer = try? JSONReader.parse(response.body)
        guard response.status == 200, let answer else {
            let error = answer?.bagValue?["error"]?.bagValue
            let plain =
                answer == nil && !response.body.isEmpty
                ? String(decoding: response.body.prefix(300), as: UTF8.self) : nil
            throw RemoteCaller.refusal(
                request, response, message: error?["@message"]?.stringValue ?? error?["message"]?.stringValue ?? plain)
        }
        switch answer {
        case .array(let frames): return try frames2(frames, request)
        case .bag(let bag): return try tables1(bag, request)
        default: throw unreadable(request)
        }
    }

    /// The resource that tokens are for, as the endpoint says itself.
    private func audience() async throws -> String {
        let fallback = "https://kusto.kusto.windows.net"
        guard let scheme = base.firstRange(of: "://") else { return fallback }
        let root = base[..<scheme.upperBound] + base[scheme.upperBound...].prefix { $0 != "/" }
        let response = try await caller.sendOpenly(
            ServiceRequest("GET", root + "/v1/rest/auth/metadata", timeoutSeconds: 20))
        let metadata = (try? JSONReader.parse(response.body))?.bagValue
        let named = metadata?["AzureAD"]?.bagValue?["KustoServiceResourceId"]?.stringValue ?? fallback
        guard KustoAudience.isKusto(named, at: base) else {
            throw ServiceError(
                tried: "asking \(root) whom tokens are for",
                got: "a token for \(Origin(named)?.host ?? "somebody else")",
                means: "only tokens for Kusto are sent to an address that says it is one",
                next: "check the address: it should be a Kusto cluster's")
        }
        return named
    }

    private func unreadable(_ request: ServiceRequest) -> ServiceError {
        ServiceError(
            tried: request.shown, got: "an answer that is not Kusto's",
            next: "check the address: it should be a Kusto cluster's")
    }

    // MARK: Answers

    /// Version 2: frames.
    private func frames2(_ frames: [Value], _ request: ServiceRequest) throws -> RemoteResult {
        var tables: [RemoteTable] = []
        var visualization: Bag?
        var partial: String?
        for frame in frames.compactMap(\.bagValue) {
            switch frame["FrameType"]?.stringValue {
            case "DataTable":
                let rows = frame["Rows"]?.arrayValue ?? []
                switch frame["TableKind"]?.stringValue {
                case "PrimaryResult":
                    let columns = columns(frame)
                    partial = partial ?? rows.lazy.compactMap { $0.bagValue.flatMap(Self.failure) }.first
                    tables.append(
                        RemoteTable(
                            name: frame["TableName"]?.stringValue ?? "PrimaryResult", columns: columns,
                            rows: rows.compactMap(\.arrayValue).map { values($0, columns, isText: false) }))
                case "QueryProperties":
                    for row in rows.compactMap(\.arrayValue) where row.count == 3 && row[1] == .string("Visualization")
                    {
                        visualization = visualization ?? bag(row[2])
                    }
                default: break
                }
            case "DataSetCompletion": partial = partial ?? Self.failure(frame)
            default: break
            }
        }
        guard !tables.isEmpty else { throw unreadable(request) }
        return RemoteResult(tables: tables, visualization: shown(visualization), partial: partial)
    }

    /// Version 1: tables, the last of them contents when there are three or more.
    private func tables1(_ answer: Bag, _ request: ServiceRequest) throws -> RemoteResult {
        guard let all = answer["Tables"]?.arrayValue?.compactMap(\.bagValue), !all.isEmpty else {
            throw unreadable(request)
        }
        var primary = [0]
        var visualization: Bag?
        if all.count >= 3, let contents = all.last?["Rows"]?.arrayValue {
            primary = contents.compactMap(\.arrayValue).compactMap {
                $0.count > 1 && $0[1] == .string("QueryResult") ? $0[0].longValue.map { Int($0) } : nil
            }
            let at = contents.compactMap(\.arrayValue).first { $0.count > 1 && $0[1] == .string("QueryProperties") }?[0]
                .longValue
            visualization = at.flatMap { all[Int($0)]["Rows"]?.arrayValue?.first?.arrayValue?.first }.flatMap(bag)
        }
        let tables = primary.filter { all.indices.contains($0) }.map { i in
            let columns = columns(all[i])
            return RemoteTable(
                name: "PrimaryResult", columns: columns,
                rows: (all[i]["Rows"]?.arrayValue ?? []).compactMap(\.arrayValue).map {
                    values($0, columns, isText: true)
                })
        }
        let partial = answer["Exceptions"]?.arrayValue?.first?.text
        return RemoteResult(tables: tables, visualization: shown(visualization), partial: partial)
    }

    private func columns(_ table: Bag) -> [ColumnSpec] {
        (table["Columns"]?.arrayValue ?? []).compactMap(\.bagValue).map { column in
            let name = column["ColumnName"]?.stringValue ?? ""
            if let type = column["ColumnType"]?.stringValue.flatMap({ ScalarType(name: $0) }) {
                return ColumnSpec(name, type)
            }
            // Some commands give .NET's names alone.
            let dataType = (column["DataType"]?.stringValue ?? "").split(separator: ".").last.map(String.init) ?? ""
            return ColumnSpec(name, ScalarType(dotNetName: dataType) ?? .string)
        }
    }

    private func values(_ row: [Value], _ columns: [ColumnSpec], isText: Bool) -> [Value] {
        columns.indices.map { c in
            c < row.count ? RemoteCell.value(row[c], columns[c].type, dynamicIsText: isText) : .null
        }
    }

    private func bag(_ value: Value) -> Bag? {
        if case .string(let text) = value { return (try? JSONReader.parse(text))?.bagValue }
        return value.bagValue
    }

    private func shown(_ visualization: Bag?) -> Bag? {
        guard let kind = visualization?["Visualization"]?.stringValue, !kind.isEmpty else { return nil }
        return visualization
    }

    private static func failure(_ frame: Bag) -> String? {
        let error = frame["OneApiErrors"]?.arrayValue?.first?.bagValue?["error"]?.bagValue
        return error?["@message"]?.stringValue ?? error?["message"]?.stringValue
    }
}

/// Whom tokens for Kusto are for. An endpoint says itself what it wants; without this, one that is not Kusto could ask
/// for a token of
/// another service.
enum KustoAudience {
    private static let hosts: Set<String> = [
        "kusto.kusto.windows.net", "kusto.kusto.usgovcloudapi.net", "kusto.kusto.chinacloudapi.cn",
        "kusto.fabric.microsoft.com", "api.kusto.windows.net", "help.kusto.windows.net",
    ]
    private static let suffixes = [
        ".kusto.windows.net", ".kusto.usgovcloudapi.net", ".kusto.chinacloudapi.cn", ".kusto.fabric.microsoft.com",
        ".kustodev.windows.net", ".kustomfa.windows.net",
    ]

    /// - Parameter base: the endpoint, which may also name itself.
    static func isKusto(_ audience: String, at base: String) -> Bool {
        guard let origin = Origin(audience) else { return false }
        return hosts.contains(origin.host) || suffixes.contains { origin.host.hasSuffix($0) }
            || origin == Origin(base)
    }
}
