import Foundation
import KQL
import KQLEngine
import Tables

/// Makes calls of every function, aggregate, plugin and operator with values at the ends of their types.
///
/// A death is a defect whatever was asked; an error is fine. The last call is in a file, so that a death names it.
struct EdgeSearch {
    /// Literals by the type they have.
    static let literals: [(type: String, text: String)] = [
        ("long", "0"), ("long", "-1"), ("long", "1"), ("long", "9223372036854775807"),
        ("long", "(-9223372036854775807-1)"), ("long", "long(null)"), ("int", "int(2147483647)"),
        ("real", "real(nan)"), ("real", "real(+inf)"), ("real", "real(-inf)"), ("real", "1.5"),
        ("real", "1.7976931348623157e308"), ("real", "real(null)"), ("decimal", "decimal(1e34)"),
        ("string", "''"), ("string", "'a b'"), ("string", "'\\0'"), ("string", "strrep('ab', 300)"),
        ("datetime", "datetime(0001-01-01)"), ("datetime", "datetime(9999-12-31 23:59:59.9999999)"),
        ("datetime", "datetime(null)"), ("timespan", "totimespan(9223372036854775807)"),
        ("timespan", "totimespan(-9223372036854775807-1)"), ("timespan", "1h"), ("timespan", "timespan(null)"),
        ("bool", "true"), ("bool", "bool(null)"), ("guid", "guid(74be27de-1e4e-49d9-b579-fe0b331d3642)"),
        ("dynamic", "dynamic([])"), ("dynamic", "dynamic([1,2,3,4,5,6,7,8,null,'x'])"),
        ("dynamic", "dynamic({'a':{'b':[1]}})"), ("dynamic", "dynamic(null)"),
        ("dynamic", "pack_array(9223372036854775807, real(nan), -9223372036854775807-1, 1e300)"),
    ]
    /// Columns of `T`, of one edge a row, by type.
    static let columns = [
        ("long", "n"), ("real", "r"), ("string", "s"), ("datetime", "d"), ("timespan", "t"), ("bool", "b"),
        ("dynamic", "y"), ("guid", "g"), ("decimal", "m"),
    ]
    private static let schema =
        "n:long, r:real, s:string, d:datetime, t:timespan, b:bool, y:dynamic, g:guid, m:decimal"
    static let tables: MemoryTables = {
        let tables = MemoryTables()
        let schema = Schema([
            ("n", .long), ("r", .real), ("s", .string), ("d", .datetime), ("t", .timespan), ("b", .bool),
            ("y", .dynamic), ("g", .guid), ("m", .decimal),
        ])
        let rows: [[Value]] = [
            [
                .long(.min), .real(.nan), .string("a\0b"), .datetime(0), .timespan(.min), .bool(true),
                .array([.long(.max), .null]), .guid(GUID(high: 1, low: 2)), .decimal(Decimal(.min)),
            ],
            [
                .long(.max), .real(.infinity), .string(""), .datetime(DateTime.maximum), .timespan(.max), .null,
                .bag(Bag([("a", .real(.nan))])), .null, .null,
            ],
            [.null, .null, .string("x"), .null, .null, .bool(false), .null, .null, .decimal(Decimal(.max))],
        ]
        tables.set("T", schema: schema, batches: [Batch(schema: schema, rows: rows)])
        tables.set("E", schema: schema, batches: [])
        return tables
    }()

    private var state: UInt64

    init(seed: UInt64) { state = seed }

    private mutating func below(_ n: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(n))
    }

    private mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }

    private static func fits(_ wanted: Signature.ParameterType, _ type: String) -> Bool {
        switch wanted {
        case .scalar(let t): t.name == type
        case .number: ["long", "int", "real", "decimal"].contains(type)
        case .integer: ["long", "int"].contains(type)
        case .summable: ["long", "real", "decimal", "datetime", "timespan"].contains(type)
        case .any: true
        case .typeLiteral: false
        }
    }

    private mutating func argument(_ wanted: Signature.ParameterType?, columns: Bool) -> String {
        if wanted == .typeLiteral { return "typeof(long)" }
        let all = Self.literals + (columns ? Self.columns + Self.columns : [])
        guard let wanted, below(10) < 8 else { return pick(all).1 }
        let fitting = all.filter { Self.fits(wanted, $0.0) }
        return fitting.isEmpty ? pick(all).1 : pick(fitting).1
    }

    private mutating func arguments(_ overloads: [Signature], _ count: Int, columns: Bool) -> String {
        let signature = overloads.isEmpty ? nil : pick(overloads)
        return (0..<count).map { i in
            let parameters = signature?.parameters ?? []
            return argument(i < parameters.count ? parameters[i].type : parameters.last?.type, columns: columns)
        }.joined(separator: ", ")
    }

    /// Arities that bind, mostly.
    private mutating func arity(_ overloads: [Signature]) -> Int {
        guard let s = overloads.isEmpty ? nil : pick(overloads), below(10) < 9 else { return below(7) }
        let (low, high) = (s.argumentCountMin, min(s.argumentCountMax, max(s.argumentCountMin, 6)))
        return low + below(high - low + 1)
    }

    private static let scalars = Builtins.scalars.keys.sorted()
    private static let aggregates = Builtins.aggregates.keys.sorted()
    private static let plugins = Builtins.plugins.sorted()

    /// The `i`-th query: scalar functions most often, every function again and again.
    mutating func query(_ i: Int) -> String {
        let table = below(8) == 0 ? "E" : "T"
        switch i % 8 {
        case 0...2:
            let name = Self.scalars[(i / 8 * 3 + i % 8) % Self.scalars.count]
            let overloads = Builtins.scalars[name] ?? []
            return "print \(name)(\(arguments(overloads, arity(overloads), columns: false)))"
        case 3, 4:
            let name = Self.scalars[(i / 8 * 2 + i % 8) % Self.scalars.count]
            let overloads = Builtins.scalars[name] ?? []
            return "\(table) | serialize | extend x = \(name)(\(arguments(overloads, arity(overloads), columns: true)))"
        case 5:
            let name = Self.aggregates[i / 8 % Self.aggregates.count]
            let overloads = Builtins.aggregates[name] ?? []
            let by = below(2) == 0 ? " by b" : ""
            return "\(table) | summarize \(name)(\(arguments(overloads, arity(overloads), columns: true)))\(by)"
        case 6:
            let name = Self.plugins[i / 8 % Self.plugins.count]
            return "\(table) | evaluate \(name)(\(arguments([], below(7), columns: true)))"
        default: return operatorQuery(table)
        }
    }

    private mutating func operatorQuery(_ table: String) -> String {
        func long() -> String { pick(Self.literals.filter { $0.type == "long" || $0.type == "real" }).text }
        func any() -> String { pick(Self.literals).text }
        func column() -> String { pick(Self.columns).1 }
        let (a, b, c, k) = (long(), long(), long(), column())
        return pick([
            "\(table) | take \(a)", "\(table) | top \(a) by \(k)", "\(table) | sample \(a)",
            "range x from \(a) to \(b) step \(c) | take 5", "range x from \(any()) to \(any()) step \(any()) | take 5",
            "\(table) | mv-expand y limit \(a)", "\(table) | mv-expand y with_itemindex=i | summarize sum(i)",
            "\(table) | make-series count() on \(k) from \(any()) to \(any()) step \(any())",
            "\(table) | make-series sum(n) default=\(any()) on n from \(a) to \(b) step \(c) by s",
            "\(table) | summarize count() by bin(n, \(a))", "\(table) | summarize count() by bin(d, \(any()))",
            "\(table) | summarize count() by bin(\(k), \(any()))",
            "\(table) | extend x = n \(pick(["+", "-", "*", "/", "%"])) \(a)",
            "\(table) | extend x = t \(pick(["+", "-", "*", "/", "%"])) \(any())",
            "\(table) | extend x = d \(pick(["+", "-", "/", "%"])) \(any())",
            "print \(any()) \(pick(["+", "-", "*", "/", "%", "<", "=="])) \(any())",
            "print -(\(any()))", "print (\(any()))[\(a)]", "\(table) | extend x = y[\(a)]",
            "\(table) | top-nested \(a) of s by sum(n), top-nested \(b) of d by count()",
            "\(table) | partition by \(k) (take \(a))",
            "\(table) | sort by \(k) | extend prev(n, \(a)), row_number(\(b))",
            "\(table) | join kind=fullouter (\(table)) on \(k)", "\(table) | top-hitters \(a) of \(k)",
            "\(table) | sample-distinct \(a) of \(k)",
            "\(table) | reduce by s with threshold=\(pick(Self.literals.filter { $0.type == "real" }).text)",
            "\(table) | where n between (\(a) .. \(b)) | count",
            "\(table) | extend s = strcat(s, \(any())) | distinct s",
            "\(table) | parse s with * 'a' x:long *", "\(table) | summarize by \(k), bin(n, \(a))",
            "\(table) | scan declare (x:long = \(a)) with (step p: true => x = p.x + n;)",
        ])
    }
}
