import Tables

/// A data collection rule of kind `Direct`, as far as ingestion goes by it: streams, each of which fills the custom
/// table of its name.
///
/// What Azure refuses when a rule is deployed is refused here. Sources:
/// https://learn.microsoft.com/azure/azure-monitor/fundamentals/service-limits#data-collection-rules,
/// https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-structure,
/// https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview.
package struct CollectionRule: Sendable {
    let name: String
    /// The immutable id, `dcr-…`.
    let id: String
    /// Each column's type, by the stream's name.
    var streams: [String: [String: String]] = [:]

    /// The rule that is there when nobody names one.
    static let mainName = "lab-rule"
    static let streamsMax = 10
    private static let nameLengthMax = 45
    private static let types: Set<String> = ["string", "int", "long", "real", "boolean", "datetime", "dynamic"]
    private static let reserved: Set<String> = [
        "_resourceid", "id", "_subscriptionid", "tenantid", "type", "uniqueid", "title", "billedsize", "isbillable",
        "invalidtimegenerated", "_itemid", "_resourcegroup", "_timereceived",
    ]

    init(name: String, id: String) {
        self.name = name
        self.id = id
    }

    /// Why Azure makes no such rule, or no such table.
    package struct Refusal: Error, Sendable, Equatable {
        package let code: String
        package let message: String
    }

    /// Nil for a rule that can be.
    var refusal: Refusal? {
        if streams.count > Self.streamsMax {
            return Refusal(
                code: "InvalidPayload",
                message: "Data collection rule is invalid: 'StreamDeclarations' has \(streams.count) items, "
                    + "\(Self.streamsMax) is the maximum.")
        }
        for (stream, columns) in streams.sorted(by: { $0.key < $1.key }) {
            let table = stream.dropFirst("Custom-".count)
            guard stream.hasPrefix("Custom-"), table.hasSuffix("_CL"), table.utf8.count <= Self.nameLengthMax,
                Self.isPlain(table)
            else {
                return Refusal(
                    code: "InvalidStream",
                    message: "'\(stream)' is not Custom- and the name of a custom table, which ends in _CL.")
            }
            if columns["TimeGenerated"] == nil {
                return Refusal(
                    code: "SchemaUpdateFatalError", message: "'\(stream)': the column TimeGenerated is missing.")
            }
            for (column, type) in columns.sorted(by: { $0.key < $1.key }) {
                if let problem = Self.problem(column, type) {
                    return Refusal(code: "InvalidColumn", message: "'\(stream)', column '\(column)': \(problem)")
                }
            }
        }
        return nil
    }

    private static func problem(_ column: String, _ type: String) -> String? {
        if reserved.contains(column.lowercased()) { return "the name is reserved." }
        if !(2...nameLengthMax).contains(column.utf8.count) || !isPlain(column[...]) {
            return "a name is 2 to \(nameLengthMax) letters, digits and underscores, a letter first."
        }
        return types.contains(type) ? nil : "the type '\(type)' is none of \(types.sorted().joined(separator: ", "))."
    }

    private static func isPlain(_ name: Substring) -> Bool { name.wholeMatch(of: /[A-Za-z][A-Za-z0-9_]*/) != nil }

    /// The rule as Azure Resource Manager shows it.
    ///
    /// - Parameter endpoint: where it takes records.
    func resource(endpoint: String) -> JSON {
        let declared = streams.sorted { $0.key < $1.key }
        let flows = declared.map { stream, _ -> JSON in
            [
                "streams": [.string(stream)], "destinations": ["workspace"], "transformKql": "source",
                "outputStream": .string(stream),
            ]
        }
        let declarations = declared.map { stream, columns -> (String, JSON) in
            let list = columns.sorted { $0.key < $1.key }.map {
                ["name": .string($0.key), "type": .string($0.value)] as JSON
            }
            return (stream, ["columns": .array(list)])
        }
        return [
            "name": .string(name), "kind": "Direct",
            "properties": [
                "immutableId": .string(id), "endpoints": ["logsIngestion": .string(endpoint)],
                "streamDeclarations": .object(JSON.Members(declarations)), "dataFlows": .array(flows),
            ],
        ]
    }
}
