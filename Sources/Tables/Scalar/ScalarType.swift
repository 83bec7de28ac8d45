/// The scalar types of the Kusto query language.
///
/// See "Scalar data types" in the Kusto reference.
package enum ScalarType: UInt8, Sendable, CaseIterable, Hashable {
    case bool, int, long, real, decimal, datetime, timespan, string, guid, dynamic

    /// The name in the query language, such as `long`.
    package var name: String {
        switch self {
        case .bool: "bool"
        case .int: "int"
        case .long: "long"
        case .real: "real"
        case .decimal: "decimal"
        case .datetime: "datetime"
        case .timespan: "timespan"
        case .string: "string"
        case .guid: "guid"
        case .dynamic: "dynamic"
        }
    }

    /// Reads a type name, its aliases included (`double`, `date`, `boolean`, `uuid`, …).
    package init?(name: String) {
        switch name {
        case "bool", "boolean", "Boolean", "SByte": self = .bool
        case "int", "int32", "Int32": self = .int
        case "long", "int64", "Int64": self = .long
        case "real", "double", "Double", "Single": self = .real
        case "decimal", "Decimal", "SqlDecimal": self = .decimal
        case "datetime", "date", "dateTime", "DateTime": self = .datetime
        case "timespan", "time", "TimeSpan": self = .timespan
        case "string", "String": self = .string
        case "guid", "uuid", "uniqueid", "Guid": self = .guid
        case "dynamic", "object", "Object": self = .dynamic
        default: return nil
        }
    }

    /// The `DataType` that Kusto's REST answers give beside `ColumnType`: a .NET type's name.
    package var dotNetName: String {
        switch self {
        case .bool: "SByte"
        case .int: "Int32"
        case .long: "Int64"
        case .real: "Double"
        case .decimal: "SqlDecimal"
        case .datetime: "DateTime"
        case .timespan: "TimeSpan"
        case .string: "String"
        case .guid: "Guid"
        case .dynamic: "Object"
        }
    }

    /// The type that a .NET name stands for, with or without its namespace; nil for others.
    package init?(dotNetName name: String) {
        let all: [ScalarType] = [.bool, .int, .long, .real, .decimal, .datetime, .timespan, .string, .guid, .dynamic]
        let short = name.split(separator: ".").last.map(String.init) ?? ""
        guard let known = short == "Boolean" ? .bool : all.first(where: { $0.dotNetName == short }) else { return nil }
        self = known
    }

    package var isNumeric: Bool {
        self == .int || self == .long || self == .real || self == .decimal
    }

    /// Types kept as 64-bit integers: numbers, ticks and durations.
    package var isInteger64: Bool {
        self == .int || self == .long || self == .datetime || self == .timespan
    }
}
