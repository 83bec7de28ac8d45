import Content
import Foundation
import KQL
import Tables
import Workspace

/// Reads files of records into a table: JSON, NDJSON, CSV, and saved answers of query services.
package struct FileImport: Sendable {
    package enum Format: String, Sendable, CaseIterable { case json, ndjson, csv, tsv }

    /// How files are read; nil and false leave it to what is in them.
    package struct Options: Sendable {
        package var format: Format?
        package var encoding: TextEncoding?
        package var separator: UInt8?
        /// The columns, when they are not to be found from the rows.
        package var columns: [ColumnSpec]?
        /// The member of the outermost JSON object that holds the records.
        package var records: String?
        /// Whether the table's rows give way to those of the files.
        package var replaces = false

        package init() {}
    }

    /// What an import brought in.
    package struct Outcome: Sendable {
        package let file: String
        package let table: String
        /// Rows that are in the table now and were not before.
        package internal(set) var rows = 0
        /// Rows that were there already, by their `RowId`.
        package internal(set) var known = 0
        /// What the file was found to be: `CSV with ';', UTF-16LE, 2 columns, 1 row`.
        package internal(set) var reading: String
        package internal(set) var schema: Schema
        /// What did not fit, and where it is now.
        package internal(set) var notes: [String]
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
    package func run(_ file: String, table: String, options: Options = Options()) throws -> Outcome {
        let outcomes = try run([file], table: table, options: options)
        precondition(outcomes.count == 1, "one file has one outcome")
        return outcomes[0]
    }

    /// Imports files into one table: all of them or none.
    package func run(_ files: [String], table: String, options: Options) throws -> [Outcome] {
        guard table.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]{0,127}/) != nil else {
            throw OperatorError(
                "\"\(table)\" is not a table name", next: "use letters, digits and _", isConfiguration: true)
        }
        var target = ImportTarget(
            table: table, definition: library.tables[table],
            stored: options.replaces ? nil : try workspace.schemas()[table], columns: options.columns)
        let spool = (workspace.path as NSString).deletingLastPathComponent
        let plans = try files.map { try ImportPlan($0, &target, options, spool: spool) }
        var outcomes = plans.map {
            Outcome(file: $0.text.file, table: table, reading: $0.reading, schema: target.declared, notes: [])
        }
        var guarding = RowGuard(workspace, table, target, replaces: options.replaces)
        var current = 0
        var rows = plans.first.map { ImportRows($0, target, now: now, key: workspace.digestKey) }
        try workspace.load(table, target.declared, run: "import", now: now, replaces: options.replaces) {
            while let reader = rows {
                if let batch = try reader.next() {
                    let fresh = try guarding.withoutKnown(
                        batch, isExport: plans[current].sidecar != nil, hasHistory: reader.hasHistory)
                    outcomes[current].rows += fresh.count
                    outcomes[current].known += batch.count - fresh.count
                    if fresh.count > 0 { return fresh }
                } else {
                    (outcomes[current].notes, outcomes[current].reading) = try reader.finish()
                    current += 1
                    rows =
                        plans.indices.contains(current)
                        ? ImportRows(plans[current], target, now: now, key: workspace.digestKey) : nil
                }
            }
            return nil
        }
        let schema = try workspace.schemas()[table] ?? target.declared
        for i in outcomes.indices { outcomes[i].schema = schema }
        return outcomes
    }

    /// A file of separated values of any kind as UTF-8 with commas, as watchlists are read; and what it was found
    /// to be.
    package func commaSeparated(_ file: String, options: Options) throws(OperatorError) -> (
        csv: [UInt8], reading: String
    ) {
        let spool = (workspace.path as NSString).deletingLastPathComponent
        let text = try ImportText(file, encoding: options.encoding, spool: spool)
        guard try FileKind.look(text, options.format) == .csv else {
            throw ImportText.problem(file, "it is JSON", next: "give the list as CSV: its first line names the columns")
        }
        var out: [UInt8] = []
        do throws(FileProblem) {
            let separator = options.separator ?? (options.format == .tsv ? 9 : nil)
            let dialect = try CSVDialect(text.bytes, separator: separator)
            out += CSV.line(dialect.header).utf8
            var (at, number) = (dialect.body, dialect.records)
            while true {
                number += 1
                let record = try CSVRecords.texts(
                    text.bytes, from: at, separator: dialect.separator, number: number)
                guard let record else { break }
                out += CSV.line(record.fields).utf8
                at = record.end
            }
            return (out, "CSV with \(CSVDialect.name(dialect.separator)), \(text.encoding.name)")
        } catch { throw ImportPlan.problem(text, "reading it as CSV", error) }
    }
}
