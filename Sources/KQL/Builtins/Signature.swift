import Tables

/// What arguments a built-in takes and what it returns.
package struct Signature: Sendable {
    package enum Result: Sendable, Equatable {
        case type(ScalarType)
        /// The type of the argument at this index.
        case argument(Int)
        case common
        case widest
        /// The type that the argument at this index names (`typeof(long)`), the last one when nil.
        case literal(Int?)
        /// Found by the binder.
        case special(String)
    }

    package enum ParameterType: Sendable, Equatable {
        case scalar(ScalarType)
        case number, integer, summable, any, typeLiteral
    }

    package struct Parameter: Sendable {
        package let type: ParameterType
        package let isOptional: Bool
        package let repeats: Bool
    }

    package let name: String
    package let parameters: [Parameter]
    package let result: Result
    /// `first`, `only`, `name+first`, `prefix+first`, a fixed name, or empty.
    package let naming: String

    package var argumentCountMin: Int { parameters.reduce(0) { $0 + ($1.isOptional ? 0 : 1) } }
    package var argumentCountMax: Int {
        guard parameters.contains(where: \.repeats) else { return parameters.count }
        return repeatCountMax.map { $0 + parameters.count - 1 } ?? Int.max
    }
    /// How often the parameter that repeats may be given; nil for any number.
    private let repeatCountMax: Int?

    /// Reads one line of a signature table.
    init(line: Substring) {
        let open = line.firstIndex(of: "(")!
        let close = line.lastIndex(of: ")")!
        name = line[..<open].trimmed
        var repeatCountMax: Int?
        var parameters: [Parameter] = []
        for piece in line[line.index(after: open)..<close].split(separator: ",") {
            var text = piece.trimmed
            var isOptional = false
            var repeats = false
            if let plus = text.lastIndex(of: "+"), let limit = Int(text[text.index(after: plus)...]) {
                text = String(text[...plus])
                repeatCountMax = limit
            }
            switch text.last {
            case "?": isOptional = true
            case "+": repeats = true
            case "*":
                isOptional = true
                repeats = true
            default: break
            }
            if isOptional || repeats { text.removeLast() }
            let type: ParameterType =
                switch text {
                case "number": .number
                case "integer": .integer
                case "summable": .summable
                case "type": .typeLiteral
                default: ScalarType(name: text).map { .scalar($0) } ?? .any
                }
            parameters.append(Parameter(type: type, isOptional: isOptional, repeats: repeats))
        }
        self.parameters = parameters
        self.repeatCountMax = repeatCountMax
        let tail = line[line.index(after: close)...].split(separator: "@")
        let returns = tail[0].trimmed.drop { $0 == ":" || $0 == " " }
        naming = tail.count > 1 ? tail[1].trimmed : ""
        switch returns {
        case "arg0": result = .argument(0)
        case "arg1": result = .argument(1)
        case "common": result = .common
        case "widest": result = .widest
        case "lit0": result = .literal(0)
        case "lit1": result = .literal(1)
        case "litn": result = .literal(nil)
        default: result = ScalarType(name: String(returns)).map { .type($0) } ?? .special(String(returns))
        }
    }

    static func table(_ lines: String) -> [String: [Signature]] {
        var out: [String: [Signature]] = [:]
        for line in lines.split(separator: "\n") {
            let signature = Signature(line: line)
            out[signature.name, default: []].append(signature)
        }
        return out
    }
}

/// The built-ins of the language, whether or not the local engine runs them.
package enum Builtins {
    package static let scalars: [String: [Signature]] = Signature.table(ScalarSignatures.lines)
    package static let aggregates: [String: [Signature]] = Signature.table(AggregateSignatures.lines)
    /// The plugins of `evaluate`.
    package static let plugins: Set<String> = [
        "active_users_count", "activity_counts_metrics", "activity_engagement", "activity_metrics", "autocluster",
        "bag_unpack",
        "basket", "dcount_intersect", "diffpatterns", "funnel_sequence", "funnel_sequence_completion",
        "geo_line_lookup",
        "geo_polygon_lookup", "http_request", "http_request_post", "infer_storage_schema", "ipv4_lookup", "ipv6_lookup",
        "narrow", "new_activity_metrics", "pivot", "preview", "python", "r", "rolling_percentile", "rows_near",
        "schema_merge", "sequence_detect", "session_count", "sliding_window_counts", "sql_request", "csharp",
        "cosmosdb_sql_request", "mysql_request", "postgresql_request", "azure_digital_twins_query_request",
    ]
    /// Functions whose value depends on the order of rows.
    package static let rowFunctions: Set<String> = [
        "row_number", "row_cumsum", "row_rank", "row_rank_dense", "row_rank_min", "row_window_session", "prev", "next",
    ]
}
