import Content
import Tables
import Workspace

/// Reads one file's records into the table's columns, some rows at a time.
final class ImportRows {
    private let plan: ImportPlan
    private let target: ImportTarget
    private var source: any FileRecords
    private var cells: RecordCells
    private var system: SystemCells
    private var report: ImportReport
    /// Where the cells of each of the file's columns go.
    private var places: [Place] = []
    /// The columns of the piece that is read now, where something stands in them.
    private var columns: [CellColumn?]
    private var used: [Int] = []
    private var leftOver: [Value] = []
    private var observed: CellColumn?
    private var rows = 0
    private let unmapped: Int?

    private enum Place {
        case column(Int)
        /// The table has no such column.
        case other
        /// A time that stands for `TimeGenerated`.
        case observed
        /// The table's own name, which every table of Log Analytics repeats in each row.
        case tableName
    }

    /// Cells and bytes of the file that one piece holds at most; fewer cells where each record has names of its own, so
    /// that most of them hold nothing.
    private static let cellsMax = 16 << 20
    private static let wideCellsMax = 1 << 20
    private static let wideColumns = 512
    private static let bytesMax = 128 << 20

    init(_ plan: ImportPlan, _ target: ImportTarget, now: Int64, key: DigestKey) {
        self.plan = plan
        self.target = target
        (source, cells) = plan.open()
        system = SystemCells(plan.text.file, now: now, key: key)
        report = ImportReport(plan, table: target.table)
        columns = Array(repeating: nil, count: target.columns.count)
        unmapped = target.column(TableDefinition.unmapped.name).flatMap {
            target.columns[$0].type == .dynamic ? $0 : nil
        }
    }

    /// Whether rows of the last piece say themselves when they were observed, or which they are.
    private(set) var hasHistory = false

    /// The next rows; nil at the end.
    func next() throws -> Batch? {
        columns = Array(repeating: nil, count: target.columns.count)
        used.removeAll()
        leftOver.removeAll()
        observed = nil
        rows = 0
        let from = source.start
        do throws(FileProblem) {
            while rows < Workspace.extentRowsMax, hasRoom,
                source.start - from < Self.bytesMax, try source.next(&cells, plan.text.bytes)
            {
                do throws(JSONError) { try take() } catch {
                    throw FileProblem(error.reason, record: source.count, offset: error.offset)
                }
            }
        } catch { throw ImportPlan.problem(plan.text, "reading it as \(plan.reading)", error) }
        guard rows > 0 else { return nil }
        return try batch()
    }

    private var hasRoom: Bool {
        rows * used.count < (used.count > Self.wideColumns ? Self.wideCellsMax : Self.cellsMax)
    }

    /// What is told of the file at its end.
    ///
    /// - Throws: `OperatorError` when the file ends before its export did.
    func finish() throws(OperatorError) -> (notes: [String], reading: String) {
        if let expected = plan.sidecar?.rows, expected != report.rows {
            throw ImportText.problem(
                plan.text.file, "it holds \(report.rows) rows, but its export wrote \(expected)",
                tried: "reading it as \(plan.reading)", next: "get the whole file")
        }
        if target.definition != nil, report.rows > 0, !report.hasMatch {
            throw ImportText.problem(
                plan.text.file,
                "none of its fields is a column of table \(target.table): "
                    + cells.names.prefix(10).joined(separator: ", "),
                tried: "reading it as \(plan.reading)",
                next:
                    "name the table that they belong to; vestige query '\(target.table) | getschema' lists its columns"
            )
        }
        var leftOut: [String: Int] = [:]
        if let json = source as? JSONRecords { leftOut = json.leftOut }
        return (report.notes(cells, leftOut: leftOut), report.reading(columns: cells.names.count))
    }

    private func take() throws(JSONError) {
        while places.count < cells.names.count { places.append(place(cells.names[places.count])) }
        var others = Bag()
        for c in cells.touched {
            let cell = cells[c]
            switch places[c] {
            case .column(let t):
                if t == unmapped, cell.kind == .missing { continue }
                report.hasMatch = report.hasMatch || t >= TableDefinition.systemColumns.count
                if try !append(cell, to: t) {
                    let value = try cell.value(plan.text.bytes, readsTexts: false)
                    others[target.columns[t].name] = value
                    report.miss(target.columns[t], value, record: source.count)
                }
            case .observed:
                var column = observed ?? CellColumn(.datetime)
                column.pad(to: rows)
                if try !column.append(cell, plan.text.bytes, plan.cells) {
                    others[cells.names[c]] = try cell.value(plan.text.bytes, readsTexts: false)
                }
                observed = column
            case .tableName where try isTableName(cell): continue
            case .other, .tableName:
                if cell.kind == .missing { continue }
                others[cells.names[c]] = try cell.value(plan.text.bytes, readsTexts: false)
                report.other(c)
            }
        }
        if cells.isShort { report.short(source.count) }
        if !cells.extra.isEmpty {
            guard unmapped != nil else {
                throw JSONError(
                    offset: source.start,
                    reason:
                        "the record has \(cells.extra.map(\.place).max() ?? 0) fields, the header \(cells.names.count)")
            }
            for (place, cell) in cells.extra {
                others["\(place)"] = .string(try cell.text(plan.text.bytes))
                report.extra(place)
            }
        }
        if others.count > 0 {
            leftOver += repeatElement(.null, count: rows - leftOver.count)
            leftOver.append(.bag(others))
        }
        rows += 1
        report.rows += 1
    }

    /// Whether a cell is the table's own name, here or in Sentinel.
    private func isTableName(_ cell: FileCell) throws(JSONError) -> Bool {
        let text = try cell.text(plan.text.bytes)
        return text == target.table || text == target.table + "_CL"
    }

    private func place(_ name: String) -> Place {
        if let t = target.column(name) { return .column(t) }
        // Columns that somebody named do not hide when a row was observed.
        if name.lowercased() == ImportTarget.time.name.lowercased() { return .observed }
        if target.definition != nil || plan.sidecar != nil {
            if name.lowercased() == ImportTarget.observed { return .observed }
            if name == "Type" { return .tableName }
        }
        return .other
    }

    private func append(_ cell: FileCell, to t: Int) throws(JSONError) -> Bool {
        if columns[t] == nil {
            columns[t] = CellColumn(target.columns[t].type)
            used.append(t)
        }
        columns[t]?.pad(to: rows)
        return try columns[t]?.append(cell, plan.text.bytes, plan.cells) ?? false
    }

    // MARK: Batches

    private func batch() throws -> Batch {
        var built: [String: Column] = [:]
        for t in used {
            columns[t]?.pad(to: rows)
            built[target.columns[t].name] = columns[t]?.finish()
        }
        if !leftOver.isEmpty {
            leftOver += repeatElement(.null, count: rows - leftOver.count)
            let name = TableDefinition.unmapped.name
            built[name] = Self.merged(built[name], leftOver)
        }
        observed?.pad(to: rows)
        hasHistory = system.isHistory(built, observed: observed != nil)
        built[ImportTarget.time.name] = system.times(built[ImportTarget.time.name], observed?.finish(), count: rows)
        var specs = target.declared.columns
        if target.definition == nil {
            if built[TableDefinition.unmapped.name] != nil, unmapped == nil { specs.append(TableDefinition.unmapped) }
            // A column in which nothing stands is not written.
            specs = specs.filter { built[$0.name] != nil }
        }
        let count = rows
        func whole(_ specs: [ColumnSpec]) -> [Column] {
            specs.map { spec in
                built[spec.name]
                    ?? Column(constant: spec.type == .string ? .string("") : .null, spec.type, count: count)
            }
        }
        let schema = Schema(specs)
        let plain = Batch(schema: schema, columns: whole(specs), count: count)
        guard let definition = target.definition else { return plain }
        for (name, column) in try system.marks(plain, definition, firstRecord: report.rows - rows) {
            built[name] = column
        }
        return Batch(schema: schema, columns: whole(specs), count: count)
    }

    /// What was unmapped before and what did not fit now, in one bag.
    private static func merged(_ before: Column?, _ now: [Value]) -> Column {
        guard let before else { return Column(.dynamic, .dynamic(now), count: now.count) }
        let values = now.indices.map { row -> Value in
            guard case .bag(let more) = now[row] else { return before[row] }
            switch before[row] {
            case .null: return .bag(more)
            case .bag(var all):
                for (key, value) in zip(more.keys, more.values) { all[key] = value }
                return .bag(all)
            case let other: return .bag(Bag(zip(more.keys, more.values) + [(TableDefinition.unmapped.name, other)]))
            }
        }
        return Column(.dynamic, .dynamic(values), count: values.count)
    }
}
