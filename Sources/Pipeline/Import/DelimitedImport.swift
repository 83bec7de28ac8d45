import Content
import Foundation
import Tables
import Workspace

/// CSV and TSV files of any size: read in pieces, and written in one transaction.
extension FileImport {
    func delimited(
        _ data: Data, _ file: String, _ table: String, _ format: Format, _ known: [ColumnSpec]?,
        _ definition: TableDefinition?, replaces: Bool
    ) throws -> Outcome {
        let separator: UInt8 = format == .csv ? 44 : 9
        func problem(_ got: String) -> OperatorError {
            OperatorError(
                "the file \(file) was not imported", tried: "reading it as \(format.rawValue)", got: got,
                safe: "nothing was changed",
                next: "correct the file, or name its format with --format")
        }
        return try data.withUnsafeBytes { raw in
            let bytes = raw.bindMemory(to: UInt8.self)
            var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
            while start < bytes.count, bytes[start] == 10 || bytes[start] == 13 { start += 1 }
            var body = start
            let header = CSVColumns.fields(bytes, from: start, separator: separator, end: &body).map(\.trimmed)
            guard !header.isEmpty else { throw problem("the file is empty") }
            if Set(header).count < header.count || header.contains("") {
                throw problem("its first line has an empty name, or one twice")
            }
            let specs: [ColumnSpec]
            do throws(CSVColumns.Problem) {
                specs = try Self.columns(header, known, bytes, from: body, separator: separator)
            } catch { throw problem(error.message) }
            var reader = CSVColumns(specs, separator: separator, offset: body, records: 1)
            var rows = 0
            let empty = try complete(.empty(Schema(specs)), definition, file).0
            try workspace.load(table, empty, run: "import", now: now, replaces: replaces) {
                let batch: Batch?
                do throws(CSVColumns.Problem) { batch = try reader.next(bytes, max: Workspace.extentRowsMax) } catch {
                    throw problem(error.message)
                }
                guard let batch else { return nil }
                rows += batch.count
                return try complete(batch, definition, file).1
            }
            return Outcome(table: table, format: format, rows: rows, schema: empty, notes: [])
        }
    }

    /// The columns of the fields: the known ones by name, the others by what the file holds.
    private static func columns(
        _ header: [String], _ known: [ColumnSpec]?, _ bytes: UnsafeBufferPointer<UInt8>, from: Int, separator: UInt8
    ) throws(CSVColumns.Problem) -> [ColumnSpec] {
        let found = header.map { name in known?.first { $0.name.lowercased() == name.lowercased() } }
        if !found.contains(where: { $0 == nil }) { return found.compactMap { $0 } }
        var types = header.map { _ in TextType() }
        var reader = CSVColumns(header.map { ColumnSpec($0, .string) }, separator: separator, offset: from, records: 1)
        while let batch = try reader.next(bytes, max: Workspace.extentRowsMax) {
            for c in header.indices where found[c] == nil && !types[c].isText {
                guard case .string(let texts)? = try? batch.column(c).storage else { continue }
                for text in texts.entries() { types[c].see(text) }
            }
        }
        return header.enumerated().map { c, name in found[c] ?? ColumnSpec(name, types[c].type) }
    }
}

/// Finds the type that all texts of a column fit.
private struct TextType {
    private var seen: Set<ScalarType> = []

    /// Whether nothing but text fits any more.
    var isText: Bool { seen.contains(.string) }

    mutating func see(_ text: String) {
        if text.isEmpty { return }
        if Int64(text) != nil, !(text.count > 1 && text.hasPrefix("0")) {
            seen.insert(.long)
        } else if Double(text) != nil, text.first.map({ $0.isNumber || $0 == "-" }) == true {
            seen.insert(.real)
        } else if text == "true" || text == "false" || text == "True" || text == "False" {
            seen.insert(.bool)
        } else {
            seen.insert(InferredRecords.isTime(text) ? .datetime : .string)
        }
    }

    var type: ScalarType {
        switch seen {
        case [.long, .real]: .real
        case let one where one.count == 1: one.first ?? .string
        default: .string
        }
    }
}
