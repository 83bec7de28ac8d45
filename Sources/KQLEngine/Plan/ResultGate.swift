import KQL
import Tables

/// Lets a result through up to the request's bounds; what is above is left out, and said.
struct ResultGate {
    private let options: QueryOptions
    private var bytes = 0
    /// Why rows were left out; nil when none were.
    private(set) var truncation: String?

    init(_ options: QueryOptions) { self.options = options }

    /// The plan's rows, as many as may pass.
    mutating func collect(_ plan: Plan, _ executor: Executor) throws -> [Batch] {
        let next = try executor.run(plan)
        var out: [Batch] = []
        var rows = 0
        while let batch = try next() {
            if batch.count == 0 { continue }
            try executor.context.check()
            try executor.context.hold(rows: batch.count, columns: batch.schema.count)
            if let limit = options.takeCountMax, rows + batch.count >= limit {
                out.append(batch.slice(0..<limit - rows))
                return out
            }
            if let limit = options.rowCountMax, rows + batch.count > limit {
                out.append(batch.slice(0..<limit - rows))
                truncation =
                    "The result has more than \(limit) rows and was cut there "
                    + "(E_QUERY_RESULT_SET_TOO_LARGE); filter, summarize, or raise 'truncationmaxrecords'"
                return out
            }
            if let limit = options.resultBytesMax {
                bytes += try batch.byteCount()
                if bytes > limit {
                    truncation =
                        "The result is larger than \(limit) bytes and was cut there "
                        + "(E_QUERY_RESULT_SET_TOO_LARGE); project fewer columns, or raise 'truncationmaxsize'"
                    return out
                }
            }
            out.append(batch)
            rows += batch.count
        }
        return out
    }
}

/// The `set` statements that change how a request is run
/// (https://learn.microsoft.com/kusto/api/rest/request-properties).
enum RequestSettings {
    static func apply(_ statements: [Statement], to options: QueryOptions) -> QueryOptions {
        var options = options
        var properties: [(String, Value)] = []
        for case .set(let name, let value) in statements {
            guard let value else {
                properties.append((name.text, .bool(true)))
                continue
            }
            if case .literal(let known, _) = value.kind { properties.append((name.text, known)) }
        }
        options.set(properties)
        return options
    }

    /// Takes one property over; names that mean nothing here are passed by, as Kusto does.
    static func apply(_ name: String, _ value: Value, to options: inout QueryOptions) {
        switch name.lowercased() {
        case "notruncation" where value.converted(to: .bool) == .bool(true):
            options.rowCountMax = nil
            options.resultBytesMax = nil
        case "truncationmaxrecords":
            if let n = value.converted(to: .long).longValue, n > 0 { options.rowCountMax = Int(n) }
        case "truncationmaxsize":
            if let n = value.converted(to: .long).longValue, n > 0 { options.resultBytesMax = Int(n) }
        case "query_take_max_records":
            if let n = value.converted(to: .long).longValue, n > 0 { options.takeCountMax = Int(n) }
        case "query_now": if case .datetime(let ticks) = value.converted(to: .datetime) { options.now = ticks }
        case "maxmemoryconsumptionperiterator", "max_memory_consumption_per_query_per_node":
            if let n = value.converted(to: .long).longValue, n > 0 {
                options.memoryBytesMax = min(options.memoryBytesMax, Int(n))
            }
        case "query_datetimescope_column": if let column = value.stringValue { scope(&options) { $0.column = column } }
        case "query_datetimescope_from":
            if case .datetime(let ticks) = value.converted(to: .datetime) { scope(&options) { $0.from = ticks } }
        case "query_datetimescope_to":
            if case .datetime(let ticks) = value.converted(to: .datetime) { scope(&options) { $0.to = ticks } }
        default: break
        }
    }

    private static func scope(_ options: inout QueryOptions, _ change: (inout TimeScope) -> Void) {
        var scope = options.timeScope ?? TimeScope(column: "")
        change(&scope)
        options.timeScope = scope
    }
}

extension QueryOptions {
    /// Takes client request properties over, by their documented names.
    ///
    /// Explicit bounds win over `notruncation`, in whatever order they are given.
    package mutating func set(_ properties: [(String, Value)]) {
        for (name, value) in properties where name.lowercased() == "notruncation" {
            RequestSettings.apply(name, value, to: &self)
        }
        for (name, value) in properties where name.lowercased() != "notruncation" {
            RequestSettings.apply(name, value, to: &self)
        }
    }
}
