import Tables

/// Members of a workbook as they are written in the field: numbers may stand in quotes, and most may be missing.
extension JSON {
    /// A scalar's text; nil for a missing member, null, an array or an object.
    func text(_ name: String) -> String? { self[name]?.scalarText }

    var scalarText: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let number): RealText.format(number)
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    /// A text that says something: an empty one is as good as none.
    func words(_ name: String) -> String? {
        guard let text = text(name), !text.isEmpty else { return nil }
        return text
    }

    /// A whole number, also one in quotes.
    func count(_ name: String) -> Int? { text(name).flatMap { Int($0) } }

    /// A number, also one in quotes.
    func double(_ name: String) -> Double? {
        guard let number = self[name]?.number ?? text(name).flatMap({ Double($0) }), number.isFinite else { return nil }
        return number
    }

    func flag(_ name: String) -> Bool { self[name]?.bool ?? false }

    /// The objects in an array; none where the array is missing.
    func objects(_ name: String) -> [JSON] { (self[name]?.array ?? []).filter { $0.members != nil } }

    /// A member that is an object; an object without members where it is missing.
    func object(_ name: String) -> JSON {
        guard let member = self[name], member.members != nil else { return [:] }
        return member
    }
}
