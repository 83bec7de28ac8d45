import Foundation
import Tables

/// One table of a remote query's answer.
package struct RemoteTable: Sendable {
    package let name: String
    package let batch: Batch

    init(name: String, columns: [ColumnSpec], rows: [[Value]]) {
        self.name = name
        batch = Batch(schema: Schema(columns), rows: rows)
    }
}

/// What a remote service answered.
package struct RemoteResult: Sendable {
    package let tables: [RemoteTable]
    /// Members of the `Visualization` property by their names; nil when the query has no `render`.
    package let visualization: Bag?
    /// Why rows are missing; nil when none are.
    package let partial: String?
}

/// Reads cells of JSON answers back into values.
enum RemoteCell {
    /// - Parameter isText: whether `dynamic` values come as JSON in a string.
    static func value(_ cell: Value, _ type: ScalarType, dynamicIsText isText: Bool) -> Value {
        guard type == .dynamic, isText, case .string(let text) = cell else { return cell.converted(to: type) }
        return (try? JSONReader.parse(text)) ?? cell
    }
}

/// Where a remote query goes.
package enum RemoteAddress: Sendable, Equatable {
    /// A Kusto endpoint: its base address, and a database when the address names one.
    case kusto(base: String, database: String?)
    /// A Log Analytics workspace: the service's address, and the workspace's id.
    case logAnalytics(base: String, workspace: String)

    /// Reads an address: `https://help.kusto.windows.net/Samples`, `https://api.loganalytics.azure.com/v1/workspaces/ID`,
    /// or `https://ade.loganalytics.io/subscriptions/…/workspaces/NAME`; nil when it is not a web address.
    package init?(_ text: String) {
        var text = text[...]
        while text.last == "/" { text = text.dropLast() }
        guard let scheme = text.firstRange(of: "://"),
            ["http", "https"].contains(text[..<scheme.lowerBound].lowercased())
        else { return nil }
        let rest = text[scheme.upperBound...]
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let host = parts.first, !host.isEmpty else { return nil }
        let root = "\(text[..<scheme.upperBound])\(host)"
        let name = host.prefix { $0 != ":" }.lowercased()
        if let i = parts.firstIndex(of: "workspaces"), i + 1 < parts.count,
            !["ade.loganalytics.io", "adx.monitor.azure.com"].contains(name)
        {
            self = .logAnalytics(base: root, workspace: parts[i + 1])
        } else if ["ade.loganalytics.io", "ade.applicationinsights.io", "adx.monitor.azure.com"].contains(name) {
            self = .kusto(base: String(text), database: parts.count > 1 ? parts.last : nil)
        } else {
            self = .kusto(base: root, database: parts.count > 1 ? parts[1].removingPercentEncoding : nil)
        }
    }

    package var base: String {
        switch self {
        case .kusto(let base, _), .logAnalytics(let base, _): base
        }
    }

    /// Whether the address is on this machine, where nobody signs in.
    package var isLoopback: Bool {
        guard let scheme = base.firstRange(of: "://") else { return false }
        let authority = base[scheme.upperBound...].prefix { $0 != "/" }
        let host =
            authority.hasPrefix("[")
            ? String(authority.prefix { $0 != "]" }) + "]" : String(authority.prefix { $0 != ":" })
        return ["localhost", "127.0.0.1", "[::1]"].contains(host.lowercased())
    }
}
