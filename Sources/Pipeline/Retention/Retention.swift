import Content
import Foundation
import Tables
import Workspace

/// Removes rows that are past their time, by the configuration.
package struct Retention: Sendable {
    private let workspace: Workspace
    private let library: ContentLibrary
    private let general: RetentionPolicy
    /// Policies of tenants that have one of their own, by name.
    private let tenants: [String: RetentionPolicy]
    private static let mark = "retention"
    /// Ticks between two looks.
    private static let interval = DateTime.ticksPerDay

    package init(workspace: Workspace, library: ContentLibrary, configuration: Configuration) {
        self.workspace = workspace
        self.library = library
        general = configuration.retention
        tenants = Dictionary(
            configuration.tenants.compactMap { tenant in tenant.retention.map { (tenant.name, $0) } }
        ) { first, _ in first }
    }

    /// Whether the configuration keeps everything for ever.
    package var isIdle: Bool { general == RetentionPolicy() && tenants.isEmpty }

    /// Removes what is past its time, once a day; nothing when the last time is not a day ago.
    package func runIfDue(now: Int64) throws -> [Removal] {
        // A clock that was ahead holds nothing up.
        if isIdle { return [] }
        if let last = try workspace.mark(Self.mark), last <= now, now - last < Self.interval { return [] }
        let removed = try run(isTrial: false, now: now)
        try workspace.setMark(Self.mark, now)
        return removed
    }

    /// - Parameter isTrial: whether rows are counted only.
    /// - Returns: one for each table, and policy, of which rows go.
    package func run(isTrial: Bool, now: Int64) throws -> [Removal] {
        if !isTrial { try RemovalRecord.check(library) }
        var removed: [Removal] = []
        for (table, schema) in try workspace.schemas().sorted(by: { $0.key < $1.key })
        where schema.index(of: "TimeGenerated") != nil {
            let definition = library.tables[table]
            let key = definition.flatMap { $0.kind == .state ? $0.key : nil }
            for (name, policy) in [(nil, general)] + tenants.map({ (Optional($0.key), $0.value) }) {
                guard case .time(let ticks) = policy.span(of: table) else { continue }
                let removal = try workspace.expire(
                    ExpiryRule(table: table, before: now - ticks, key: key), isTrial: isTrial, now: now
                ) { source in tenant(of: source) == name }
                guard removal.rows > 0 else { continue }
                removed.append(removal)
                if isTrial { continue }
                try RemovalRecord(
                    kind: .retention, tables: [table], reason: name.map { "retention of tenant \($0)" } ?? "retention",
                    removal: removal
                ).write(to: workspace, library, now: now)
            }
        }
        return removed
    }

    /// The tenant with a policy of its own that a source's rows belong to.
    private func tenant(of source: String?) -> String? {
        guard let source else { return nil }
        // The only tenant of a configuration has no name, and so have its sources.
        if tenants[""] != nil, !source.contains("@") { return "" }
        guard let mark = source.firstIndex(of: "@") else { return nil }
        let name = String(source[source.index(after: mark)...])
        return tenants[name] == nil ? nil : name
    }
}
