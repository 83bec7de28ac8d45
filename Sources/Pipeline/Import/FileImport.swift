import Content
import Foundation
import KQL
import Tables
import Workspace

/// Reads files of records into a table: JSON, NDJSON, CSV, and saved advanced-hunting answers.
package struct FileImport: Sendable {
    package enum Format: String, Sendable, CaseIterable { case json, ndjson, csv, tsv }

    /// What an import brought in.
    package struct Outcome: Sendable {
        package let table: String
        package let format: Format
        package let rows: Int
        package let schema: Schema
        package let notes: [String]
    }

    let workspace: Workspace
    private let library: ContentLibrary
    /// Ticks.
    let now: Int64

    package init(workspace: Workspace, library: ContentLibrary, now: Int64) {
        self.workspace = workspace
        self.library = library
        self.now = now
    }

    /// Imports a file as a whole or not at all.
    ///
    /// - Parameters:
    ///   - columns: the columns, when they are not to be inferred.
    ///   - path: the member of the outermost JSON object that holds the records.
    ///   - replaces: whether the table's rows are dropped first.
    package func run(
        _ file: String, table: String, format: Format?, columns: [ColumnSpec]?, path: String?, replaces: Bool
    ) throws -> Outcome {
        guard FileManager.default.fileExists(atPath: file) else {
            throw OperatorError("there is no file \(file)", next: "check the path", isConfiguration: true)
        }
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: file), options: .alwaysMapped) else {
            throw OperatorError("the file \(file) cannot be read", next: "check its permissions", isConfiguration: true)
        }
        guard table.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]{0,127}/) != nil else {
            throw OperatorError(
                "\"\(table)\" is not a table name", next: "use letters, digits and _", isConfiguration: true)
        }
        let chosen = format ?? Self.guess(file, data)
        let definition = library.tables[table]
        var known = columns
        if let definition { known = known ?? definition.columns }
        if known == nil, !replaces, let stored = try workspace.schemas()[table] {
            known =
                stored.columns.filter { $0.name != "TimeGenerated" }
                + stored.columns.filter { $0.name == "TimeGenerated" }
        }
        if chosen == .csv || chosen == .tsv {
            return try delimited(data, file, table, chosen, known, definition, replaces: replaces)
        }
        let bytes = [UInt8](data)
        let (batch, notes) = try read(
            bytes, file, chosen, known, path, mayAddColumns: definition == nil && columns == nil)
        let (schema, rows) = try complete(batch, definition, file)
        if replaces { try workspace.drop(table) }
        try workspace.declare(table, schema)
        try workspace.append(rows, to: table, run: "import", now: now)
        return Outcome(table: table, format: chosen, rows: rows.count, schema: schema, notes: notes)
    }

    private static func guess(_ file: String, _ bytes: Data) -> Format {
        switch (file as NSString).pathExtension.lowercased() {
        case "csv": return .csv
        case "tsv": return .tsv
        case "ndjson", "jsonl": return .ndjson
        default: break
        }
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        guard let first = bytes[start...].first(where: { $0 > 32 }), first == 91 || first == 123 else { return .csv }
        guard first == 123 else { return .json }
        // One object is a document; objects one after the other are lines.
        return [UInt8](bytes).withUnsafeBufferPointer { buffer in
            var reader = JSONReader(buffer)
            guard (try? reader.skip()) != nil else { return .json }
            return reader.peek() == nil ? .json : .ndjson
        }
    }

    private func read(
        _ bytes: [UInt8], _ file: String, _ format: Format, _ known: [ColumnSpec]?, _ path: String?, mayAddColumns: Bool
    ) throws -> (Batch, [String]) {
        func problem(_ got: String) -> OperatorError {
            OperatorError(
                "the file \(file) was not imported", tried: "reading it as \(format.rawValue)", got: got,
                safe: "nothing was changed",
                next: "correct the file, or name its format with --format")
        }
        switch format {
        case .csv, .tsv: preconditionFailure("delimited files are read in pieces")
        case .json:
            do throws(RecordError) {
                guard let known else { return (try RecordReader(columns: nil).read(bytes, path: path).batch, []) }
                let specs =
                    mayAddColumns
                    ? Self.merge(known, try RecordReader(columns: nil).read(bytes, path: path).batch.schema) : known
                let page = try RecordReader(columns: specs).read(bytes, path: path)
                return (page.batch, Self.notes(page))
            } catch { throw problem(error.description) }
        case .ndjson:
            let lines = Self.lines(bytes)
            func inferred() throws -> Batch {
                var sink = InferredRecords()
                for (number, line) in lines {
                    do { sink.append(try JSONReader.parse(Array(bytes[line]))) } catch {
                        throw problem("line \(number): \(error.description)")
                    }
                }
                return sink.finish()
            }
            guard let known else { return (try inferred(), []) }
            var sink = TypedRecords(mayAddColumns ? Self.merge(known, try inferred().schema) : known)
            for (number, line) in lines {
                let failure = bytes[line].withUnsafeBufferPointer { buffer -> JSONError? in
                    var reader = JSONReader(buffer)
                    do throws(JSONError) { try sink.read(&reader) } catch { return error }
                    return nil
                }
                if let failure { throw problem("line \(number): \(failure.description)") }
            }
            let page = sink.page(nextLink: nil)
            return (page.batch, Self.notes(page))
        }
    }

    private static func lines(_ bytes: [UInt8]) -> [(Int, Range<Int>)] {
        var out: [(Int, Range<Int>)] = []
        var start = 0
        for (number, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            if line.contains(where: { $0 > 32 }) { out.append((number + 1, start..<start + line.count)) }
            start += line.count + 1
        }
        return out
    }

    /// Known columns, then the ones that only the file has.
    private static func merge(_ known: [ColumnSpec], _ found: Schema) -> [ColumnSpec] {
        known + found.columns.filter { c in !known.contains { $0.name.lowercased() == c.name.lowercased() } }
    }

    private static func notes(_ page: RecordPage) -> [String] {
        var notes = page.unreadable.map {
            "\($0.count) rows had a \($0.column) that is no \($0.type.name); kept without it, first at row \($0.firstRow): \"\($0.example)\""
        }
        if !page.unknownFields.isEmpty {
            notes.append(
                "fields that the table does not have were left out: \(page.unknownFields.prefix(10).joined(separator: ", "))"
            )
        }
        return notes
    }

    /// Adds the columns that every table has.
    func complete(_ batch: Batch, _ definition: TableDefinition?, _ file: String) throws -> (Schema, Batch) {
        let n = batch.count
        let time = Column(constant: .datetime(now), .datetime, count: n)
        guard let definition else {
            if batch.schema.index(of: "TimeGenerated") != nil { return (batch.schema, batch) }
            let schema = Schema([ColumnSpec("TimeGenerated", .datetime)] + batch.schema.columns)
            return (
                schema,
                Batch(
                    schema: schema, columns: [time] + (try batch.schema.columns.indices.map { try batch.column($0) }),
                    count: n)
            )
        }
        let ids = try RowDigests(key: workspace.digestKey)(of: batch, columns: definition.columns.map(\.name)).map(
            \.hex)
        let source = "import:" + (file as NSString).lastPathComponent
        let system = [
            time, Column(constant: .string("Added"), .string, count: n),
            Column(constant: .string(source), .string, count: n),
            Column(.string, .string(StringVector(ids)), count: n),
        ]
        let own = try definition.schema.columns.dropFirst(system.count).map { spec in
            try batch.column(named: spec.name)
                ?? Column(constant: spec.type == .string ? .string("") : .null, spec.type, count: n)
        }
        return (definition.schema, Batch(schema: definition.schema, columns: system + own, count: n))
    }
}
