import Foundation
import Tables

/// Queries of a Log Analytics workspace (https://learn.microsoft.com/azure/azure-monitor/logs/api/overview).
package struct LogAnalyticsQueryClient: Sendable {
    private let caller: RemoteCaller
    private let base: String
    private let workspace: String
    /// Seconds that the server may work on one query: the service's maximum.
    private static let serverSeconds = 600

    package init(caller: RemoteCaller, base: String, workspace: String) {
        self.caller = caller
        self.base = base
        self.workspace = workspace
    }

    /// The workspace, for people.
    package var title: String { "workspace \(workspace) at \(base)" }

    /// - Parameter timespan: an ISO 8601 duration or interval; all that is kept when nil.
    /// - Throws: `ServiceError`.
    package func run(_ text: String, timespan: String?) async throws -> RemoteResult {
        var body: [(String, Value)] = [("query", .string(text))]
        if let timespan { body.append(("timespan", .string(timespan))) }
        let request = RemoteCaller.post(
            "\(base)/v1/workspaces/\(workspace)/query", Bag(body),
            headers: [("Prefer", "wait=\(Self.serverSeconds), include-render=true")],
            timeoutSeconds: Self.serverSeconds + 30)
        let response = try await caller.send(request) { audience }
        let answer = (try? JSONReader.parse(response.body))?.bagValue
        guard response.status == 200, let answer, let tables = answer["tables"]?.arrayValue else {
            throw RemoteCaller.refusal(request, response, message: Self.message(answer?["error"]?.bagValue))
        }
        let render = answer["render"]?.bagValue
        let isShown = render?["visualization"]?.stringValue.map { !$0.isEmpty } ?? false
        return RemoteResult(
            tables: tables.compactMap(\.bagValue).map(Self.table), visualization: isShown ? render : nil,
            partial: Self.message(answer["error"]?.bagValue))
    }

    /// Tokens are for the service's own name, whatever the cloud.
    private var audience: String {
        for suffix in ["loganalytics.us", "loganalytics.azure.us", "loganalytics.azure.cn"] where base.hasSuffix(suffix)
        { return "https://api.\(suffix)" }
        return "https://api.loganalytics.io"
    }

    private static func table(_ table: Bag) -> RemoteTable {
        let columns = (table["columns"]?.arrayValue ?? []).compactMap(\.bagValue).map {
            ColumnSpec(
                $0["name"]?.stringValue ?? "", $0["type"]?.stringValue.flatMap { ScalarType(name: $0) } ?? .string)
        }
        let rows = (table["rows"]?.arrayValue ?? []).compactMap(\.arrayValue).map { row in
            columns.indices.map { c in
                c < row.count ? RemoteCell.value(row[c], columns[c].type, dynamicIsText: true) : .null
            }
        }
        return RemoteTable(name: table["name"]?.stringValue ?? "PrimaryResult", columns: columns, rows: rows)
    }

    /// The innermost message of an error, which says most, with its place in the query.
    private static func message(_ error: Bag?) -> String? {
        guard var error else { return nil }
        var text = error["message"]?.stringValue
        while let inner = error["innererror"]?.bagValue ?? error["details"]?.arrayValue?.first?.bagValue {
            error = inner
            text = inner["message"]?.stringValue ?? text
        }
        if let line = error["line"]?.longValue, let column = error["pos"]?.longValue {
            return (text ?? "error") + " (line \(line), column \(column))"
        }
        return text
    }
}
