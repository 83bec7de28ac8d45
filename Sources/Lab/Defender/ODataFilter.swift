import Tables

/// The part of `$filter` that the Defender for Endpoint API takes
/// (https://learn.microsoft.com/defender-endpoint/api/exposed-apis-odata-samples): comparisons of a property with a value,
/// `startswith`, and `and`, `or`, `not` and brackets around them. Anything else is refused, as are properties that the
/// resource's page does not name as filterable.
struct ODataFilter {
    private indirect enum Condition {
        case compare(property: String, Comparison, Literal)
        case startsWith(property: String, String)
        case and(Condition, Condition)
        case or(Condition, Condition)
        case not(Condition)
    }

    private enum Comparison: String { case eq, ne, gt, ge, lt, le }

    private enum Literal {
        case text(String)
        case number(Double)
        case time(Int64)
        case flag(Bool)
        case null
    }

    /// Why a filter is refused.
    struct Problem: Error {
        let message: String
    }

    private let condition: Condition

    /// - Parameter properties: those that may be filtered by.
    init(_ text: String, properties: Set<String>) throws(Problem) {
        var parser = Parser(tokens: try Self.tokens(text), properties: properties)
        condition = try parser.disjunction()
        guard parser.isAtEnd else { throw Problem(message: "The query specified in the URI is not valid: \(text)") }
    }

    /// Whether a record meets the condition.
    func holds(_ row: Value) -> Bool { Self.holds(condition, row.bagValue ?? Bag()) }

    private static func holds(_ condition: Condition, _ row: Bag) -> Bool {
        switch condition {
        case .and(let a, let b): return holds(a, row) && holds(b, row)
        case .or(let a, let b): return holds(a, row) || holds(b, row)
        case .not(let inner): return !holds(inner, row)
        case .startsWith(let property, let text): return row[property]?.stringValue?.hasPrefix(text) == true
        case .compare(let property, let comparison, let literal):
            guard let order = order(row[property] ?? .null, literal) else { return comparison == .ne }
            switch comparison {
            case .eq: return order == 0
            case .ne: return order != 0
            case .gt: return order > 0
            case .ge: return order >= 0
            case .lt: return order < 0
            case .le: return order <= 0
            }
        }
    }

    /// Below, at or above zero; nil where the two cannot be compared.
    private static func order(_ value: Value, _ literal: Literal) -> Int? {
        func sign<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }
        switch (value, literal) {
        case (.null, .null): return 0
        case (.string(let a), .text(let b)): return sign(a, b)
        case (.datetime(let a), .time(let b)): return sign(a, b)
        case (.string(let a), .time(let b)): return DateTime.parse(a).map { sign($0, b) }
        case (.long(let a), .number(let b)): return sign(Double(a), b)
        case (.real(let a), .number(let b)): return sign(a, b)
        case (.bool(let a), .flag(let b)): return sign(a ? 1 : 0, b ? 1 : 0)
        default: return nil
        }
    }

    // MARK: Reading

    private enum Token: Equatable {
        case word(String)
        case text(String)
        case sign(Character)
    }

    private static func tokens(_ text: String) throws(Problem) -> [Token] {
        var tokens: [Token] = []
        var rest = text[...]
        while let c = rest.first {
            if c == " " {
                rest.removeFirst()
            } else if "(),".contains(c) {
                tokens.append(.sign(c))
                rest.removeFirst()
            } else if c == "'" {
                rest.removeFirst()
                var value = ""
                while let next = rest.first {
                    rest.removeFirst()
                    if next != "'" {
                        value.append(next)
                    } else if rest.first == "'" {
                        value.append("'")
                        rest.removeFirst()
                    } else {
                        tokens.append(.text(value))
                        break
                    }
                    if rest.isEmpty { throw Problem(message: "There is an unterminated string literal in '\(text)'.") }
                }
            } else {
                let word = rest.prefix { !" (),'".contains($0) }
                tokens.append(.word(String(word)))
                rest = rest.dropFirst(word.count)
            }
        }
        return tokens
    }

    private struct Parser {
        var tokens: [Token]
        let properties: Set<String>
        var place = 0

        var isAtEnd: Bool { place == tokens.count }
        private var token: Token? { place < tokens.count ? tokens[place] : nil }

        private mutating func take(_ wanted: Token) -> Bool {
            guard token == wanted else { return false }
            place += 1
            return true
        }

        private func syntax() -> Problem { Problem(message: "Syntax error at position \(place) in the filter.") }

        mutating func disjunction() throws(Problem) -> Condition {
            var left = try conjunction()
            while take(.word("or")) { left = .or(left, try conjunction()) }
            return left
        }

        private mutating func conjunction() throws(Problem) -> Condition {
            var left = try single()
            while take(.word("and")) { left = .and(left, try single()) }
            return left
        }

        private mutating func single() throws(Problem) -> Condition {
            if take(.word("not")) { return .not(try single()) }
            if take(.sign("(")) {
                let inner = try disjunction()
                guard take(.sign(")")) else { throw syntax() }
                return inner
            }
            guard case .word(let name)? = token else { throw syntax() }
            place += 1
            if name == "startswith" {
                guard take(.sign("(")) else { throw syntax() }
                let property = try self.property()
                guard take(.sign(",")), case .text(let text)? = token else { throw syntax() }
                place += 1
                guard take(.sign(")")) else { throw syntax() }
                return .startsWith(property: property, text)
            }
            place -= 1
            let property = try self.property()
            guard case .word(let word)? = token, let comparison = Comparison(rawValue: word) else { throw syntax() }
            place += 1
            return .compare(property: property, comparison, try literal())
        }

        private mutating func property() throws(Problem) -> String {
            guard case .word(let name)? = token else { throw syntax() }
            guard properties.contains(name) else {
                throw Problem(message: "Filtering by the property '\(name)' is not supported.")
            }
            place += 1
            return name
        }

        private mutating func literal() throws(Problem) -> Literal {
            defer { place += 1 }
            switch token {
            case .text(let text)?: return .text(text)
            case .word("null")?: return .null
            case .word("true")?: return .flag(true)
            case .word("false")?: return .flag(false)
            case .word(let word)?:
                if let number = Double(word) { return .number(number) }
                // A time without quotes, with its zone.
                if word.hasSuffix("Z"), word.contains("T"), let time = DateTime.parse(word) { return .time(time) }
                throw Problem(message: "Unrecognized literal '\(word)'.")
            default: throw syntax()
            }
        }
    }
}

extension ODataFilter {
    /// Properties that each list may be filtered by, as the pages of the calls say.
    static let properties: [String: Set<String>] = [
        "/api/alerts": [
            "alertCreationTime", "lastUpdateTime", "incidentId", "investigationId", "id", "assignedTo",
            "detectionSource", "lastEventTime", "status", "severity", "category",
        ],
        "/api/machines": [
            "computerDnsName", "id", "version", "deviceValue", "aadDeviceId", "machineTags", "lastSeen",
            "exposureLevel", "onboardingStatus", "lastIpAddress", "healthStatus", "osPlatform", "riskScore",
            "rbacGroupId",
        ],
        "/api/deviceavinfo": [
            "machineId", "computerDnsName", "osKind", "osPlatform", "osVersion", "avMode", "avSignatureVersion",
            "avEngineVersion", "avPlatformVersion", "quickScanResult", "quickScanError", "fullScanResult",
            "fullScanError", "avIsSignatureUpToDate", "avIsEngineUpToDate", "avIsPlatformUpToDate", "rbacGroupId",
        ],
        "/api/recommendations": [
            "id", "productName", "vendor", "recommendedVersion", "recommendationCategory", "subCategory",
            "severityScore", "remediationType", "recommendedProgram", "recommendedVendor", "status",
        ],
        "/api/baselineProfiles": [
            "id", "name", "operatingSystem", "operatingSystemVersion", "status", "settingsNumber", "passedDevices",
            "totalDevices",
        ],
    ]

    /// The records of a list that a request's `$filter` lets through.
    ///
    /// - Throws: `Problem` for a filter that the service would refuse.
    static func apply(_ text: String?, to rows: [Value], of path: String) throws(Problem) -> [Value] {
        guard let text else { return rows }
        let known = properties.first { $0.key.lowercased() == path.lowercased() }?.value
        guard let known else { throw Problem(message: "The query option '$filter' is not supported for \(path).") }
        let filter = try ODataFilter(text, properties: known)
        return rows.filter { filter.holds($0) }
    }
}
