import Azure
import Content
import KQL
import Tables

/// Settings of a sink of kind `logs-ingestion`: data collection rules, each with its tables.
package struct LogsIngestionConfiguration: SinkKind {
    /// A data collection rule.
    package struct Rule: Sendable {
        /// The data collection endpoint, or the rule's own.
        package var endpoint: String
        /// The rule's immutable id, `dcr-…`.
        package var rule: String
        /// Tables, or groups of tables; nil when the rule itself decides.
        package var tables: [String]?
        /// The audience of its tokens; the cloud's own when nil.
        package var resource: String?
        /// The rule's resource id, for checking its declarations; nil when it is not to be looked at.
        package var ruleResource: String?
        /// Where Azure Resource Manager is; the tenant's own when nil.
        package var managementHost: String?
        /// File and line where its tables are named; nil for a rule that stands in no file.
        package var place: String?

        package init(
            endpoint: String, rule: String, tables: [String]? = nil, resource: String? = nil,
            ruleResource: String? = nil, managementHost: String? = nil
        ) {
            self.endpoint = endpoint
            self.rule = rule
            self.tables = tables
            self.resource = resource
            self.ruleResource = ruleResource
            self.managementHost = managementHost
        }
    }

    package var rules: [Rule]

    package init(rules: [Rule]) { self.rules = rules }

    package static let name = "logs-ingestion"
    package static let summary =
        "Custom tables of Microsoft Sentinel, through the Logs Ingestion API and data collection rules of ten tables "
        + "each"

    private static let rulesSetting = Setting.list(
        "rules", "data collection rules, each with `rule`, `tables` and, where they differ, the other settings")
    private static let rule = Setting.text("rule", "the rule's immutable id `dcr-…`; for a sink of one rule here")
    private static let endpoint = Setting.address("endpoint", "the data collection endpoint, or the rule's own")
    private static let tables = Setting.names(
        "tables", standard: "what the rule declares",
        "ten tables at most, or a group's name: `posture`, `vulnerability`, `knowledge`, `ot`, `alerts`; "
            + "a table in no rule is not sent")
    private static let resource = Setting.address("resource", standard: "the cloud's", "the audience of its tokens")
    private static let ruleResource = Setting.text(
        "ruleResource", "the rule's resource id `/subscriptions/…`, for `vestige doctor` to compare its columns")
    private static let managementHost = Setting.address(
        "managementHost", standard: "the tenant's", "Azure Resource Manager, for `ruleResource`")
    /// Settings that stand in a rule, or once at the sink for all of its rules.
    private static let shared: [any SettingDeclaration] = [endpoint, resource, ruleResource, managementHost]
    package static let settings: [any SettingDeclaration] = [rulesSetting, rule, tables] + shared

    package init(reading yaml: Fields) throws {
        let list = try yaml.optional(Self.rulesSetting)
        guard let list else {
            rules = [try Self.rule(yaml, under: nil)]
            return
        }
        for single in [Self.rule.name, Self.tables.name] where yaml.has(single) {
            throw yaml.fail("write '\(single)' inside of 'rules', or leave 'rules' out", at: single)
        }
        guard !list.isEmpty else { throw yaml.fail("'rules' is empty", at: Self.rulesSetting.name) }
        rules = try list.map { part in
            try part.only([Self.rule, Self.tables] + Self.shared)
            return try Self.rule(part, under: yaml)
        }
        if list.count > 1, let i = rules.firstIndex(where: { $0.tables == nil }) {
            throw list[i].fail("'\(list[i].shown("tables"))' is missing: with several rules each names its tables")
        }
        for (i, one) in rules.enumerated() where rules[..<i].contains(where: { $0.rule == one.rule }) {
            throw list[i].fail("the rule \(one.rule) stands twice in 'rules'; name all its tables in one", at: "rule")
        }
    }

    /// - Parameter sink: where settings stand that the rule does not have itself.
    private static func rule(_ yaml: Fields, under sink: Fields?) throws -> Rule {
        func value(_ setting: Setting<String>) throws -> String? {
            try yaml.optional(setting) ?? sink?.optional(setting)
        }
        guard let address = try value(endpoint) else { throw yaml.fail("'\(yaml.shown("endpoint"))' is missing") }
        var made = Rule(
            endpoint: address, rule: try yaml.required(rule), tables: try yaml.optional(tables),
            resource: try value(resource), ruleResource: try value(ruleResource),
            managementHost: try value(managementHost))
        if let names = made.tables {
            guard !names.isEmpty else { throw yaml.fail("'\(yaml.shown("tables"))' is empty", at: tables.name) }
            guard Set(names).count <= LogAnalytics.streamsPerRule else {
                throw yaml.fail(tooMany(Set(names).count, made.rule), at: tables.name)
            }
        }
        made.place = yaml.place(of: tables.name)
        return made
    }

    private static func tooMany(_ count: Int, _ rule: String) -> String {
        "\(count) tables go by the rule \(rule), but a data collection rule takes "
            + "\(LogAnalytics.streamsPerRule) streams (\(LogAnalytics.limitsPage))"
    }

    package func plan(_ library: ContentLibrary) throws(OperatorError) -> SinkPlan {
        var ruleOfTable: [String: String] = [:]
        var parts: [SinkPlan.Part] = []
        for rule in rules {
            var tables: [String] = []
            for name in rule.tables ?? [] {
                guard let found = library.tables(named: name) else {
                    let names = Array(library.ruleGroups.keys) + Array(library.tables.keys)
                    let hint = NearMiss.find(name, in: names.sorted()).map { "did you mean \($0)? " } ?? ""
                    throw Self.problem(
                        rule, "there is no table and no group of tables \"\(name.prefix(80))\"",
                        next: "\(hint)vestige status --tables lists the tables; the groups are "
                            + library.ruleGroups.keys.sorted().joined(separator: ", "))
                }
                for table in found where !tables.contains(table) {
                    if let other = ruleOfTable[table] {
                        throw Self.problem(
                            rule, "table \(table) is named by two rules, \(other) and \(rule.rule)",
                            next: "leave it in one of them")
                    }
                    tables.append(table)
                }
            }
            for table in tables { ruleOfTable[table] = rule.rule }
            guard tables.count <= LogAnalytics.streamsPerRule else {
                throw Self.problem(
                    rule, Self.tooMany(tables.count, rule.rule),
                    next: "make another rule in Azure, and move some of the tables there")
            }
            let isGroup = rule.tables?.allSatisfy { library.ruleGroups[$0] != nil } ?? false
            let title = isGroup ? "\(rule.tables?.joined(separator: ", ") ?? "") (\(rule.rule))" : rule.rule
            parts.append(
                SinkPlan.Part(id: rule.rule, title: title, tables: rule.tables == nil ? nil : tables.sorted()))
        }
        return SinkPlan(parts)
    }

    private static func problem(_ rule: Rule, _ got: String, next: String) -> OperatorError {
        OperatorError(
            "the configuration cannot be used", got: (rule.place.map { "\($0): " } ?? "") + got, next: next,
            isConfiguration: true)
    }

    package func make(_ context: SinkContext) async throws -> (any Sink)? {
        guard let (owner, tokens) = try context.signedIn() else { return nil }
        let clients = rules.map { ($0.rule, client(of: $0, owner, tokens, context.client)) }
        return LogsIngestionSink(
            name: context.name, plan: try plan(context.library), rules: clients, library: context.library)
    }

    func client(of rule: Rule, _ owner: TenantConfiguration, _ tokens: TokenCache, _ client: ServiceClient)
        -> LogsIngestionClient
    {
        let audience = rule.resource ?? owner.cloud.hosts.monitorResource
        return LogsIngestionClient(
            client: AuthorizedClient(
                client: client, tokens: tokens, audience: audience, addresses: [rule.endpoint]),
            endpoint: rule.endpoint, rule: rule.rule)
    }
}

/// Custom tables of Microsoft Sentinel, through the Logs Ingestion API.
struct LogsIngestionSink: Sink {
    private struct Rule {
        let client: LogsIngestionClient
        let sender = RecordSender(
            CallForm(
                bytesMax: LogsIngestionClient.bodyBytesMax, fieldBytesMax: LogsIngestionClient.fieldBytesMax,
                layout: .array))
    }

    let name: String
    let plan: SinkPlan
    private let rules: [String: Rule]
    private let library: ContentLibrary

    init(name: String, plan: SinkPlan, rules: [(String, LogsIngestionClient)], library: ContentLibrary) {
        self.name = name
        self.plan = plan
        self.rules = Dictionary(rules.map { ($0, Rule(client: $1)) }) { first, _ in first }
        self.library = library
    }

    func send(_ batch: Batch, table: String) async throws -> SinkReceipt {
        guard let part = plan.part(of: table), let rule = rules[part] else {
            preconditionFailure("table \(table) has no rule, and was not to be sent")
        }
        let (client, there) = (rule.client, library.sent(table, batch.schema))
        let target = RecordSender.Target(
            call: { try await client.upload($0, stream: there.stream) },
            probe: { try await client.probe(stream: there.stream) })
        return try await rule.sender.send(there.named(batch), to: target, aliases: SentTable.aliases)
    }

    func takesAny(_ part: String) async -> Bool {
        guard let rule = rules[part] else { return false }
        for table in library.tables.values.sorted(by: { $0.name < $1.name }) {
            do {
                try await rule.client.probe(stream: table.sent.stream)
                return true
            } catch let error as ServiceError where error.concernsOneTable {} catch { return false }
        }
        return false
    }
}

extension ContentLibrary {
    /// A table as a Log Analytics workspace has it, also one that no file defines.
    func sent(_ table: String, _ schema: Schema) -> SentTable {
        SentTable(table, schema, renamed: tables[table]?.sentNames ?? [:])
    }
}

extension SentTable {
    /// The rows' own time, once more.
    static let aliases = [(name: observedTime, column: "TimeGenerated")]

    /// A batch with the columns' names there.
    func named(_ batch: Batch) -> Batch {
        if renamed.isEmpty { return batch }
        return batch.renamed(Schema(batch.schema.columns.map { ColumnSpec(renamed[$0.name] ?? $0.name, $0.type) }))
    }
}

extension ServiceError {
    /// Whether the service refuses what it was told about a table, and not who asks or everything.
    var concernsOneTable: Bool { !isRetryable && (status == 400 || status == 404) }
}
