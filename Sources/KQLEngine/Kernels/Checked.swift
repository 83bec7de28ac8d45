import KQL
import Tables

/// Arithmetic that cannot end the program: what does not fit is nil, and becomes a null or an error.
extension FixedWidthInteger {
    func adding(_ other: Self) -> Self? {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? nil : sum
    }

    func subtracting(_ other: Self) -> Self? {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? nil : difference
    }

    func multiplied(by other: Self) -> Self? {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? nil : product
    }

    /// The sum, or the end of the type that it would pass.
    func addingSaturated(_ other: Self) -> Self { adding(other) ?? (other < 0 ? .min : .max) }
}

extension Double {
    /// The whole part; nil for NaN, infinities and what no 64 bits hold. The only way from a real to a whole number.
    var whole: Int64? { Int64(exactly: rounded(.towardZero)) }

    /// The whole part, held to a range; NaN gives its lower end.
    func whole(in range: ClosedRange<Int>) -> Int {
        guard !isNaN else { return range.lowerBound }
        if self <= Double(range.lowerBound) { return range.lowerBound }
        if self >= Double(range.upperBound) { return range.upperBound }
        return Int(self)
    }
}

/// A place among `count` sorted values by a percentile: its nearest rank, counted from zero.
func nearestRank(_ percent: Double, of count: Int) -> Int {
    (percent / 100 * Double(count)).rounded(.up).whole(in: 1...max(count, 1)) - 1
}

/// How large one value may become.
enum ValueSize {
    /// Bytes of a text.
    static let textMax = 64 << 20
    /// Parts of a dynamic, counted as often as they stand in it.
    static let partsMax = 4 << 20
    /// Levels of a dynamic.
    static let levelsMax = 1_000

    static func tooLong(_ what: String) -> QueryError {
        .limit(
            "Runaway query (E_LOW_MEMORY_CONDITION): one value would become \(what) (80DA0003); work on smaller pieces",
            kind: .memory)
    }

    /// - Throws: `QueryError.limit` when a text would have so many bytes.
    static func checkText(_ bytes: Int) throws {
        if bytes > textMax || bytes < 0 { throw tooLong("longer than \(textMax >> 20) MB") }
    }

    /// - Throws: `QueryError.limit` when an array would have so many items.
    static func checkItems(_ count: Int) throws {
        if count > partsMax || count < 0 { throw tooLong("an array of more than \(partsMax) items") }
    }

    /// Functions whose results may be larger than their arguments.
    static let growing: Set<String> = [
        "pack_array", "bag_pack", "pack_all", "bag_merge", "bag_set_key", "bag_zip", "zip", "repeat", "array_concat",
        "array_iff", "array_iif", "array_shift_left", "array_shift_right", "set_union", "series_fill_const",
        "series_fill_linear", "series_fill_forward", "series_fill_backward", "array_split",
    ]

    /// - Throws: `QueryError.limit` when a value is larger than one may be.
    static func check(_ value: Value, isGrown: Bool) throws {
        switch value {
        case .string(let text): try checkText(text.utf8.count)
        case .array, .bag:
            guard isGrown else { return }
            var parts = 0
            var bytes = 0
            guard weigh(value, level: 0, &parts, &bytes) else {
                throw tooLong(
                    "a dynamic of more than \(textMax >> 20) MB, \(partsMax) parts or \(levelsMax) levels")
            }
        default: return
        }
    }

    private static func weigh(_ value: Value, level: Int, _ parts: inout Int, _ bytes: inout Int) -> Bool {
        parts += 1
        guard parts <= partsMax, bytes <= textMax, level <= levelsMax else { return false }
        switch value {
        case .string(let text):
            bytes += text.utf8.count
            return bytes <= textMax
        case .array(let items):
            for item in items where !weigh(item, level: level + 1, &parts, &bytes) { return false }
        case .bag(let bag):
            for key in bag.keys { bytes += key.utf8.count }
            for item in bag.values where !weigh(item, level: level + 1, &parts, &bytes) { return false }
        default: break
        }
        return true
    }
}

/// Texts put together and taken apart by their bytes, as Kusto compares them.
enum TextBytes {
    /// The places where `find` stands, none overlapping another.
    static func places(of find: [UInt8], in text: [UInt8]) throws -> [Int] {
        guard let first = find.first, find.count <= text.count else { return [] }
        var found: [Int] = []
        var i = 0
        try text.withUnsafeBufferPointer { text in
            try find.withUnsafeBufferPointer { find in
                while i + find.count <= text.count {
                    if i & 4_095 == 0 { try Interrupted.check() }
                    if text[i] == first, UnsafeBufferPointer(rebasing: text[i..<i + find.count]).elementsEqual(find) {
                        found.append(i)
                        i += find.count
                        try Interrupted.check()
                    } else {
                        i += 1
                    }
                }
            }
        }
        return found
    }

    static func replace(_ text: String, _ from: String, _ to: String) throws -> String {
        let (bytes, find, new) = (Array(text.utf8), Array(from.utf8), Array(to.utf8))
        let places = try places(of: find, in: bytes)
        if places.isEmpty { return text }
        try ValueSize.checkText(bytes.count + places.count * (new.count - find.count))
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + places.count * (new.count - find.count))
        var last = 0
        for place in places {
            out += bytes[last..<place]
            out += new
            last = place + find.count
        }
        out += bytes[last...]
        return String(decoding: out, as: UTF8.self)
    }

    /// - Throws: `QueryError.limit` when the whole would be too long.
    static func joined(_ parts: some Collection<Value>, separator: String = "") throws -> String {
        var out = ""
        let between = separator.utf8.count
        for (i, part) in parts.enumerated() {
            let text = part.text
            try Interrupted.check()
            try ValueSize.checkText(out.utf8.count + text.utf8.count + between)
            if i > 0 { out += separator }
            out += text
        }
        return out
    }
}
