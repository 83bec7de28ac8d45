import Azure
import Content
import Tables

/// What a doctor looks at in a sink of data collection rules: how many streams each declares, their columns, and
/// whether they take records.
extension LogsIngestionConfiguration {
    package func check(_ context: SinkContext) async -> [Finding] {
        let subject = "sink \(context.name)"
        guard let plan = try? plan(context.library) else { return [] }
        guard let (owner, tokens) = try? context.signedIn() else {
            return [Finding(subject, "identity", .failed, "its tenant gives no tokens", next: "mend the tenant first")]
        }
        var findings: [Finding] = []
        for (rule, part) in zip(rules, plan.parts) {
            let check = RuleCheck(
                subject: rules.count == 1 ? subject : "\(subject), rule \(part.title)", rule: rule,
                tables: context.tables.filter { plan.part(of: $0.name) == part.id },
                ingestion: client(of: rule, owner, tokens, context.client))
            if let resource = rule.ruleResource {
                let cloud = owner.cloud.hosts.managementHost
                let host = rule.managementHost ?? owner.managementHost ?? cloud
                let management = AuthorizedClient(
                    client: context.client, tokens: tokens, audience: cloud, addresses: [host])
                findings += await check.declarations(
                    of: resource, DataCollectionRuleClient(client: management, host: host))
            }
            findings += await check.streams()
        }
        return findings
    }
}

/// One data collection rule of a sink.
private struct RuleCheck {
    let subject: String
    let rule: LogsIngestionConfiguration.Rule
    /// What is collected and goes by the rule.
    let tables: [TableDefinition]
    let ingestion: LogsIngestionClient

    /// Whether the rule decides which of the tables it takes.
    private var isOpen: Bool { rule.tables == nil }

    func declarations(of resource: String, _ client: DataCollectionRuleClient) async -> [Finding] {
        let declared: [String: [String: String]]
        do { declared = try await client.streams(resource) } catch {
            return [Finding(subject, "data collection rule", error)]
        }
        let wanted = Set(tables.map(\.sent.stream))
        let others = declared.keys.filter { !wanted.contains($0) }.sorted()
        let count = "\(declared.count) streams of \(LogAnalytics.streamsPerRule) at most"
        let detail = others.isEmpty ? count : "\(count); of no table that goes by it: \(others.joined(separator: ", "))"
        let isLawful = declared.count <= LogAnalytics.streamsPerRule
        var findings = [
            Finding(
                subject, "streams", isLawful ? .ok : .warning, detail,
                next: isLawful ? nil : "Azure makes no such rule: \(LogAnalytics.limitsPage)")
        ]
        for table in tables {
            let columns = declared[table.sent.stream]
            if columns == nil, isOpen { continue }
            findings.append(compare(table.sent, columns))
        }
        return findings
    }

    /// Columns that the rule does not declare are dropped without a word, so they are named here.
    private func compare(_ table: SentTable, _ declared: [String: String]?) -> Finding {
        let check = "columns of \(table.stream)"
        guard let declared else {
            return Finding(
                subject, check, .failed, "the rule does not declare the stream",
                next: "declare the stream with the columns of \(table.name) (docs/configuration.md)")
        }
        let missing = table.columns.filter { declared[$0.name] == nil }
        let wrong = table.columns.filter { column in
            declared[column.name].map { $0.lowercased() != column.type.streamType } ?? false
        }
        guard missing.isEmpty, wrong.isEmpty else {
            var parts: [String] = []
            if !missing.isEmpty {
                let columns = missing.map { "\($0.name): \($0.type.streamType)" }
                parts.append("not declared: \(columns.joined(separator: ", "))")
            }
            if !wrong.isEmpty {
                let columns = wrong.map { "\($0.name) should be \($0.type.streamType)" }
                parts.append("of another type: \(columns.joined(separator: ", "))")
            }
            return Finding(
                subject, check, .failed, parts.joined(separator: "; "),
                next: "change the stream's declaration; what it does not declare is dropped silently")
        }
        return Finding(subject, check, .ok, "all \(table.columns.count) are declared")
    }

    /// Whether each stream takes records. What an open rule does not have is no fault, unless it has nothing.
    func streams() async -> [Finding] {
        var findings: [Finding] = []
        var absent: [(table: TableDefinition, error: ServiceError)] = []
        for table in tables {
            do {
                try await ingestion.probe(stream: table.sent.stream)
                findings.append(Finding(subject, "stream \(table.sent.stream)", .ok, "accepts records"))
            } catch let error as ServiceError where error.concernsOneTable && isOpen {
                absent.append((table, error))
            } catch {
                findings.append(Finding(subject, "stream \(table.sent.stream)", error))
                // What is wrong with the rule as a whole is wrong with every stream.
                if let known = error as? ServiceError, !known.concernsOneTable { break }
            }
        }
        guard let first = absent.first else { return findings }
        if findings.isEmpty {
            findings.append(Finding(subject, "streams", first.error))
        } else {
            let names = absent.map(\.table.name).joined(separator: ", ")
            findings.append(Finding(subject, "tables", .ok, "not in this rule, and not sent: \(names)"))
        }
        return findings
    }
}
