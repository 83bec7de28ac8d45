/// A JSON document that is written or read as a whole: a message, a cursor, a workbook, a reply of the lab.
///
/// It is apart from `Value`, which is a cell of KQL with its times, decimals and nulls: a message has none of these,
/// and is written as it will stand on the wire.
///
/// ```swift
/// let body: JSON = ["error": ["code": "BadRequest", "message": .string(reason)]]
/// ```
package indirect enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object(Members)

    /// The members of an object in the order in which they were written; a name stands once, the last value counts.
    package struct Members: Sendable, Hashable {
        package private(set) var names: [String] = []
        package private(set) var values: [JSON] = []

        package init() {}

        package init(_ pairs: some Sequence<(String, JSON)>) {
            for (name, value) in pairs { self[name] = value }
        }

        package subscript(name: String) -> JSON? {
            get { names.firstIndex(of: name).map { values[$0] } }
            set {
                switch (names.firstIndex(of: name), newValue) {
                case (let i?, let value?): values[i] = value
                case (let i?, nil):
                    names.remove(at: i)
                    values.remove(at: i)
                case (nil, let value?):
                    names.append(name)
                    values.append(value)
                case (nil, nil): break
                }
            }
        }
    }

    /// A member of an object; nil where there is none, or where this is no object.
    package subscript(name: String) -> JSON? { if case .object(let members) = self { members[name] } else { nil } }

    /// An item of an array; nil behind its end, or where this is no array.
    package subscript(index: Int) -> JSON? {
        if case .array(let items) = self, items.indices.contains(index) { items[index] } else { nil }
    }

    /// The text of a string.
    package var string: String? { if case .string(let text) = self { text } else { nil } }
    /// Whether `true`.
    package var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    /// A number that was written without fraction and exponent.
    package var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    /// The items of an array.
    package var array: [JSON]? { if case .array(let items) = self { items } else { nil } }
    /// The members of an object.
    package var members: Members? { if case .object(let members) = self { members } else { nil } }

    /// Any number.
    package var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// Reads a whole text.
    package init(parsing text: some StringProtocol) throws(JSONError) { self.init(try JSONReader.parse(text)) }

    /// Reads a whole text in UTF-8.
    package init(parsing bytes: [UInt8]) throws(JSONError) { self.init(try JSONReader.parse(bytes)) }

    /// A cell as it stands on the wire: times, durations, decimals and GUIDs as texts.
    package init(_ value: Tables.Value) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .long(let number): self = .integer(number)
        case .real(let number): self = .number(number)
        case .array(let items): self = .array(items.map { JSON($0) })
        case .bag(let bag): self = .object(Members(zip(bag.keys, bag.values).map { ($0, JSON($1)) }))
        case .string, .decimal, .datetime, .timespan, .guid: self = .string(value.text)
        }
    }

    /// The document on one line.
    package var text: String { JSONWriter.string(Tables.Value(self)) }

    /// The document on one line, in UTF-8.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        JSONWriter.append(Tables.Value(self), to: &out)
        return out
    }
}

extension Value {
    /// A document as a cell of type `dynamic`.
    package init(_ json: JSON) {
        switch json {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .integer(let number): self = .long(number)
        case .number(let number): self = .real(number)
        case .string(let text): self = .string(text)
        case .array(let items): self = .array(items.map { Value($0) })
        case .object(let members): self = .bag(Bag(zip(members.names, members.values).map { ($0, Value($1)) }))
        }
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral {
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
}

extension JSON: ExpressibleByFloatLiteral, ExpressibleByStringInterpolation {
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(stringLiteral value: String) { self = .string(value) }
}

extension JSON.Members: ExpressibleByDictionaryLiteral {
    /// Members as they are written in Swift.
    package init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }
}

extension JSON: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(Members(elements)) }
}
