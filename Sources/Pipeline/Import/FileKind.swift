import Foundation
import Tables

/// What the text of a file is, by what stands in it rather than by its name.
enum FileKind {
    case json
    case ndjson
    case csv

    /// - Parameters:
    ///   - format: what somebody said that it is.
    ///   - file: its name, which decides only where the content leaves it open.
    static func look(_ text: ImportText, _ format: FileImport.Format?) throws(OperatorError) -> FileKind {
        switch format {
        case .json: return .json
        case .ndjson: return .ndjson
        case .csv, .tsv: return .csv
        case nil: break
        }
        let name = FileName(text.file)
        let bytes = text.bytes
        guard let first = bytes.first(where: { $0 > 32 }), first == 123 || first == 91 else {
            guard name.format == .json || name.format == .ndjson else { return .csv }
            // A table that somebody named wrongly is still one.
            if let dialect = try? CSVDialect(bytes, separator: nil), dialect.header.count > 1 { return .csv }
            throw ImportText.problem(
                text.file, "it is named as JSON, but does not begin with { or [", tried: "reading it as JSON",
                next: "get the file anew, or name its format with --format")
        }
        var reader = JSONReader(bytes)
        guard (try? reader.skip()) != nil else {
            if first == 91, name.format == .csv { return .csv }
            return name.format == .ndjson ? .ndjson : .json
        }
        switch reader.peek() {
        case nil: return name.format == .ndjson && first == 123 ? .ndjson : .json
        case 123, 91: return .ndjson
        default: return first == 91 && name.format != .json ? .csv : .json
        }
    }
}

/// What a file's name says: the table, and the format.
package struct FileName: Sendable, Equatable {
    /// The table that the file's rows belong to, as exports and sinks name their files.
    package let table: String
    package let format: FileImport.Format?

    /// The table among known ones: in Sentinel every table that a connector fills ends in `_CL`, here some do not.
    package func table(of known: Set<String>) -> String {
        let plain = table.hasSuffix("_CL") ? String(table.dropLast(3)) : table
        return !known.contains(table) && known.contains(plain) ? plain : table
    }

    package init(_ path: String) {
        var name = (path as NSString).lastPathComponent
        if name.lowercased().hasSuffix(".gz") { name = String(name.dropLast(3)) }
        switch (name as NSString).pathExtension.lowercased() {
        case "csv": format = .csv
        case "tsv", "tab": format = .tsv
        case "json": format = .json
        case "ndjson", "jsonl": format = .ndjson
        default: format = nil
        }
        if format != nil { name = (name as NSString).deletingPathExtension }
        // Files of a sink carry the time at which they were begun.
        if let stamp = name.firstMatch(of: /-\d{8}T\d{6}.*$/) { name = String(name[..<stamp.range.lowerBound]) }
        table = name
    }
}
