/// Finds the type that holds every cell of a column and loses nothing of any.
package struct ColumnTypeFinder: Sendable {
    private struct Seen: OptionSet {
        let rawValue: UInt16
        static let empty = Seen(rawValue: 1)
        static let text = Seen(rawValue: 2)
        static let time = Seen(rawValue: 4)
        static let bool = Seen(rawValue: 8)
        static let whole = Seen(rawValue: 16)
        /// Whole numbers that not every `real` can tell from their neighbours.
        static let wide = Seen(rawValue: 32)
        static let real = Seen(rawValue: 64)
        static let loose = Seen(rawValue: 128)
        static let long = Seen(rawValue: 256)
        static let comma = Seen(rawValue: 512)
        static let nested = Seen(rawValue: 1_024)
        /// `8/1/2026, 10:15:00 PM`, as the portals write times.
        static let portal = Seen(rawValue: 2_048)
    }

    private var seen: Seen = []

    package init() {}

    /// Whether no further cell changes the type.
    package var isSettled: Bool { seen.contains(.nested) }

    /// - Parameter isTyped: whether the file tells texts from numbers, as JSON does.
    package mutating func see(_ cell: FileCell, _ bytes: UnsafeBufferPointer<UInt8>, isTyped: Bool) {
        let text = UnsafeBufferPointer(rebasing: bytes[cell.range])
        switch cell.kind {
        case .missing: return
        case .isTrue, .isFalse: seen.insert(.bool)
        case .nested: seen.insert(.nested)
        case .doubledQuotes, .escapes: seen.insert(.text)
        case .number: see(NumberShape(text, isNumber: true))
        case .text:
            if seen.contains(.text) { return }
            if text.isEmpty {
                if isTyped { seen.insert(.empty) }
            } else if TimeShape.isISO(text) {
                seen.insert(.time)
            } else if isTyped {
                seen.insert(TimeShape.isPortal(text) ? .portal : .text)
            } else if Self.isBool(text) {
                seen.insert(.bool)
            } else {
                see(NumberShape(text))
                if seen.contains(.text), TimeShape.isPortal(text) { seen.remove(.text); seen.insert(.portal) }
            }
        }
    }

    private mutating func see(_ shape: NumberShape) {
        switch shape {
        case .whole(let n): seen.insert(n.magnitude > 1 << 53 ? [.whole, .wide] : .whole)
        case .real: seen.insert(.real)
        case .loose: seen.insert(.loose)
        case .long: seen.insert(.long)
        case .comma: seen.insert(.comma)
        case .none: seen.insert(.text)
        }
    }

    private static func isBool(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count == 4 || text.count == 5 else { return false }
        let lower = text.map { $0 | 32 }
        return lower.elementsEqual("true".utf8) || lower.elementsEqual("false".utf8)
    }

    /// The narrowest type that loses nothing.
    ///
    /// - Parameters:
    ///   - name: the column's name: what names a thing is no number, even if it looks like one.
    ///   - isUTC: whether the header says that times are UTC, as those of the portals do.
    package func type(name: String, isUTC: Bool = false) -> ScalarType {
        if seen.contains(.nested) { return .dynamic }
        if seen.subtracting([.time, .empty]).isEmpty, seen.contains(.time) { return .datetime }
        if isUTC, seen.contains(.portal), seen.subtracting([.time, .empty, .portal]).isEmpty { return .datetime }
        switch seen {
        case [.bool]: return .bool
        case [.whole], [.whole, .wide]: return .long
        case [.real]: return .real
        case [.loose], [.real, .loose], [.whole, .real], [.whole, .loose], [.whole, .real, .loose]:
            return IdentifierName.isOne(name) ? .string : .real
        default: return .string
        }
    }

    /// Whether the column holds numbers with a decimal comma, which stay texts.
    package var hasDecimalCommas: Bool {
        seen.contains(.comma) && seen.subtracting([.comma, .whole]).isEmpty
    }
}

/// What a text that looks like a time is.
enum TimeShape {
    /// `2026-08-01`, or with a time of at most seven decimals and a zone: an instant that `datetime` holds as a whole.
    static func isISO(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard text.count >= 10, text.count <= 40, text[4] == 45, text[7] == 45, isDigit(text[0]) else { return false }
        if text.count > 10 {
            guard text[10] | 32 == 116 || text[10] == 32, text.count >= 16, text[13] == 58 else { return false }
            if text.count > 20, text[19] == 46 || text[19] == 44 {
                var i = 20
                while i < text.count, isDigit(text[i]) {
                    if i >= 27, text[i] != 48 { return false }
                    i += 1
                }
            }
        }
        return DateTime.parse(bytes: text) != nil
    }

    /// `8/1/2026, 10:15:00.000 PM`: months first, as the half of the day at the end tells.
    static func isPortal(_ text: UnsafeBufferPointer<UInt8>) -> Bool { portal(text) != nil }

    /// The ticks of such a time.
    static func portal(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
        guard text.count >= 16, text.count <= 40, let last = text.last, last | 32 == 109, isDigit(text[0]) else {
            return nil
        }
        let plain = text.filter { $0 != 44 }
        return plain.withUnsafeBufferPointer { DateTime.parse(bytes: $0) }
    }

    /// `1/2/2026`: nobody can tell which is the month.
    static func isUnclear(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var i = 0
        while i < text.count, i < 3, isDigit(text[i]) { i += 1 }
        return i >= 1 && i <= 2 && i < text.count && (text[i] == 47 || text[i] == 45 || text[i] == 46)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
}

/// Names of columns whose numbers are names of things: nothing may change in how they are written.
enum IdentifierName {
    private static let lastWords: Set<String> = [
        "id", "ids", "tag", "tags", "serial", "number", "no", "nr", "num", "code", "key", "guid", "uuid", "sid", "imei",
        "mac", "phone", "tel", "telephone", "mobile", "fax", "zip", "plz", "postcode", "version", "ver", "build",
        "release",
        "revision", "rev", "account", "card", "iban", "pin", "hash", "kb", "asset", "barcode", "sku", "ean", "part",
        "lot",
        "batch", "reference", "ref", "ticket", "firmware", "model", "address", "ip",
    ]
    private static let endings = [
        "tag", "serial", "number", "version", "code", "phone", "guid", "deviceid", "assetid", "userid", "sensorid",
        "machineid", "hostid", "siteid", "objectid", "tenantid", "groupid", "recordid", "reportid", "rowid",
    ]

    static func isOne(_ name: String) -> Bool {
        var words: [String] = [""]
        var last: Character?
        for c in name {
            if !c.isLetter {
                words.append("")
            } else {
                if c.isUppercase, last?.isLowercase == true { words.append("") }
                words[words.count - 1].append(c)
            }
            last = c
        }
        guard let word = words.last(where: { !$0.isEmpty })?.lowercased() else { return false }
        return lastWords.contains(word) || endings.contains { word.hasSuffix($0) }
    }
}
