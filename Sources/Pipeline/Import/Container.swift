/// What a file's first bytes say that it is, when it is no text.
enum Container {
    case gzip
    /// A format that import does not read, and what can be done about it.
    case other(name: String, next: String)

    private static let unpack = "unpack it first, then import what is in it"
    private static let export = "export it as CSV or JSON first"

    /// Marks at the beginning of files; most are in "List of file signatures"
    /// (https://en.wikipedia.org/wiki/List_of_file_signatures).
    private static let marks: [(mark: [UInt8], name: String, next: String)] = [
        ([0x50, 0x4B, 0x03, 0x04], "a zip archive", unpack),
        ([0x50, 0x4B, 0x05, 0x06], "an empty zip archive", unpack),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive", unpack),
        (Array("Rar!".utf8), "a rar archive", unpack),
        (Array("BZh".utf8), "packed with bzip2", unpack),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "packed with xz", unpack),
        ([0x28, 0xB5, 0x2F, 0xFD], "packed with Zstandard", unpack),
        ([0x04, 0x22, 0x4D, 0x18], "packed with LZ4", unpack),
        ([0x1F, 0x9D], "packed with compress", unpack),
        (Array("MSCF".utf8), "a cabinet archive", unpack),
        (Array("SQLite format 3".utf8) + [0], "an SQLite database", export),
        (Array("PAR1".utf8), "a Parquet file", export),
        (Array("Obj".utf8) + [1], "an Avro file", export),
        (Array("ORC".utf8), "an ORC file", export),
        (Array("ARROW1".utf8), "an Arrow file", export),
        (Array("ElfFile".utf8) + [0], "a Windows event log (evtx)", export),
        ([0xD4, 0xC3, 0xB2, 0xA1], "a packet capture (pcap)", export),
        ([0xA1, 0xB2, 0xC3, 0xD4], "a packet capture (pcap)", export),
        ([0x4D, 0x3C, 0xB2, 0xA1], "a packet capture (pcap)", export),
        ([0x0A, 0x0D, 0x0D, 0x0A], "a packet capture (pcapng)", export),
        (Array("regf".utf8), "a registry hive", export),
        (Array("EVF".utf8) + [9], "a disk image (EWF)", export),
        ([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], "an old Office file (xls, doc or msi)", export),
        (Array("%PDF".utf8), "a PDF document", export),
        (Array("{\\rtf".utf8), "an RTF document", export),
        (Array("bplist".utf8), "a binary property list", export),
        ([0x4D, 0x5A], "a Windows program", export),
        ([0x7F, 0x45, 0x4C, 0x46], "a Linux program", export),
        ([0x89, 0x50, 0x4E, 0x47], "a PNG picture", export),
        ([0xFF, 0xD8, 0xFF], "a JPEG picture", export),
        (Array("GIF8".utf8), "a GIF picture", export),
    ]

    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        if bytes.starts(with: [0x1F, 0x8B]) {
            self = .gzip
        } else if let known = Self.marks.first(where: { bytes.starts(with: $0.mark) }), !Self.isText(bytes, known.mark)
        {
            self = .other(name: Self.office(bytes) ?? known.name, next: known.next)
        } else if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) {
            self = .other(name: "a tar archive", next: Self.unpack)
        } else if bytes.count > 8, bytes[4..<8].elementsEqual([0xEF, 0xCD, 0xAB, 0x89]) {
            self = .other(name: "an ESE database", next: Self.export)
        } else {
            return nil
        }
    }

    /// Whether a mark of letters only, such as `MZ` or `ORC`, is the beginning of a text after all.
    private static func isText(_ bytes: UnsafeBufferPointer<UInt8>, _ mark: [UInt8]) -> Bool {
        guard mark.allSatisfy({ $0 >= 32 && $0 < 127 }), mark[0] != 37, mark[0] != 123 else { return false }
        return bytes.prefix(512).allSatisfy { $0 >= 32 || $0 == 9 || $0 == 10 || $0 == 13 }
            && FileTextSample.isUTF8(bytes)
    }

    /// What kind of Office file a zip archive is, by the names of its members.
    private static func office(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard bytes.starts(with: [0x50, 0x4B]) else { return nil }
        let head = String(decoding: bytes.prefix(4_096), as: UTF8.self)
        if head.contains("xl/") || head.contains("[Content_Types].xml") && head.contains("sheet") {
            return "an Excel workbook (xlsx)"
        }
        if head.contains("word/") { return "a Word document (docx)" }
        if head.contains("[Content_Types].xml") { return "an Office file (xlsx, docx or pptx)" }
        return head.contains("opendocument") ? "an OpenDocument file" : nil
    }
}
