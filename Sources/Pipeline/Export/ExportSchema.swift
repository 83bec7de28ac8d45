import Foundation
import Tables

/// What an export writes beside a table's file: the columns with their types, and how many rows there are.
///
/// Without it the types would have to be found again from the rows, and CSV could not tell `"[1]"` from `[1]`. It is
/// written last: a file that has one is whole.
package struct ExportSchema: Sendable, Equatable {
    package let table: String
    /// The name of the file that it describes.
    package let file: String
    package let format: TableExport.Format
    package let rows: Int
    package let columns: [ColumnSpec]
    /// The times of the rows that were asked for, ticks.
    package let times: Range<Int64>?

    private static let mark = "export"
    private static let version: Int64 = 1

    package init(
        table: String, file: String, format: TableExport.Format, rows: Int, columns: [ColumnSpec], times: Range<Int64>?
    ) {
        self.table = table
        self.file = file
        self.format = format
        self.rows = rows
        self.columns = columns
        self.times = times
    }

    var json: JSON {
        var members: [(String, JSON)] = [
            ("vestige", .string(Self.mark)), ("version", .integer(Self.version)), ("table", .string(table)),
            ("file", .string(file)), ("format", .string(format.rawValue)), ("rows", .integer(Int64(rows))),
        ]
        if let times {
            members.append(("from", .string(DateTime.format(times.lowerBound))))
            members.append(("to", .string(DateTime.format(times.upperBound))))
        }
        members.append(
            ("columns", .array(columns.map { ["name": .string($0.name), "type": .string($0.type.name)] })))
        return .object(JSON.Members(members))
    }

    /// Reads a description; nil when the document is none of an export.
    init?(_ json: JSON) {
        guard json["vestige"]?.string == Self.mark, json["version"]?.integer == Self.version,
            let table = json["table"]?.string, let file = json["file"]?.string,
            let format = json["format"]?.string.flatMap({ TableExport.Format(rawValue: $0) }),
            let rows = json["rows"]?.integer, let list = json["columns"]?.array
        else { return nil }
        var columns: [ColumnSpec] = []
        for item in list {
            guard let name = item["name"]?.string, let type = item["type"]?.string.flatMap({ ScalarType(name: $0) })
            else {
                return nil
            }
            columns.append(ColumnSpec(name, type))
        }
        var times: Range<Int64>?
        if let from = json["from"]?.string.flatMap({ DateTime.parse($0) }),
            let to = json["to"]?.string.flatMap({ DateTime.parse($0) }), from <= to
        {
            times = from..<to
        }
        self.init(table: table, file: file, format: format, rows: Int(rows), columns: columns, times: times)
    }

    /// The name of the description of a table's file.
    static func name(_ table: String) -> String { table + suffix }
    package static let suffix = ".schema.json"

    /// The description beside a file; nil when there is none, or it is another file's.
    static func beside(_ path: String) throws(OperatorError) -> ExportSchema? {
        let folder = (path as NSString).deletingLastPathComponent
        let name = (path as NSString).lastPathComponent
        guard let stem = name.split(separator: ".").first else { return nil }
        let description = (folder.isEmpty ? "" : folder + "/") + Self.name(String(stem))
        guard let data = FileManager.default.contents(atPath: description) else { return nil }
        guard let json = try? JSON(parsing: [UInt8](data)) else {
            throw ImportText.problem(
                path, "\(description) is not JSON", tried: "reading the description beside it",
                next: "get the whole export, or move the description away")
        }
        guard let schema = ExportSchema(json), schema.file == name else { return nil }
        return schema
    }
}

extension TableExport.Format {
    /// The format by which import reads what was written.
    var read: FileImport.Format {
        switch self {
        case .ndjson: .ndjson
        case .json: .json
        case .csv: .csv
        }
    }
}
