extension DateTime {
    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// Reads the formats Kusto's `datetime()` and `todatetime()` read: ISO 8601 with or without a
    /// zone and with a `T` or a space, `M/d/yyyy`, `M-d-yyyy`, RFC 822 and 850 dates. Returns nil for others.
    package static func parse(_ text: some StringProtocol) -> Int64? {
        var copy = String(text)
        return copy.withUTF8 { parse(bytes: $0) }
    }

    /// As `parse(_:)`, over UTF-8.
    package static func parse(bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        var cursor = Cursor(bytes: bytes)
        cursor.skipSpaces()
        if let iso = cursor.iso() { return iso }
        var words = Cursor(bytes: bytes)
        return words.named()
            ?? {
                var slashes = Cursor(bytes: bytes)
                return slashes.slashed()
            }()
    }

    private struct Cursor {
        let bytes: UnsafeBufferPointer<UInt8>
        var at = 0

        var peek: UInt8 { at < bytes.count ? bytes[at] : 0 }

        mutating func skipSpaces() { while at < bytes.count, bytes[at] == 32 { at += 1 } }

        mutating func take(_ byte: UInt8) -> Bool {
            guard peek == byte, at < bytes.count else { return false }
            at += 1
            return true
        }

        mutating func number(_ widths: ClosedRange<Int>) -> Int? {
            var value = 0
            var count = 0
            while at < bytes.count, count < widths.upperBound, (48...57).contains(bytes[at]) {
                value = value * 10 + Int(bytes[at] - 48)
                at += 1
                count += 1
            }
            return count >= widths.lowerBound ? value : nil
        }

        mutating func fraction() -> Int64 {
            var value: Int64 = 0
            var count = 0
            while at < bytes.count, (48...57).contains(bytes[at]) {
                if count < 7 { value = value * 10 + Int64(bytes[at] - 48) }
                count += 1
                at += 1
            }
            while count < 7 {
                value *= 10
                count += 1
            }
            return value
        }

        /// Hours, minutes, seconds, AM/PM and the zone; returns ticks to add.
        mutating func clock() -> Int64? {
            guard var hour = number(1...2) else { return nil }
            var minute = 0
            var second = 0
            var part: Int64 = 0
            if take(58) {
                guard let m = number(1...2) else { return nil }
                minute = m
                if take(58) {
                    guard let s = number(1...2) else { return nil }
                    second = s
                    if take(46) || take(44) { part = fraction() }
                }
            }
            skipSpaces()
            if at + 1 < bytes.count, bytes[at + 1] | 32 == 109, bytes[at] | 32 == 97 || bytes[at] | 32 == 112 {
                guard (1...12).contains(hour) else { return nil }
                hour = hour % 12 + (bytes[at] | 32 == 112 ? 12 : 0)
                at += 2
            }
            guard hour < 24, minute < 60, second < 60 else { return nil }
            guard let offset = zone() else { return nil }
            return Int64(hour * 3600 + minute * 60 + second) * DateTime.ticksPerSecond + part - offset
        }

        /// The zone's offset in ticks; zero when there is none; nil when something else follows.
        mutating func zone() -> Int64? {
            skipSpaces()
            guard at < bytes.count else { return 0 }
            if peek | 32 == 122 {
                at += 1
                skipSpaces()
                return at == bytes.count ? 0 : nil
            }
            let rest = String(decoding: bytes[at...], as: UTF8.self)
            if rest == "GMT" || rest == "UTC" { return 0 }
            guard peek == 43 || peek == 45 else { return nil }
            let negative = peek == 45
            at += 1
            guard let hours = number(1...2) else { return nil }
            _ = take(58)
            let minutes = number(2...2) ?? 0
            skipSpaces()
            guard at == bytes.count else { return nil }
            return Int64(hours * 60 + minutes) * 600_000_000 * (negative ? -1 : 1)
        }

        mutating func finish(_ year: Int, _ month: Int, _ day: Int, _ clockTicks: Int64) -> Int64? {
            guard let date = DateTime.ticks(year, month, day) else { return nil }
            let ticks = date + clockTicks
            return ticks >= 0 && ticks <= DateTime.maximum ? ticks : nil
        }

        mutating func iso() -> Int64? {
            guard let year = number(4...4) else { return nil }
            if at == bytes.count { return DateTime.ticks(year, 1, 1) }
            // Dashes, slashes or dots between the parts, or nothing.
            let separator: UInt8? = [45, 47, 46].contains(peek) ? peek : nil
            if let separator { _ = take(separator) }
            let width = separator == nil ? 2...2 : 1...2
            guard let month = number(width) else { return nil }
            if at == bytes.count {
                return separator == nil || separator == 46 ? nil : DateTime.ticks(year, month, 1)
            }
            if let separator { guard take(separator) else { return nil } }
            guard let day = number(width) else { return nil }
            if at == bytes.count { return DateTime.ticks(year, month, day) }
            if peek | 32 == 122 || peek == 43 {
                guard let offset = zone() else { return nil }
                return finish(year, month, day, -offset)
            }
            guard take(84) || take(116) || take(32) else { return nil }
            skipSpaces()
            if at == bytes.count { return DateTime.ticks(year, month, day) }
            guard let time = clock() else { return nil }
            return finish(year, month, day, time)
        }

        mutating func slashed() -> Int64? {
            skipSpaces()
            guard let month = number(1...2) else { return nil }
            let separator = peek
            guard separator == 47 || separator == 45, take(separator), let day = number(1...2), take(separator),
                let year = number(4...4)
            else { return nil }
            skipSpaces()
            if at == bytes.count { return DateTime.ticks(year, month, day) }
            guard let time = clock() else { return nil }
            return finish(year, month, day, time)
        }

        mutating func word() -> String {
            let start = at
            while at < bytes.count, (65...90).contains(bytes[at] & 0xDF) { at += 1 }
            return String(decoding: bytes[start..<at], as: UTF8.self).lowercased()
        }

        /// `Sat, 8 Nov 14 15:05:02 GMT`, `Saturday, 08-Nov-14 …`, `8 Nov 2014`, `Nov 8, 2014`.
        mutating func named() -> Int64? {
            skipSpaces()
            var day: Int?
            var first = word()
            if !first.isEmpty {
                if !DateTime.monthNames.contains(String(first.prefix(3))) {
                    _ = take(44)
                    skipSpaces()
                    first = word()
                }
            }
            if first.isEmpty {
                day = number(1...2)
                guard day != nil else { return nil }
                _ = take(45)
                skipSpaces()
                first = word()
            }
            guard let index = DateTime.monthNames.firstIndex(of: String(first.prefix(3))) else { return nil }
            _ = take(45)
            skipSpaces()
            if day == nil {
                day = number(1...2)
                _ = take(44)
                skipSpaces()
            }
            guard let dayNumber = day else { return nil }
            let start = at
            guard var year = number(2...4) else { return nil }
            if at - start == 2 { year += year < 50 ? 2000 : 1900 }
            skipSpaces()
            if at == bytes.count { return DateTime.ticks(year, index + 1, dayNumber) }
            guard let time = clock() else { return nil }
            return finish(year, index + 1, dayNumber, time)
        }
    }
}
