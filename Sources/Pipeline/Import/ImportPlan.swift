import Content
import Foundation
import KQLEngine
import Tables

/// How one file is read: what it was found to be, and the types of its columns.
struct ImportPlan {
    /// A file's records, whatever its kind.
    enum Records {
        case csv(CSVDialect)
        case json(JSONLayout)
    }

    let text: ImportText
    let records: Records
    /// What an export wrote beside the file.
    let sidecar: ExportSchema?
    /// How cells are read.
    private(set) var cells = CellColumn.Reading()
    /// What was noticed before the rows are read.
    private(set) var notes: [String] = []
    /// What the file is, in words.
    let reading: String
    /// Whether the table is one of the content.
    private let isKnown: Bool

    /// Looks at a file, and adds the columns it has to the table.
    init(_ file: String, _ target: inout ImportTarget, _ options: FileImport.Options, spool: String) throws {
        isKnown = target.definition != nil
        sidecar = try ExportSchema.beside(file)
        text = try ImportText(file, encoding: options.encoding, spool: spool, isExport: sidecar != nil)
        let kind = try FileKind.look(text, options.format ?? sidecar?.format.read)
        let attempt = kind == .csv ? "CSV" : kind == .json ? "JSON" : "NDJSON"
        do throws(FileProblem) {
            switch kind {
            case .csv:
                let separator = options.separator ?? (options.format == .tsv ? 9 : sidecar == nil ? nil : 44)
                records = .csv(try CSVDialect(text.bytes, separator: separator))
            case .json: records = .json(try JSONLayout.find(text.bytes, path: options.records))
            case .ndjson: records = .json(JSONLayout(.objects, [0..<text.bytes.count], kind: nil))
            }
        } catch { throw Self.problem(text, "reading it as \(attempt)", error) }
        var parts: [String] = []
        switch records {
        case .csv(let dialect):
            parts.append("CSV with \(CSVDialect.name(dialect.separator))")
            cells.decimalComma = dialect.separator == 59
            cells.textIsJSON = sidecar != nil
            if let first = dialect.comments.first {
                let more = dialect.comments.count - 1
                notes.append(
                    "a comment before the header was passed over: #\(first.prefix(120))"
                        + (more > 0 ? " and \(more) more" : "")
                )
            }
        case .json(let layout):
            parts.append(kind == .ndjson ? "NDJSON" : "JSON")
            if let kind = layout.kind { parts.append(kind) }
            cells.readsTexts = sidecar == nil
            cells.emptyObjectIsNull = layout.emptyObjectIsNull
            notes += layout.notes
        }
        cells.keepsSpelling = options.columns == nil && !isKnown && sidecar == nil
        parts.append(text.encoding.name)
        if text.isPacked { parts.append("gzip") }
        if sidecar != nil { parts.append("an export of Vestige") }
        if options.records != nil, kind != .json {
            notes.append("--records is for JSON documents, and was passed over")
        }
        reading = parts.joined(separator: ", ")
        try find(&target)
    }

    static func problem(_ text: ImportText, _ tried: String, _ error: FileProblem) -> OperatorError {
        ImportText.problem(
            text.file, error.description(in: text.bytes), tried: tried,
            next: "correct the file, or name its format with --format")
    }

    /// The records from the beginning, and the columns that are known before.
    func open() -> (any FileRecords, RecordCells) {
        switch records {
        case .csv(let dialect):
            (
                CSVRecords(
                    separator: dialect.separator, width: dialect.header.count, offset: dialect.body,
                    count: dialect.records),
                RecordCells(header: dialect.header.map { Self.column($0).name })
            )
        case .json(let layout):
            (
                JSONRecords(layout.form, layout.parts, only: layout.only, takesScalars: !isKnown),
                RecordCells()
            )
        }
    }

    /// A column's name without what portals write behind it: `TimeGenerated [UTC]`.
    static func column(_ header: String) -> (name: String, isUTC: Bool) {
        header.hasSuffix(" [UTC]") ? (String(header.dropLast(6)), true) : (header, false)
    }

    /// Finds the types of the fields that the table has no columns for.
    private mutating func find(_ target: inout ImportTarget) throws {
        if case .csv(let dialect) = records { try Self.checkNames(dialect, target, text) }
        guard target.needsTypes else { return }
        if let sidecar { return target.add(sidecar.columns) }
        var typed: [String: ScalarType] = [:]
        if case .json(let layout) = records {
            for spec in layout.types { typed[spec.name.lowercased()] = spec.type }
            if case .rows = layout.form { return target.add(layout.types) }
        }
        var (source, cells) = open()
        var finders: [ColumnTypeFinder] = []
        var isTyped = false
        var utc: Set<String> = []
        switch records {
        case .csv(let dialect):
            utc = Set(dialect.header.map(Self.column).filter(\.isUTC).map(\.name))
            if dialect.header.allSatisfy({ target.column(Self.column($0).name) != nil }) { return }
        case .json(let layout): isTyped = !layout.textsAreUntyped
        }
        do throws(FileProblem) {
            while try source.next(&cells, text.bytes) {
                while finders.count < min(cells.names.count, ImportTarget.columnsMax) { finders.append(.init()) }
                for c in cells.touched where c < finders.count && !finders[c].isSettled {
                    finders[c].see(cells[c], text.bytes, isTyped: isTyped)
                }
            }
        } catch { throw Self.problem(text, "reading it as \(reading)", error) }
        while finders.count < min(cells.names.count, ImportTarget.columnsMax) { finders.append(.init()) }
        target.add(
            finders.indices.map { c in
                let name = cells.names[c]
                if name.lowercased() == ImportTarget.time.name.lowercased() { return ImportTarget.time }
                let type = typed[name.lowercased()] ?? finders[c].type(name: name, isUTC: utc.contains(name))
                return ColumnSpec(name, type)
            })
        for c in finders.indices where finders[c].hasDecimalCommas && target.column(cells.names[c]) != nil {
            notes.append(
                "\(cells.names[c]) holds numbers with decimal commas and stays text; --schema makes it a real")
        }
    }

    /// Two columns of a file must not be one of the table.
    private static func checkNames(
        _ dialect: CSVDialect, _ target: ImportTarget, _ text: ImportText
    ) throws(OperatorError) {
        var taken: [Int: String] = [:]
        for header in dialect.header {
            guard let c = target.column(column(header).name) else { continue }
            if let other = taken[c] {
                throw problem(
                    text, "reading it as CSV",
                    FileProblem(
                        "the header has \"\(other)\" and \"\(header)\", which are one column of the table", record: 1))
            }
            taken[c] = header
        }
    }
}
