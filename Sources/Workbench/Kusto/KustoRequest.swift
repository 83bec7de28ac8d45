import Foundation
import Hummingbird
import KQLEngine
import Tables

/// What a client of Kusto's REST interface asks for
/// (https://learn.microsoft.com/kusto/api/rest/request, https://learn.microsoft.com/kusto/api/rest/request-properties).
struct KustoRequest: Sendable {
    var database = ""
    var text = ""
    var options = QueryOptions()
    var framing = KustoFraming()
    /// The client's name for the request, echoed in the answer.
    var activity: String

    static let bodyBytesMax = 4 << 20
    /// Bytes of a result that a client gets unless it asks for more.
    private static let resultBytesDefault = 64 << 20

    /// What was wrong with a request's form.
    struct Malformed: Error {
        let message: String
    }

    init(_ request: Request) {
        activity = request.headers[KustoHeader.clientRequest] ?? "Vestige;\(UUID().uuidString.lowercased())"
        options.resultBytesMax = Self.resultBytesDefault
    }

    /// Takes the fields of a JSON body, or of a GET's address.
    mutating func read(_ fields: Bag) throws(Malformed) {
        database = fields.value("db")?.stringValue ?? ""
        guard let csl = fields.value("csl")?.stringValue else {
            throw Malformed(message: "the request needs 'csl', the query or command, and 'db', the database")
        }
        text = csl
        // Properties come as an object, or as JSON in a string.
        var properties = fields.value("properties") ?? .null
        if case .string(let inner) = properties, !inner.isEmpty {
            guard let parsed = try? JSONReader.parse(inner) else {
                throw Malformed(message: "'properties' is not valid JSON")
            }
            properties = parsed
        }
        guard let bag = properties.bagValue else { return }
        if let parameters = bag.value("Parameters")?.bagValue {
            for (name, value) in zip(parameters.keys, parameters.values) { options.parameters[name] = value }
        }
        guard let set = bag.value("Options")?.bagValue else { return }
        options.set(Array(zip(set.keys, set.values)))
        if let language = set.value("query_language")?.text, !["", "kql", "csl"].contains(language.lowercased()) {
            throw Malformed(message: "the query language '\(language)' is not spoken here; send KQL")
        }
        if let time = set.value("servertimeout")?.stringValue {
            guard let seconds = ServerTimeout.seconds(time) else {
                throw Malformed(message: "'servertimeout' is not a timespan: \"\(time)\"")
            }
            options.durationMax = seconds
        }
        if set.value("norequesttimeout")?.converted(to: .bool) == .bool(true) {
            options.durationMax = ServerTimeout.secondsMax
        }
        framing = KustoFraming(set)
    }
}

/// How a version 2 answer is laid out.
struct KustoFraming: Sendable {
    /// Every frame starts a line of its own.
    var hasNewlines = false
    /// Primary tables come as header, fragments and completion.
    var isFragmented = false
    var isProgressive = false
    /// Where the news of a cut result goes.
    var errors = ErrorPlacement.inData
    /// A cut result is only told in the completion information.
    var defersFailures = false

    enum ErrorPlacement: String, Sendable {
        case inData = "InData"
        case endOfTable = "EndOfTable"
        case endOfDataset = "EndOfDataset"
    }

    init() {}

    init(_ options: Bag) {
        func isOn(_ name: String) -> Bool { options.value(name)?.converted(to: .bool) == .bool(true) }
        hasNewlines = isOn("results_v2_newlines_between_frames")
        isFragmented = isOn("results_v2_fragment_primary_tables")
        isProgressive = isOn("results_progressive_enabled")
        defersFailures = isOn("deferpartialqueryfailures")
        switch options.value("results_error_reporting_placement")?.stringValue?.lowercased() {
        case "end_of_table": errors = .endOfTable
        case "end_of_dataset": errors = .endOfDataset
        default: break
        }
    }
}

/// The spellings of a time limit: `00:04:00`, `0:04:00`, `1 day, 0:00:00` and `50m`.
enum ServerTimeout {
    /// Seconds; Kusto lets no query run longer.
    static let secondsMax = 3_600.0

    static func seconds(_ text: String) -> Double? {
        var days = 0.0
        var rest = text[...]
        if let comma = text.firstIndex(of: ",") {
            let words = text[..<comma].split(separator: " ")
            guard words.count == 2, let n = Double(words[0]), n.isFinite, words[1].hasPrefix("day") else { return nil }
            days = n
            rest = text[text.index(after: comma)...].drop { $0 == " " }
        }
        guard let ticks = TimeSpan.parse(String(rest)) else { return nil }
        let seconds = days * 86_400 + Double(ticks) / Double(DateTime.ticksPerSecond)
        return seconds <= 0 ? nil : min(seconds, secondsMax)
    }
}

enum KustoHeader {
    static let clientRequest = HTTPFields.Element.Name("x-ms-client-request-id")!
    static let activity = HTTPFields.Element.Name("x-ms-activity-id")!

    static func answer(_ activity: String) -> HTTPFields {
        [clientRequest: activity, Self.activity: UUID().uuidString.lowercased()]
    }
}

extension Bag {
    /// A member by its name, whatever the case of its letters.
    func value(_ name: String) -> Value? {
        if let exact = self[name] { return exact }
        let wanted = name.lowercased()
        return keys.firstIndex { $0.lowercased() == wanted }.map { values[$0] }
    }
}
