import Tables

/// Writes ZIP archives for tests, by the book (PKWARE APPNOTE 6.3.10).
package enum ZipWriter {
    /// - Parameters:
    ///   - isLarge: whether sizes, places and the number of files stand in the records for archives above four gigabytes.
    ///   - isEncrypted: whether the files are marked as encrypted, which they are not.
    package static func archive(
        _ files: [(name: String, text: String)], isLarge: Bool = false, isEncrypted: Bool = false, comment: String = ""
    ) -> [UInt8] {
        archive(
            files.map { ($0.name, Array($0.text.utf8)) }, isLarge: isLarge, isEncrypted: isEncrypted, comment: comment)
    }

    package static func archive(
        _ files: [(name: String, bytes: [UInt8])], isLarge: Bool = false, isEncrypted: Bool = false,
        comment: String = ""
    ) -> [UInt8] {
        var out: [UInt8] = []
        var list: [UInt8] = []
        func number(_ n: Int, _ length: Int) -> [UInt8] {
            (0..<length).map { UInt8(truncatingIfNeeded: n >> ($0 * 8)) }
        }
        let over = 0xFFFF_FFFF
        for (name, bytes) in files {
            guard let packed = Deflate.compress(bytes, .raw) else { preconditionFailure("no memory to pack a file") }
            let isStored = packed.count >= bytes.count
            let body = isStored ? bytes : packed
            let at = out.count
            let extra =
                isLarge
                ? number(1, 2) + number(24, 2) + number(bytes.count, 8) + number(body.count, 8) + number(at, 8) : []
            let common =
                number(isEncrypted ? 1 : 0, 2) + number(isStored ? 0 : 8, 2) + number(0, 4) + number(checksum(bytes), 4)
                + number(isLarge ? over : body.count, 4) + number(isLarge ? over : bytes.count, 4)
                + number(name.utf8.count, 2)
            out += number(0x0403_4B50, 4) + number(20, 2) + common + number(0, 2) + Array(name.utf8) + body
            list += number(0x0201_4B50, 4) + number(20, 2) + number(20, 2) + common + number(extra.count, 2)
            list += number(0, 2) + number(0, 2) + number(0, 2) + number(0, 4) + number(isLarge ? over : at, 4)
            list += Array(name.utf8) + extra
        }
        let start = out.count
        out += list
        if isLarge {
            let record = out.count
            out += number(0x0606_4B50, 4) + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 4) + number(0, 4)
            out += number(files.count, 8) + number(files.count, 8) + number(list.count, 8) + number(start, 8)
            out += number(0x0706_4B50, 4) + number(0, 4) + number(record, 8) + number(1, 4)
        }
        let count = isLarge ? 0xFFFF : files.count
        out += number(0x0605_4B50, 4) + number(0, 2) + number(0, 2) + number(count, 2) + number(count, 2)
        out += number(list.count, 4) + number(isLarge ? over : start, 4) + number(comment.utf8.count, 2)
        return out + Array(comment.utf8)
    }

    /// CRC-32 (ISO 3309), bit by bit.
    private static func checksum(_ bytes: [UInt8]) -> Int {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        return Int(~crc)
    }
}
