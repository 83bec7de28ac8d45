import KQL
import Tables

extension ScalarFunctions {
    private static func to(_ type: ScalarType) -> ScalarKernel { .lenient { a, _ in a[0].converted(to: type) } }

    /// `toint`: a number that does not fit keeps its low 32 bits; text that does not fit is null.
    private static func narrowed(_ v: Value) -> Value {
        switch v {
        case .string(let text):
            guard case .long(let n) = v.converted(to: .long) else { return .null }
            let isHexadecimal = text.lowercased().contains("0x")
            return isHexadecimal ? .long(min(max(n, -2_147_483_648), 2_147_483_647)) : v.converted(to: .int)
        case .real(let d):
            return d.isNaN ? .null : .long(Int64(min(max(d, -2_147_483_648), 2_147_483_647)))
        default: break
        }
        guard case .long(let n) = v.converted(to: .long) else { return .null }
        return .long(Int64(Int32(truncatingIfNeeded: n)))
    }

    /// `parse_json`: a string is read, anything else stays; text that is no JSON stays a string.
    static func parseJSON(_ v: Value) -> Value {
        guard case .string(let s) = v else { return v }
        if s.isEmpty { return .null }
        return (try? JSONReader.parse(s)) ?? .string(s)
    }

    static var conversions: [String: ScalarKernel] {
        [
            "tostring": .lenient { a, _ in .string(a[0].text) },
            "toint": .lenient { a, _ in narrowed(a[0]) }, "tolong": to(.long), "toreal": to(.real),
            "todouble": to(.real), "todecimal": to(.decimal),
            "todatetime": to(.datetime), "totimespan": to(.timespan), "totime": to(.timespan), "tobool": to(.bool),
            "toboolean": to(.bool), "toguid": to(.guid),
            "parse_json": .lenient { a, _ in parseJSON(a[0]) },
            "parsejson": .lenient { a, _ in parseJSON(a[0]) },
            "todynamic": .lenient { a, _ in parseJSON(a[0]) },
            "toobject": .lenient { a, _ in parseJSON(a[0]) },
            "dynamic_to_json": .lenient { a, _ in .string(JSONWriter.string(sorted(a[0]))) },
            "gettype": .lenient { a, _ in
                let name: String =
                    switch a[0] {
                    case .null: "null"
                    case .array: "array"
                    case .bag: "dictionary"
                    default: a[0].type?.name ?? "null"
                    }
                return .string(name)
            },
            "tohex": .strict { a, _ in
                guard let n = a[0].longValue else { return .null }
                let width = a.count > 1 ? Int(a[1].longValue ?? 0) : 0
                return .string(Hex.string(UInt64(bitPattern: n), width: max(1, min(width, 16))))
            },
            "tounixtime": .strict { a, _ in
                guard case .datetime(let t) = a[0] else { return .null }
                return .long((t - DateTime.unixEpoch) / DateTime.ticksPerSecond)
            },
            "not": .strict { a, _ in .bool(!(a[0].boolValue ?? false)) },
            "coalesce": .lenient { a, _ in
                for v in a where !v.isNull { if case .string(let s) = v, s.isEmpty { continue } else { return v } }
                return a.last ?? .null
            },
            "around": .strict { a, _ in
                let low = ValueOps.arithmetic("-", a[1], a[2])
                let high = ValueOps.arithmetic("+", a[1], a[2])
                guard let x = ValueOps.compare(a[0], low), let y = ValueOps.compare(a[0], high) else { return .null }
                return .bool(x >= 0 && y <= 0)
            },
            "max_of": .lenient { a, _ in extreme(a, 1) },
            "min_of": .lenient { a, _ in extreme(a, -1) },
            "estimate_data_size": .lenient { a, _ in
                .long(
                    Int64(
                        a.reduce(0) { sum, v in
                            switch v {
                            case .null: sum
                            case .string(let s): sum + s.utf8.count
                            case .bool: sum + 1
                            case .long, .real, .datetime, .timespan: sum + 8
                            case .guid, .decimal: sum + 16
                            default: sum + JSONWriter.string(v).utf8.count
                            }
                        }))
            },
            "assert": .lenient { a, _ in
                guard a[0].boolValue == true else { throw QueryError.runtime("assert() failed: \(a[1].text)") }
                return .bool(true)
            },
            "current_principal": .lenient { _, _ in .string("local") },
            "current_principal_details": .lenient { _, _ in
                .bag(
                    Bag([
                        ("UserPrincipalName", .string("local")), ("IdentityProvider", .string("local")),
                        ("Type", .string("local")),
                    ]))
            },
            "current_principal_is_member_of": .lenient { a, _ in
                .bool(a.flatMap { $0.arrayValue ?? [$0] }.contains { $0.text == "local" })
            },
            "current_database": .lenient { _, _ in .string(LocalDatabase.name) },
            "current_cluster_endpoint": .lenient { _, _ in .string("local") },
            "cursor_current": .lenient { c, context in .string(String(context.now)) },
            "rand": .lenient { a, _ in
                if let n = a.first?.longValue, n > 1 { return .real(Double(Int64.random(in: 0..<n))) }
                return .real(Double.random(in: 0..<1))
            },
            "new_guid": .lenient { _, _ in
                var generator = SystemRandomNumberGenerator()
                return .guid(GUID.random(using: &generator))
            },
        ]
    }

    private static func extreme(_ a: [Value], _ sign: Int) -> Value {
        var best: Value = .null
        for v in a where !v.isNull {
            if best.isNull || (ValueOps.compare(v, best) ?? 0) * sign > 0 { best = v }
        }
        return best
    }

    /// Bags with their keys in order, as canonical JSON has them.
    private static func sorted(_ v: Value) -> Value {
        switch v {
        case .array(let items): .array(items.map(sorted))
        case .bag(let bag): .bag(Bag(zip(bag.keys, bag.values).sorted { $0.0 < $1.0 }.map { ($0.0, sorted($0.1)) }))
        default: v
        }
    }
}
