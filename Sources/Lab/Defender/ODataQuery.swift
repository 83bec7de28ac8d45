import Hummingbird
import Tables

/// What a collection of the Defender for Endpoint API understands, besides its `$filter`
/// (https://learn.microsoft.com/defender-endpoint/api/exposed-apis-odata-samples and each collection's page).
struct ODataLimits: Sendable {
    /// Rows of a page that names no size.
    var pageSize = 10_000
    /// What `$top` may be at most.
    var topMax = 10_000
    /// What `$expand` may name.
    var expandable: Set<String> = []

    static let usual = ODataLimits()
    static let antivirus = ODataLimits(pageSize: 20)
    static let alerts = ODataLimits(expandable: ["evidence"])
}

/// Why a call's options are refused; the service answers 400 with the code `ODataError`.
struct ODataRefusal: Error {
    let message: String
}

/// The options of one call.
struct ODataQuery {
    let top: Int?
    let skip: Int
    let expands: Set<String>
    private let filter: String?
    private let path: String
    private let limits: ODataLimits

    private static let known: Set<String> = ["$top", "$skip", "$filter", "$expand", "$count"]

    init(_ request: Request, _ limits: ODataLimits) throws(ODataRefusal) {
        self.limits = limits
        path = request.uri.path
        var options: [String: String] = [:]
        for (key, value) in request.uri.queryParameters where key.hasPrefix("$") {
            options[String(key)] = String(value)
        }
        if let other = options.keys.sorted().first(where: { !Self.known.contains($0) }) {
            throw ODataRefusal(message: "The query option '\(other)' is not supported.")
        }
        top = try Self.number(options["$top"], "$top", 1...limits.topMax)
        skip = try Self.number(options["$skip"], "$skip", 0...Int(Int32.max)) ?? 0
        expands = Set(options["$expand"].map { $0.split(separator: ",").map(String.init) } ?? [])
        if let other = expands.subtracting(limits.expandable).min() {
            throw ODataRefusal(message: "The property '\(other)' cannot be expanded.")
        }
        // `+` stands for a space in a query.
        filter = options["$filter"].map { $0.replacing("+", with: " ") }
    }

    private static func number(
        _ text: String?, _ name: String, _ range: ClosedRange<Int>
    ) throws(ODataRefusal) -> Int? {
        guard let text else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw ODataRefusal(
                message: "The limit of '\(range.upperBound)' for \(name) has been exceeded, or '\(text)' is no number.")
        }
        return number
    }

    /// The rows of the page, and whether there are more behind it.
    func page(of rows: [Value]) throws(ODataRefusal) -> (rows: [Value], hasMore: Bool) {
        let kept: [Value]
        do throws(ODataFilter.Problem) { kept = try ODataFilter.apply(filter, to: rows, of: path) } catch {
            throw ODataRefusal(message: error.message)
        }
        let size = top ?? limits.pageSize
        return (Array(kept.dropFirst(skip).prefix(size)), top == nil && skip + size < kept.count)
    }

    /// Where the next page is.
    var nextSkip: Int { skip + limits.pageSize }
}
