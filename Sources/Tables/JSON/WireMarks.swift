/// What Microsoft Graph writes beside and inside the cells of a hunting answer, and what it stands for.
///
/// The documented form of an answer has plain cells
/// (https://learn.microsoft.com/graph/api/security-security-runhuntingquery). What tenants receive is written by an
/// OData serializer: a member `X@odata.type` says of which type the member `X` is, an object carries the name of its
/// type in `@odata.type`, a null of any type is `{}`, and the elements of an array that are arrays or objects themselves
/// stand there as JSON texts, since the array is a `Collection(String)`. None of it is data.
///
/// Only an element that is an array or an object as a whole is read as one: a text such as `[draft] plan` or a
/// `{6F9619FF-…}` stays a text, as it is no JSON. One level of text is undone, which is the level that the serializer
/// adds; a text inside such an element is one that the table holds.
enum WireMarks {
    private static let annotation = Array("@odata.".utf8)

    /// Whether a member's name is an annotation of OData's: `@odata.type`, `IsCompliant@odata.type`, `Tags@odata.count`.
    static func isAnnotation(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let at = name.firstIndex(of: UInt8(ascii: "@")) else { return false }
        var start = at
        while start + annotation.count <= name.count {
            if name[start] == annotation[0], name[start..<start + annotation.count].elementsEqual(annotation) {
                return true
            }
            start += 1
        }
        return false
    }

    static func isAnnotation(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { isAnnotation($0) }
    }

    /// A cell without the serializer's marks.
    static func meaning(of value: Value) -> Value {
        switch value {
        case .bag(let bag):
            var plain = Bag()
            for (key, member) in zip(bag.keys, bag.values) where !isAnnotation(key) {
                plain.append(unchecked: key, meaning(of: member))
            }
            return .bag(plain)
        case .array(let items): return .array(items.map(element))
        default: return value
        }
    }

    private static func element(_ value: Value) -> Value {
        guard case .string(let text) = value else { return meaning(of: value) }
        guard let first = text.utf8.first(where: { $0 > 32 }),
            first == UInt8(ascii: "[") || first == UInt8(ascii: "{"), let inner = try? JSONReader.parse(text)
        else { return value }
        return inner
    }
}

/// Which of the two forms an answer is written in, as far as its records have told.
///
/// It matters for one thing: `{}` in a column of type `dynamic` is a null in the serializer's form, and a bag without
/// members in the documented one.
struct HuntingForm {
    private var hasMarks = false
    private var hasPlainCells = false
    /// Cells of `dynamic` columns that came as `{}`: the column and the row.
    private(set) var empty: [(column: Int, row: Int)] = []

    /// Whether `{}` is a bag without members here.
    var keepsEmptyBags: Bool { hasPlainCells && !hasMarks }

    mutating func sawMark() { hasMarks = true }

    /// Learns from a cell before its marks are taken away.
    mutating func learn(from value: Value, ofText isText: Bool) {
        switch value {
        // The serializer writes booleans as numbers, and nulls of these types as `{}`.
        case .bool: hasPlainCells = true
        case .null: if !isText { hasPlainCells = true }
        case .array: hasPlainCells = true
        case .bag(let bag):
            if bag.keys.contains(where: WireMarks.isAnnotation) {
                hasMarks = true
            } else if bag.count > 0 {
                hasPlainCells = true
            }
        default: break
        }
    }

    mutating func sawEmpty(column: Int, row: Int) { empty.append((column, row)) }
}
