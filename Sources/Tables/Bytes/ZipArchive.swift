import CZlib

/// The files of a ZIP archive, as its central directory lists them (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3).
///
/// Stored and deflated files are read, also of archives with more than 65,535 of them; encrypted ones are not.
package struct ZipArchive: Sendable {
    /// A file of the archive.
    package struct Entry: Sendable {
        /// Its path, with slashes.
        package let name: String
        /// Bytes when unpacked.
        package let size: Int
        fileprivate let packedSize: Int
        fileprivate let offset: Int
        fileprivate let method: Int
        fileprivate let checksum: UInt32
        fileprivate let isEncrypted: Bool
    }

    /// Why an archive, or a file of it, cannot be read.
    package struct Problem: Error, Sendable {
        package let message: String
    }

    /// The files, folders left out.
    package let entries: [Entry]
    private let bytes: [UInt8]

    private static let endLength = 22
    private static let commentMax = 65_535
    private static let entryLength = 46
    private static let localLength = 30

    /// Whether bytes begin like an archive.
    package static func matches(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06])
    }

    package init(_ bytes: [UInt8]) throws(Problem) {
        self.bytes = bytes
        let reader = LittleEndian(bytes)
        guard let end = Self.end(reader) else {
            throw Problem(message: "it ends in the middle: the list of its files is missing")
        }
        var count = reader.number(end + 10, 2)
        var at = reader.number(end + 16, 4)
        // Where there is more than these fields can say, another record says it (4.3.14).
        if count == 0xFFFF || at == 0xFFFF_FFFF, end >= 20, reader.number(end - 20, 4) == 0x0706_4B50 {
            let large = reader.number(end - 12, 8)
            guard reader.has(large, 56), reader.number(large, 4) == 0x0606_4B50 else {
                throw Problem(message: "its list of files is damaged")
            }
            (count, at) = (reader.number(large + 32, 8), reader.number(large + 48, 8))
        }
        var entries: [Entry] = []
        for _ in 0..<count {
            guard reader.has(at, Self.entryLength), reader.number(at, 4) == 0x0201_4B50 else {
                throw Problem(message: "its list of files is damaged")
            }
            let lengths = (reader.number(at + 28, 2), reader.number(at + 30, 2), reader.number(at + 32, 2))
            let next = at + Self.entryLength + lengths.0 + lengths.1 + lengths.2
            guard next <= bytes.count else { throw Problem(message: "its list of files is damaged") }
            let nameStart = at + Self.entryLength
            let name = String(decoding: bytes[nameStart..<nameStart + lengths.0], as: UTF8.self)
            var sizes = [reader.number(at + 24, 4), reader.number(at + 20, 4), reader.number(at + 42, 4)]
            reader.widen(&sizes, extra: nameStart + lengths.0..<nameStart + lengths.0 + lengths.1)
            if !name.hasSuffix("/") {
                entries.append(
                    Entry(
                        name: name, size: sizes[0], packedSize: sizes[1], offset: sizes[2],
                        method: reader.number(at + 10, 2), checksum: UInt32(reader.number(at + 16, 4)),
                        isEncrypted: reader.number(at + 8, 2) & 1 == 1))
            }
            at = next
        }
        self.entries = entries
    }

    /// A file's bytes, whose checksum is compared.
    ///
    /// - Parameter sizeMax: bytes that it may have at most.
    package func contents(of entry: Entry, sizeMax: Int) throws(Problem) -> [UInt8] {
        let reader = LittleEndian(bytes)
        guard !entry.isEncrypted else { throw Problem(message: "\(entry.name) is encrypted") }
        guard entry.size <= sizeMax else { throw Problem(message: "\(entry.name) holds more than \(sizeMax >> 20) MB") }
        guard reader.has(entry.offset, Self.localLength), reader.number(entry.offset, 4) == 0x0403_4B50 else {
            throw Problem(message: "\(entry.name) is not where the list of files says")
        }
        let start =
            entry.offset + Self.localLength + reader.number(entry.offset + 26, 2) + reader.number(entry.offset + 28, 2)
        guard reader.has(start, entry.packedSize) else { throw Problem(message: "\(entry.name) ends in the middle") }
        let packed = Array(bytes[start..<start + entry.packedSize])
        let whole: [UInt8]?
        switch entry.method {
        case 0: whole = packed
        case 8: whole = Deflate.decompress(packed, .raw, sizeMax: entry.size)
        case let method: throw Problem(message: "\(entry.name) is packed by method \(method), which is not known here")
        }
        guard let whole, whole.count == entry.size, Self.checksum(whole) == entry.checksum else {
            throw Problem(message: "\(entry.name) is damaged")
        }
        return whole
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        UInt32(truncatingIfNeeded: bytes.withUnsafeBufferPointer { crc32(0, $0.baseAddress, uInt($0.count)) })
    }

    /// Where the record at the archive's end begins, behind which there may be a comment only.
    private static func end(_ reader: LittleEndian) -> Int? {
        var at = reader.count - endLength
        let first = max(0, at - commentMax)
        while at >= first {
            if reader.number(at, 4) == 0x0605_4B50 { return at }
            at -= 1
        }
        return nil
    }
}

/// Numbers of a ZIP archive.
private struct LittleEndian {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var count: Int { bytes.count }

    func has(_ at: Int, _ length: Int) -> Bool { at >= 0 && length >= 0 && at <= bytes.count - length }

    /// A number of some bytes; what stands behind the end, or does not fit, is 0.
    func number(_ at: Int, _ length: Int) -> Int {
        guard has(at, length) else { return 0 }
        var n: UInt64 = 0
        for i in (0..<length).reversed() { n = n << 8 | UInt64(bytes[at + i]) }
        return Int(exactly: n) ?? 0
    }

    /// Takes the numbers that did not fit into four bytes from the extra field that has them (4.5.3).
    func widen(_ numbers: inout [Int], extra: Range<Int>) {
        var at = extra.lowerBound
        while at + 4 <= extra.upperBound {
            let (kind, length) = (number(at, 2), number(at + 2, 2))
            at += 4
            if kind == 1 {
                var place = at
                for i in numbers.indices where numbers[i] == 0xFFFF_FFFF {
                    numbers[i] = number(place, 8)
                    place += 8
                }
            }
            at += length
        }
    }
}
