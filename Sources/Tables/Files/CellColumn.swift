/// A column that is filled with the cells of a file, each read as the column's type.
package struct CellColumn {
    /// How cells are read.
    package struct Reading: Sendable {
        /// Whether a text in a `dynamic` column may be JSON; a file that tells texts from JSON says no.
        package var readsTexts = true
        /// Whether a text in a `dynamic` column of CSV is JSON always.
        package var textIsJSON = false
        /// Whether `1,5` is a number.
        package var decimalComma = false
        /// Whether a number must be written as numbers are: `007` is none where nobody said that the column is one.
        package var keepsSpelling = false
        /// Whether `{}` stands for nothing, as Graph writes it.
        package var emptyObjectIsNull = false

        package init() {}
    }

    package let type: ScalarType
    private var builder: ColumnBuilder
    private var texts = DictionaryBuilder()
    private var codes: [UInt32] = []

    package init(_ type: ScalarType) {
        self.type = type
        builder = ColumnBuilder(type)
    }

    package var count: Int { type == .string ? codes.count : builder.count }

    /// Fills up with nothing until there are so many cells.
    package mutating func pad(to count: Int) {
        while self.count < count { appendMissing() }
    }

    package func finish() -> Column {
        guard type == .string else { return builder.finish() }
        return Column(
            .string, .string(StringVector(bytes: texts.bytes, ends: texts.ends, codes: codes)), count: codes.count)
    }

    private mutating func appendMissing() {
        if type == .string { codes.append(texts.code("")) } else { builder.appendNull() }
    }

    /// Appends a cell; false when it is not of the type, and nothing stands there.
    package mutating func append(
        _ cell: FileCell, _ bytes: UnsafeBufferPointer<UInt8>, _ reading: Reading
    ) throws(JSONError) -> Bool {
        if cell.kind == .missing {
            appendMissing()
            return true
        }
        switch type {
        case .string: return try appendText(cell, bytes, reading)
        case .dynamic:
            if reading.textIsJSON, cell.kind == .text || cell.kind == .doubledQuotes {
                builder.append(try Self.parsed(cell, bytes))
            } else {
                builder.append(try cell.value(bytes, readsTexts: reading.readsTexts))
            }
            return true
        default: break
        }
        if cell.kind == .nested {
            let isEmpty = reading.emptyObjectIsNull && Self.isEmptyObject(bytes, cell.range)
            builder.appendNull()
            return isEmpty
        }
        let plain = UnsafeBufferPointer(rebasing: bytes[cell.range])
        let isName = reading.keepsSpelling && cell.kind != .number && Self.isSpelledOddly(plain, type)
        if cell.kind == .text || cell.kind == .number, !isName, appendPlain(plain) { return true }
        let text = try cell.text(bytes)
        if text.isEmpty {
            builder.appendNull()
            return true
        }
        let value = isName ? .null : Self.scalar(text, cell.kind, type, reading)
        builder.append(value)
        return !value.isNull
    }

    /// Whether a text would be written in another way as the number that it could be read as.
    private static func isSpelledOddly(_ text: UnsafeBufferPointer<UInt8>, _ type: ScalarType) -> Bool {
        guard let first = text.first, type == .int || type == .long || type == .real else { return false }
        // Most begin with another digit, and are told at once.
        if first >= 49, first <= 57, text.allSatisfy({ $0 >= 48 && $0 <= 57 || $0 == 46 }) { return false }
        switch NumberShape(text) {
        case .whole, .real, .loose, .comma: return false
        case .long, .none: return true
        }
    }

    /// The usual spellings, without an object for the cell.
    private mutating func appendPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        switch type {
        case .int, .long:
            guard let n = TextNumbers.int64(text), type == .long || Int32(exactly: n) != nil else { return false }
            builder.append(n)
        case .real:
            guard let d = TextNumbers.double(text) else { return false }
            builder.append(d)
        case .datetime:
            guard let t = TextNumbers.datetime(text) else { return false }
            builder.append(t)
        default: return false
        }
        return true
    }

    private mutating func appendText(
        _ cell: FileCell, _ bytes: UnsafeBufferPointer<UInt8>, _ reading: Reading
    ) throws(JSONError) -> Bool {
        switch cell.kind {
        case .text, .number, .isTrue, .isFalse:
            codes.append(texts.code(UnsafeBufferPointer(rebasing: bytes[cell.range])))
        case .doubledQuotes: codes.append(cell.undoubled(bytes).withUnsafeBufferPointer { texts.code($0) })
        case .escapes: codes.append(texts.code(try cell.text(bytes)))
        case .nested:
            if reading.emptyObjectIsNull, Self.isEmptyObject(bytes, cell.range) {
                codes.append(texts.code(""))
            } else {
                codes.append(texts.code(try cell.value(bytes, readsTexts: false).text))
            }
        case .missing: appendMissing()
        }
        return true
    }

    private static func parsed(_ cell: FileCell, _ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) -> Value {
        let text = try cell.text(bytes)
        do throws(JSONError) { return try JSONReader.parse(text, keepsDigits: true) } catch {
            throw JSONError(offset: cell.start, reason: error.reason)
        }
    }

    private static func isEmptyObject(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Bool {
        bytes[range].first == 123 && bytes[range].dropFirst().first { $0 > 32 } == 125
    }

    /// A text or a word of JSON as a type; null when it is none.
    private static func scalar(_ text: String, _ kind: FileCell.Kind, _ type: ScalarType, _ reading: Reading) -> Value {
        let isNumber = kind == .number
        switch type {
        case .bool:
            if kind == .isTrue || kind == .isFalse { return .bool(kind == .isTrue) }
            switch text.trimmed.lowercased() {
            case "true", "1": return .bool(true)
            case "false", "0": return .bool(false)
            default: return .null
            }
        case .int, .long:
            if kind == .isTrue || kind == .isFalse { return .null }
            let whole = Value.string(text).converted(to: type)
            if !whole.isNull { return whole }
            // 5.0 is the whole number 5; 5.5 is none, and 1e30 is too long.
            guard let number = Decimal(text.trimmed), number.exponent >= 0, let n = number.int64Value,
                type == .long || Int32(exactly: n) != nil
            else { return .null }
            return .long(n)
        case .real:
            if kind == .isTrue || kind == .isFalse { return .null }
            let comma = reading.decimalComma && !isNumber && text.contains(",") && !text.contains(".")
            return Value.string(comma ? text.replacing(",", with: ".") : text).converted(to: .real)
        case .decimal:
            let comma = reading.decimalComma && !isNumber && text.contains(",") && !text.contains(".")
            return Value.string(comma ? text.replacing(",", with: ".") : text).converted(to: .decimal)
        case .datetime:
            if isNumber { return .null }
            var text = text.trimmed
            return text.withUTF8 { bytes -> Value in
                if let portal = TimeShape.portal(bytes) { return .datetime(portal) }
                if TimeShape.isUnclear(bytes) { return .null }
                return DateTime.parse(bytes: bytes).map { .datetime($0) } ?? .null
            }
        case .timespan: return isNumber ? .null : Value.string(text).converted(to: .timespan)
        case .guid: return Value.string(text).converted(to: .guid)
        case .string, .dynamic: preconditionFailure("texts and dynamic values are read before")
        }
    }
}
