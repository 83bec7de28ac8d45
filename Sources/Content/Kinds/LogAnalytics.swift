import Tables

/// How a Log Analytics workspace, which Microsoft Sentinel stands on, wants tables and columns to be named, and what a
/// data collection rule takes.
///
/// Sources: https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview (names),
/// https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#data-collection-rules (limits).
package enum LogAnalytics {
    /// Streams that one data collection rule takes.
    package static let streamsPerRule = 10
    /// Where that limit is written down.
    package static let limitsPage = "https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits"
    /// Characters of the name of a table or a column.
    package static let nameLengthMax = 45
    package static let columnsPerTable = 500
    /// What every custom table's name ends in.
    package static let customSuffix = "_CL"
    /// Columns that the service writes itself, whatever their case.
    package static let reservedColumns: Set<String> = [
        "_resourceid", "id", "_subscriptionid", "tenantid", "type", "uniqueid", "title", "billedsize", "isbillable",
        "invalidtimegenerated", "_itemid", "_resourcegroup", "_timereceived",
    ]
    /// Tables of the service, which a function must not be called after: those that Defender and Sentinel fill.
    static let ownTables: Set<String> = [
        "AADManagedIdentitySignInLogs", "AADNonInteractiveUserSignInLogs", "AADServicePrincipalSignInLogs",
        "AlertEvidence", "AlertInfo", "Anomalies", "AuditLogs", "AzureActivity", "AzureDiagnostics",
        "BehaviorAnalytics",
        "CloudAppEvents", "CommonSecurityLog", "DeviceEvents", "DeviceFileCertificateInfo", "DeviceFileEvents",
        "DeviceImageLoadEvents", "DeviceInfo", "DeviceLogonEvents", "DeviceNetworkEvents", "DeviceNetworkInfo",
        "DeviceProcessEvents", "DeviceRegistryEvents", "DeviceTvmSecureConfigurationAssessment",
        "DeviceTvmSecureConfigurationAssessmentKB", "DeviceTvmSoftwareInventory", "DeviceTvmSoftwareVulnerabilities",
        "DeviceTvmSoftwareVulnerabilitiesKB", "EmailAttachmentInfo", "EmailEvents", "EmailPostDeliveryEvents",
        "EmailUrlInfo", "Event", "Heartbeat", "IdentityDirectoryEvents", "IdentityInfo", "IdentityLogonEvents",
        "IdentityQueryEvents", "OfficeActivity", "Operation", "Perf", "SecurityAlert", "SecurityEvent",
        "SecurityIncident", "SentinelAudit", "SentinelHealth", "SigninLogs", "Syslog", "ThreatIntelIndicators",
        "ThreatIntelligenceIndicator", "Update", "UpdateSummary", "UrlClickEvents", "Usage", "UserAccessAnalytics",
        "UserPeerAnalytics", "Watchlist", "WindowsEvent",
    ]

    /// What is wrong with a column's name there; nil when nothing is.
    package static func problem(ofColumn name: String) -> NameProblem? {
        if reservedColumns.contains(name.lowercased()) { return .reserved }
        return isPlain(name) && (2...nameLengthMax).contains(name.utf8.count) ? nil : .malformed
    }

    /// Whether a custom table may be called so there.
    package static func isTableName(_ name: String) -> Bool {
        isPlain(name) && name.hasSuffix(customSuffix) && name.utf8.count <= nameLengthMax
    }

    /// A letter, then letters, digits and underscores.
    private static func isPlain(_ name: String) -> Bool {
        guard let first = name.utf8.first, isLetter(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == 95 }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF)
    }

    package enum NameProblem: Sendable, Equatable {
        /// The service has a column of that name itself.
        case reserved
        /// Not 2 to 45 letters, digits and underscores with a letter first.
        case malformed
    }
}

/// A table as a Log Analytics workspace has it: its name, its stream, its columns.
package struct SentTable: Sendable {
    /// With `_CL` at its end.
    package let name: String
    /// Its columns there, with `ObservedTime`.
    package let columns: [ColumnSpec]
    /// Columns that have another name there, by their own name.
    package let renamed: [String: String]

    /// The stream of a data collection rule that fills it.
    package var stream: String { Self.stream(of: name) }

    /// The stream of a table.
    package static func stream(of table: String) -> String { "Custom-" + name(of: table) }

    /// The declaration of its stream: each column's type.
    package var declaration: [String: String] {
        Dictionary(columns.map { ($0.name, $0.type.streamType) }) { first, _ in first }
    }

    /// The name there of a table.
    package static func name(of table: String) -> String {
        table.hasSuffix(LogAnalytics.customSuffix) ? table : table + LogAnalytics.customSuffix
    }

    /// - Parameters:
    ///   - schema: of the stored rows.
    ///   - renamed: columns that go out under another name. Reserved ones that are not among them get `Original` before
    ///     their name, so that no row of a table without a definition meets the service's own column.
    package init(_ table: String, _ schema: Schema, renamed: [String: String] = [:]) {
        name = Self.name(of: table)
        var names = renamed
        for column in schema.columns where names[column.name] == nil {
            if LogAnalytics.problem(ofColumn: column.name) == .reserved {
                let letters = column.name.drop { $0 == "_" }
                names[column.name] = "Original" + letters.prefix(1).uppercased() + letters.dropFirst()
            }
        }
        self.renamed = names
        columns =
            schema.columns.map { ColumnSpec(names[$0.name] ?? $0.name, $0.type) }
            + [ColumnSpec(Self.observedTime, .datetime)]
    }

    /// The column that carries a row's own time: the service replaces a `TimeGenerated` that is older than two days
    /// (https://learn.microsoft.com/azure/azure-monitor/logs/log-standard-columns#timegenerated).
    package static let observedTime = "ObservedTime"
}

extension ScalarType {
    /// A column's type as a stream declaration spells it; a declaration has no `guid`
    /// (https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-structure#stream-declarations).
    package var streamType: String {
        switch self {
        case .bool: "boolean"
        case .int, .long, .real, .datetime, .dynamic, .string: name
        case .decimal, .guid, .timespan: "string"
        }
    }
}
