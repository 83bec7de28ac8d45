/// How a file's characters are written.
package enum TextEncoding: String, Sendable, CaseIterable {
    case utf8 = "utf-8"
    case utf16LE = "utf-16le"
    case utf16BE = "utf-16be"
    case utf32LE = "utf-32le"
    case utf32BE = "utf-32be"
    /// Western European Windows, which is taken only where it is named: every byte is some character of it.
    case windows1252 = "windows-1252"

    /// As people write it.
    package var name: String {
        switch self {
        case .utf8: "UTF-8"
        case .utf16LE: "UTF-16LE"
        case .utf16BE: "UTF-16BE"
        case .utf32LE: "UTF-32LE"
        case .utf32BE: "UTF-32BE"
        case .windows1252: "Windows-1252"
        }
    }

    /// Reads a name as it is written elsewhere too: `UTF8`, `cp1252`, `latin1`, `utf16`.
    package init?(named text: String) {
        let plain = text.lowercased().filter { $0.isLetter || $0.isNumber }
        switch plain {
        case "utf8", "utf8sig", "utf8bom": self = .utf8
        case "utf16le", "utf16", "unicode", "ucs2", "ucs2le": self = .utf16LE
        case "utf16be", "bigendianunicode", "ucs2be": self = .utf16BE
        case "utf32le", "utf32", "ucs4": self = .utf32LE
        case "utf32be": self = .utf32BE
        case "windows1252", "cp1252", "1252", "ansi", "latin1", "iso88591": self = .windows1252
        default: return nil
        }
    }

    /// The encoding that a text's first bytes tell, and how many of them are its mark.
    ///
    /// Without a mark, wide characters show as NULs in every second byte, or in three of four.
    package static func detect(_ bytes: UnsafeBufferPointer<UInt8>) -> (encoding: TextEncoding, mark: Int) {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return (.utf8, 3) }
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) { return (.utf32LE, 4) }
        if bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return (.utf32BE, 4) }
        if bytes.starts(with: [0xFF, 0xFE]) { return (.utf16LE, 2) }
        if bytes.starts(with: [0xFE, 0xFF]) { return (.utf16BE, 2) }
        let sample = min(bytes.count, 4_096) & ~3
        var zeros = [0, 0, 0, 0]
        for i in 0..<sample where bytes[i] == 0 { zeros[i & 3] += 1 }
        let quarter = sample / 4
        // A block of NULs is no text of any encoding.
        guard quarter > 0, zeros.min() ?? 0 < quarter / 4 + 1, zeros.contains(where: { $0 > quarter / 3 }) else {
            return (.utf8, 0)
        }
        let many = zeros.map { $0 > quarter / 3 }
        switch many {
        case [false, true, true, true]: return (.utf32LE, 0)
        case [true, true, true, false]: return (.utf32BE, 0)
        case [false, true, false, true]: return (.utf16LE, 0)
        case [true, false, true, false]: return (.utf16BE, 0)
        default: return (.utf8, 0)
        }
    }

    /// Bytes of one unit.
    package var unit: Int {
        switch self {
        case .utf8, .windows1252: 1
        case .utf16LE, .utf16BE: 2
        case .utf32LE, .utf32BE: 4
        }
    }

    /// What Windows-1252 has from 0x80 to 0x9F; 0 where it has nothing
    /// (https://encoding.spec.whatwg.org/index-windows-1252.txt).
    private static let windows: [UInt32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]

    /// Writes a part of a text as UTF-8.
    ///
    /// - Returns: the first byte that was not read: the end, or where a character begins that goes on behind it.
    package func transcode(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, isEnd: Bool, into out: inout [UInt8]
    ) throws(FileProblem) -> Int {
        var i = start
        func fail(_ what: String) -> FileProblem { FileProblem("\(what) at byte \(i), read as \(name)") }
        func put(_ code: UInt32) throws(FileProblem) {
            guard code != 0, let scalar = UnicodeScalar(code) else {
                throw fail(code == 0 ? "a NUL" : "no character")
            }
            out.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
        }
        while i + unit <= bytes.count {
            switch self {
            case .utf8:
                out.append(contentsOf: bytes[i...])
                return bytes.count
            case .windows1252:
                let byte = bytes[i]
                try put((0x80..<0xA0).contains(byte) ? Self.windows[Int(byte) - 0x80] : UInt32(byte))
                i += 1
            case .utf32LE, .utf32BE:
                let four = (0..<4).map { UInt32(bytes[i + $0]) }
                let code = (self == .utf32LE ? four.reversed() : four).reduce(0) { $0 << 8 | $1 }
                try put(code)
                i += 4
            case .utf16LE, .utf16BE:
                func word(_ at: Int) -> UInt32 {
                    let (a, b) = (UInt32(bytes[at]), UInt32(bytes[at + 1]))
                    return self == .utf16LE ? b << 8 | a : a << 8 | b
                }
                let high = word(i)
                guard (0xD800..<0xE000).contains(high) else {
                    if high < 128, high > 0 { out.append(UInt8(high)) } else { try put(high) }
                    i += 2
                    continue
                }
                guard i + 4 <= bytes.count else {
                    if isEnd { throw fail("half a character") }
                    return i
                }
                let low = word(i + 2)
                guard high < 0xDC00, (0xDC00..<0xE000).contains(low) else { throw fail("half a character") }
                try put(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
                i += 4
            }
        }
        if isEnd, i < bytes.count { throw fail("half a character") }
        return i
    }
}
