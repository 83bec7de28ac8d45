import Foundation
import KQLEngine
import Tables
import Workspace

/// Writes tables into files that import reads back: every row, column and value.
package struct TableExport: Sendable {
    package enum Format: String, Sendable, CaseIterable { case ndjson, csv, json }

    package struct Options: Sendable {
        package var format = Format.ndjson
        /// Rows of these times only, by `TimeGenerated`; ticks.
        package var times: Range<Int64>?
        /// Whether files are packed with gzip.
        package var packs = false
        /// Whether files that are there may be overwritten.
        package var overwrites = false

        package init() {}
    }

    /// What was written of one table.
    package struct Outcome: Sendable {
        package let table: String
        package let file: String
        package let rows: Int
        /// On the disk.
        package let bytes: Int
    }

    private let workspace: Workspace
    private let options: Options

    package init(workspace: Workspace, options: Options) {
        self.workspace = workspace
        self.options = options
    }

    /// The tables that hold rows, by name.
    package func tablesWithRows() throws -> [String] {
        let counts = try workspace.rowCounts()
        return try workspace.schemas().keys.filter { counts[$0] ?? 0 > 0 }.sorted()
    }

    /// Writes tables into a folder, each into a file of its name with a description beside it.
    ///
    /// - Parameter done: is told of each table when its file is there.
    /// - Throws: `OperatorError`; files of tables before the one that failed stay, and none is half written.
    package func run(_ tables: [String], into folder: String, done: (Outcome) -> Void = { _ in }) throws {
        let schemas = try workspace.schemas()
        for table in tables where schemas[table] == nil {
            throw OperatorError(
                "there is no table \(table)",
                next: "the tables with rows are \(try tablesWithRows().joined(separator: ", "))", isConfiguration: true)
        }
        do throws(WorkspaceError) { try PrivateFile.makeFolder(folder) } catch {
            throw OperatorError(error, title: "nothing was exported")
        }
        if !options.overwrites {
            for table in tables {
                for name in [fileName(table), ExportSchema.name(table)]
                where FileManager.default.fileExists(atPath: folder + "/" + name) {
                    throw OperatorError(
                        "nothing was exported", got: "there is a file \(folder)/\(name) already",
                        safe: "no file was changed", next: "export into another folder, or add --overwrite",
                        isConfiguration: true)
                }
            }
        }
        for table in tables {
            guard let schema = schemas[table] else { continue }
            done(try write(table, schema, folder))
        }
    }

    private func fileName(_ table: String) -> String {
        "\(table).\(options.format.rawValue)\(options.packs ? ".gz" : "")"
    }

    private func write(_ table: String, _ schema: Schema, _ folder: String) throws -> Outcome {
        let name = fileName(table)
        let file = try ExportFile(folder: folder, name: name, packs: options.packs)
        var writer = TableWriter(options.format, schema)
        var rows = 0
        try file.write(writer.head)
        try workspace.eachExtent(of: table, columns: schema.names, times: options.times) { extent in
            let part = try inTime(extent)
            rows += part.count
            try writer.append(part) { (bytes) throws(OperatorError) in try file.write(bytes) }
        }
        try file.write(writer.tail)
        // A description of another file must not stand beside this one, at no time.
        let description = ExportFile.path(folder, ExportSchema.name(table))
        if FileManager.default.fileExists(atPath: description) {
            do { try FileManager.default.removeItem(atPath: description) } catch {
                throw ExportFile.problem(description, error.localizedDescription)
            }
        }
        try file.finish()
        let described = ExportSchema(
            table: table, file: name, format: options.format, rows: rows, columns: schema.columns,
            times: options.times)
        let beside = try ExportFile(folder: folder, name: ExportSchema.name(table), packs: false)
        try beside.write(described.json.bytes + [10])
        try beside.finish()
        return Outcome(table: table, file: ExportFile.path(folder, name), rows: rows, bytes: file.bytes)
    }

    /// The rows of the times that were asked for.
    private func inTime(_ batch: Batch) throws -> Batch {
        guard let times = options.times else { return batch }
        guard let column = try batch.column(named: ImportTarget.time.name) else { return batch }
        let rows = (0..<batch.count).filter { row in
            if case .datetime(let ticks) = column[row] { times.contains(ticks) } else { false }
        }
        return rows.count == batch.count ? batch : batch.gather(rows.map { Int32($0) })
    }
}
