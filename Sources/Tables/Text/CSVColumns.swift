/// Reads comma-separated values straight into columns, some rows at a time, without an object per field.
///
/// Quoted fields may hold separators, line ends and doubled quotes (RFC 4180).
package struct CSVColumns {
    private let separator: UInt8
    /// The builder of each field's column; nil for fields that are passed over.
    private var columns: [CSVFieldColumn]
    private let specs: [ColumnSpec]
    /// Where the next record starts.
    package private(set) var offset: Int
    /// Records read so far, the header included.
    package private(set) var records: Int
    private var unquoted: [UInt8] = []

    /// What is wrong with a record.
    package struct Problem: Error, Sendable {
        package let record: Int
        package let message: String
    }

    /// - Parameters:
    ///   - specs: the columns, in the order of the fields.
    ///   - offset: where the first record starts.
    package init(_ specs: [ColumnSpec], separator: UInt8 = 44, offset: Int = 0, records: Int = 0) {
        self.specs = specs
        self.separator = separator
        self.offset = offset
        self.records = records
        columns = specs.map { CSVFieldColumn($0.type) }
    }

    /// The next rows, at most `max` of them; nil at the end.
    package mutating func next(_ bytes: UnsafeBufferPointer<UInt8>, max: Int) throws(Problem) -> Batch? {
        var rows = 0
        columns = specs.map { CSVFieldColumn($0.type) }
        while rows < max, offset < bytes.count {
            if try record(bytes) { rows += 1 }
        }
        guard rows > 0 else { return nil }
        return Batch(schema: Schema(specs), columns: columns.map { $0.finish() }, count: rows)
    }

    /// Reads one record; false for an empty line.
    private mutating func record(_ bytes: UnsafeBufferPointer<UInt8>) throws(Problem) -> Bool {
        var at = offset
        if bytes[at] == 10 || bytes[at] == 13 {
            offset = at + 1
            return false
        }
        records += 1
        var field = 0
        while true {
            var end = at
            if at < bytes.count, bytes[at] == 34 {
                if let range = unquote(bytes, from: at, end: &end) {
                    try append(UnsafeBufferPointer(rebasing: bytes[range]), field)
                } else {
                    var text: [UInt8] = []
                    swap(&text, &unquoted)
                    defer { swap(&text, &unquoted) }
                    try text.withUnsafeBufferPointer { buffer throws(Problem) in try append(buffer, field) }
                }
            } else {
                while end < bytes.count, bytes[end] != separator, bytes[end] != 10, bytes[end] != 13 { end += 1 }
                try append(UnsafeBufferPointer(rebasing: bytes[at..<end]), field)
            }
            field += 1
            at = end
            guard at < bytes.count, bytes[at] == separator else { break }
            at += 1
        }
        while field < columns.count {
            columns[field].appendMissing()
            field += 1
        }
        if at < bytes.count { at += bytes[at] == 13 && at + 1 < bytes.count && bytes[at + 1] == 10 ? 2 : 1 }
        offset = at
        return true
    }

    private mutating func append(_ text: UnsafeBufferPointer<UInt8>, _ field: Int) throws(Problem) {
        guard field < columns.count else {
            throw Problem(
                record: records,
                message: "record \(records) has more than \(columns.count) fields, the header \(columns.count)")
        }
        columns[field].append(text)
    }

    /// Where the text of a quoted field is, or nil when it had to be put together in `unquoted`.
    ///
    /// `end` becomes the place behind the field. An unclosed quote ends at the end of the text.
    private mutating func unquote(_ bytes: UnsafeBufferPointer<UInt8>, from: Int, end: inout Int) -> Range<Int>? {
        var at = from + 1
        var start = at
        var hasPieces = false
        unquoted.removeAll(keepingCapacity: true)
        while at < bytes.count {
            if bytes[at] != 34 {
                at += 1
            } else if at + 1 < bytes.count, bytes[at + 1] == 34 {
                unquoted.append(contentsOf: bytes[start...at])
                hasPieces = true
                at += 2
                start = at
            } else {
                break
            }
        }
        let last = start..<at
        end = min(at + 1, bytes.count)
        // What stands between the closing quote and the separator belongs to the field, as other readers have it.
        let tail = end
        while end < bytes.count, bytes[end] != separator, bytes[end] != 10, bytes[end] != 13 { end += 1 }
        if !hasPieces, tail == end { return last }
        unquoted.append(contentsOf: bytes[last])
        unquoted.append(contentsOf: bytes[tail..<end])
        return nil
    }

    /// The fields of one record as texts, such as the header's; `end` is where the next record starts.
    package static func fields(_ bytes: UnsafeBufferPointer<UInt8>, from: Int, separator: UInt8, end: inout Int)
        -> [String]
    {
        var at = from
        var isQuoted = false
        while at < bytes.count, isQuoted || (bytes[at] != 10 && bytes[at] != 13) {
            if bytes[at] == 34 { isQuoted.toggle() }
            at += 1
        }
        end = at
        while end < bytes.count, bytes[end] == 10 || bytes[end] == 13 { end += 1 }
        return CSV.records(bytes[from..<at], separator: separator).first ?? []
    }
}

/// The column of one field while records are read.
private struct CSVFieldColumn {
    private let type: ScalarType
    private var builder: ColumnBuilder
    private var dictionary = DictionaryBuilder()
    private var codes: [UInt32] = []

    init(_ type: ScalarType) {
        self.type = type
        builder = ColumnBuilder(type)
    }

    mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
        switch type {
        case .string: codes.append(dictionary.code(text))
        case .int, .long:
            if let n = TextNumbers.int64(text), type == .long || Int32(exactly: n) != nil {
                builder.append(n)
            } else {
                appendSlowly(text)
            }
        case .real: if let d = TextNumbers.double(text) { builder.append(d) } else { appendSlowly(text) }
        case .datetime: if let t = TextNumbers.datetime(text) { builder.append(t) } else { appendSlowly(text) }
        default: appendSlowly(text)
        }
    }

    private mutating func appendSlowly(_ text: UnsafeBufferPointer<UInt8>) {
        if text.isEmpty { return builder.appendNull() }
        let value = Value.string(String(decoding: text, as: UTF8.self))
        builder.append(type == .dynamic ? Self.dynamic(value) : value.converted(to: type))
    }

    /// JSON where the text is JSON, else the text.
    private static func dynamic(_ value: Value) -> Value {
        guard case .string(let text) = value, let first = text.utf8.first, first == 123 || first == 91 else {
            return value
        }
        return (try? JSONReader.parse(text)) ?? value
    }

    mutating func appendMissing() {
        if type == .string { codes.append(dictionary.code("")) } else { builder.appendNull() }
    }

    func finish() -> Column {
        guard type == .string else { return builder.finish() }
        return Column(
            .string, .string(StringVector(bytes: dictionary.bytes, ends: dictionary.ends, codes: codes)),
            count: codes.count)
    }
}

/// Numbers and times as programs write them, read from bytes; nil for every other spelling.
package enum TextNumbers {
    package static func int64(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        var i = 0
        let isNegative = text.first == 45
        if isNegative { i = 1 }
        guard i < text.count, text.count - i <= 18 else { return nil }
        var n: Int64 = 0
        while i < text.count {
            let digit = text[i] &- 48
            guard digit < 10 else { return nil }
            n = n &* 10 &+ Int64(digit)
            i += 1
        }
        return isNegative ? -n : n
    }

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    /// Plain decimals of at most 15 digits, for which one division gives the nearest number.
    package static func double(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
        var i = 0
        let isNegative = text.first == 45
        if isNegative { i = 1 }
        guard i < text.count, text.count - i <= 16 else { return nil }
        var n: Int64 = 0
        var digits = 0
        var decimals: Int?
        while i < text.count {
            let b = text[i]
            if b == 46, decimals == nil {
                decimals = 0
            } else {
                let digit = b &- 48
                guard digit < 10 else { return nil }
                n = n &* 10 &+ Int64(digit)
                digits += 1
                if let d = decimals { decimals = d + 1 }
            }
            i += 1
        }
        guard digits > 0, digits <= 15 else { return nil }
        let value = Double(n) / powers[decimals ?? 0]
        return isNegative ? -value : value
    }

    /// `2026-01-02T03:04:05.1234567Z`, with a blank for the `T`, fewer decimals, no zone or the day alone.
    package static func datetime(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        func two(_ i: Int) -> Int? {
            let (a, b) = (text[i] &- 48, text[i + 1] &- 48)
            return a < 10 && b < 10 ? Int(a) * 10 + Int(b) : nil
        }
        guard text.count >= 10, text[4] == 45, text[7] == 45, let century = two(0), let years = two(2),
            let month = two(5), let day = two(8),
            case let year = century * 100 + years, year > 0, month >= 1, month <= 12, day >= 1,
            day <= DateTime.daysInMonth(year: year, month: month)
        else { return nil }
        let midnight = Int64(DateTime.days(year: year, month: month, day: day)) * DateTime.ticksPerDay
        if text.count == 10 { return midnight }
        guard text.count >= 19, text[10] == 84 || text[10] == 32, text[13] == 58, text[16] == 58, let hour = two(11),
            let minute = two(14),
            let second = two(17), hour < 24, minute < 60, second < 60
        else { return nil }
        var ticks = midnight + Int64((hour * 60 + minute) * 60 + second) * DateTime.ticksPerSecond
        var i = 19
        if i < text.count, text[i] == 46 {
            i += 1
            var unit: Int64 = 1_000_000
            while i < text.count, case let digit = text[i] &- 48, digit < 10 {
                ticks += Int64(digit) * unit
                unit /= 10
                i += 1
            }
        }
        if i < text.count, text[i] == 90 { i += 1 }
        return i == text.count ? ticks : nil
    }
}
