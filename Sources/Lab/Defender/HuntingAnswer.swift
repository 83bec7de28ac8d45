import KQL
import KQLEngine
import Tables

/// How Graph writes the cells of a hunting answer.
package enum HuntingForm: String, Sendable, CaseIterable {
    /// As tenants receive it, from an answer captured in 2026: a null that is no text is `{}`, the type stands beside
    /// booleans, long numbers and arrays in `X@odata.type`, an object names its own type, and an array's elements that
    /// are arrays or objects are JSON texts.
    case captured
    /// As the page documents it: plain cells
    /// (https://learn.microsoft.com/graph/api/security-security-runhuntingquery).
    case documented
}

/// Writes the answer to a hunting query.
struct HuntingAnswer {
    /// The three interfaces, which differ in the spelling of their keys.
    enum Surface { case graph, endpoint, xdr }

    let surface: Surface
    let form: HuntingForm

    private static let context =
        "https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.security.huntingQueryResults"
    private static let dynamicType = "#microsoft.graph.security.dynamicColumnValue"

    /// The whole text of an answer.
    func text(_ table: ResultTable, seconds: Double) throws -> [UInt8] {
        var out: [UInt8] = [UInt8(ascii: "{")]
        let (schemaKey, resultsKey, nameKey, typeKey) =
            surface == .graph ? ("schema", "results", "name", "type") : ("Schema", "Results", "Name", "Type")
        switch surface {
        case .graph: out += "\"@odata.context\":\"\(Self.context)\",".utf8
        case .xdr: out += "\"Stats\":{\"ExecutionTime\":\(seconds)},".utf8
        case .endpoint: break
        }
        out += "\"\(schemaKey)\":[".utf8
        for (i, column) in table.schema.columns.enumerated() {
            if i > 0 { out.append(UInt8(ascii: ",")) }
            let type = column.type.dotNetName
            out += "{\"\(nameKey)\":\(JSONWriter.quoted(column.name)),\"\(typeKey)\":\"\(type)\"}".utf8
        }
        out += "],\"\(resultsKey)\":[".utf8
        let columns = try table.schema.columns.indices.map { try table.batch.column($0) }
        for row in 0..<table.count {
            out += row > 0 ? ",{".utf8 : "{".utf8
            for (c, column) in columns.enumerated() {
                if c > 0 { out.append(UInt8(ascii: ",")) }
                cell(named: table.schema[c].name, column[row], of: table.schema[c].type, to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
        out += "]}".utf8
        return out
    }

    private func cell(named name: String, _ value: Value, of type: ScalarType, to out: inout [UInt8]) {
        let key = JSONWriter.quoted(name) + ":"
        guard surface == .graph, form == .captured else {
            out += key.utf8
            if case .bool(let flag) = value {
                out += (flag ? "1" : "0").utf8
            } else {
                JSONWriter.append(value, to: &out)
            }
            return
        }
        if let mark = Self.mark(of: value, type) {
            out += "\(JSONWriter.quoted(name + "@odata.type")):\"\(mark)\",".utf8
        }
        out += key.utf8
        switch value {
        case .null: out += (type == .string ? "null" : "{}").utf8
        case .bool(let flag): out += (flag ? "1" : "0").utf8
        default: JSONWriter.append(Self.serialized(value), to: &out)
        }
    }

    /// The type that stands beside a cell; nil where the JSON itself tells.
    private static func mark(of value: Value, _ type: ScalarType) -> String? {
        switch value {
        case .bool: "#SByte"
        case .long: type == .long ? "#Int64" : nil
        case .decimal: "#Decimal"
        case .array(let items):
            !items.isEmpty && items.allSatisfy { if case .long = $0 { true } else { false } }
                ? "#Collection(Int64)" : "#Collection(String)"
        default: nil
        }
    }

    /// A `dynamic` value as the serializer writes it.
    private static func serialized(_ value: Value) -> Value {
        switch value {
        case .bag(let bag):
            var out = Bag([("@odata.type", .string(dynamicType))])
            for (key, member) in zip(bag.keys, bag.values) {
                if case .array = member, let mark = mark(of: member, .dynamic) {
                    out[key + "@odata.type"] = .string(mark)
                }
                out[key] = serialized(member)
            }
            return .bag(out)
        case .array(let items):
            let areNumbers = mark(of: value, .dynamic) == "#Collection(Int64)"
            return areNumbers ? value : .array(items.map { .string(element($0)) })
        default: return value
        }
    }

    /// An element of a collection of texts.
    private static func element(_ value: Value) -> String {
        if case .string(let text) = value { text } else { JSONWriter.string(value) }
    }
}
