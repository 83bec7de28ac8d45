import Foundation
import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The text of a file: unpacked, in UTF-8, and looked at where the system's cache has it.
final class ImportText {
    let file: String
    let bytes: UnsafeBufferPointer<UInt8>
    let encoding: TextEncoding
    let isPacked: Bool
    /// What keeps the bytes where they are.
    private let mapped: MappedFile

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - encoding: how its characters are written, when somebody named it.
    ///   - spool: the folder for what must be written anew: unpacked, or in UTF-8.
    ///   - isExport: whether an export wrote it, which may be empty and may hold NULs.
    init(_ file: String, encoding named: TextEncoding?, spool: String, isExport: Bool = false) throws(OperatorError) {
        self.file = file
        var mapped = try MappedFile(reading: file, spool: spool)
        var isPacked = false
        while let container = Container(mapped.bytes) {
            guard case .gzip = container, !isPacked else {
                throw Self.refusal(file, container)
            }
            mapped = try Self.unpacked(mapped, file, spool)
            isPacked = true
        }
        let found = TextEncoding.detect(mapped.bytes)
        // A mark tells the order of bytes even where a name does not.
        let encoding = named.flatMap { $0.unit == found.encoding.unit && found.mark > 0 ? nil : $0 } ?? found.encoding
        let mark = encoding == found.encoding ? found.mark : 0
        if encoding == .utf8 {
            bytes = UnsafeBufferPointer(rebasing: mapped.bytes[mark...])
        } else {
            mapped = try Self.transcoded(mapped, from: mark, encoding, file, spool)
            bytes = mapped.bytes
        }
        (self.encoding, self.isPacked, self.mapped) = (encoding, isPacked, mapped)
        try check(isExport: isExport)
    }

    static func problem(_ file: String, _ got: String, tried: String? = nil, next: String) -> OperatorError {
        OperatorError(
            "the file \(file) was not imported", tried: tried, got: got, safe: "nothing was changed", next: next)
    }

    private static func refusal(_ file: String, _ container: Container) -> OperatorError {
        switch container {
        case .gzip: problem(file, "it is packed with gzip twice", next: "unpack it first, then import what is in it")
        case .other(let name, let next): problem(file, "it is \(name)", next: next)
        }
    }

    /// What is no text at all, or none of records.
    private func check(isExport: Bool) throws(OperatorError) {
        guard let first = bytes.first(where: { $0 > 32 || $0 == 0 }) else {
            if isExport { return }
            throw Self.problem(
                file, bytes.isEmpty ? "the file is empty" : "the file is empty but for blanks and line ends",
                next: "see whether the program that wrote it succeeded")
        }
        if !isExport, let nul = FileText.firstNUL(bytes) {
            let isAll = !bytes.contains { $0 != 0 }
            throw Self.problem(
                file,
                isAll
                    ? "the file holds nothing but NULs, as a crash or a full disk leaves it"
                    : "line \(FileText.line(of: nul, in: bytes)): there is a NUL at byte \(nul); "
                        + "this is no text, or a damaged one",
                next: "get the file anew, or name its encoding with --encoding")
        }
        if let wrong = FileText.firstInvalidUTF8(bytes) {
            throw Self.problem(
                file,
                "line \(FileText.line(of: wrong, in: bytes)): byte \(wrong) is 0x\(String(bytes[wrong], radix: 16)), "
                    + "which is not UTF-8",
                next: "if an older Windows program wrote it, add --encoding windows-1252; else get the file anew")
        }
        if first == 60, let start = bytes.firstIndex(of: 60), bytes.count > start + 1,
            case let next = bytes[start + 1], next == 33 || next == 63 || (next | 32) >= 97 && (next | 32) <= 122
        {
            let head = String(decoding: bytes[start...].prefix(256), as: UTF8.self).lowercased()
            let isPage = head.contains("<html") || head.contains("<!doctype html")
            throw Self.problem(
                file,
                isPage
                    ? "it is a page of HTML: a sign-in page or an error that was saved in the file's place, perhaps"
                    : "it is XML, which import does not read",
                next: isPage ? "open it in a browser, then get the file anew" : "export it as CSV or JSON first")
        }
    }

    // MARK: Written anew

    private static let piece = 1 << 20

    private static func unpacked(_ packed: MappedFile, _ file: String, _ spool: String) throws(OperatorError)
        -> MappedFile
    {
        let target = try SpoolFile(in: spool)
        var inflater = Inflater(Array(packed.bytes))
        while true {
            let part: [UInt8]?
            do throws(Inflater.Problem) { part = try inflater.next(piece) } catch {
                throw problem(
                    file, "it is packed with gzip, and \(error.message)", tried: "unpacking it",
                    next: "get the file anew")
            }
            guard let part else { break }
            try part.withUnsafeBufferPointer { buffer throws(OperatorError) in try target.write(buffer) }
        }
        return try target.mapped()
    }

    private static func transcoded(
        _ source: MappedFile, from mark: Int, _ encoding: TextEncoding, _ file: String, _ spool: String
    ) throws(OperatorError) -> MappedFile {
        let target = try SpoolFile(in: spool)
        var at = mark
        var out: [UInt8] = []
        while at < source.bytes.count {
            let end = min(at + piece, source.bytes.count)
            out.removeAll(keepingCapacity: true)
            do throws(FileProblem) {
                let part = UnsafeBufferPointer(rebasing: source.bytes[at..<end])
                let read = try encoding.transcode(part, from: 0, isEnd: end == source.bytes.count, into: &out)
                at += read
            } catch {
                throw problem(
                    file, "in the part that begins at byte \(at): \(error.reason)",
                    next: "name the file's encoding with --encoding, or get the file anew")
            }
            try out.withUnsafeBufferPointer { buffer throws(OperatorError) in try target.write(buffer) }
        }
        return try target.mapped()
    }
}

/// Whether the beginning of a file can be text.
enum FileTextSample {
    static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        let sample = UnsafeBufferPointer(rebasing: bytes.prefix(512))
        guard let wrong = FileText.firstInvalidUTF8(sample) else { return true }
        // The sample may end in the middle of a character.
        return bytes.count > 512 && wrong >= 509
    }
}
