import Tables

/// What is told of an import: what did not fit, and where it is now.
struct ImportReport {
    private struct Missed {
        var count = 0
        let type: ScalarType
        let record: Int
        let example: String
    }

    private let plan: ImportPlan
    private let table: String
    /// Rows read so far.
    var rows = 0
    /// Whether some field is a column of the table's own.
    var hasMatch = false
    private var missed: [(column: String, cells: Missed)] = []
    private var others: [Int] = []
    private var isOther: Set<Int> = []
    private var extras: Set<Int> = []
    private var shorts = (count: 0, record: 0)

    init(_ plan: ImportPlan, table: String) {
        self.plan = plan
        self.table = table
    }

    /// A cell that is not of its column's type.
    mutating func miss(_ column: ColumnSpec, _ value: Value, record: Int) {
        if let i = missed.firstIndex(where: { $0.column == column.name }) {
            missed[i].cells.count += 1
        } else {
            let example = String(value.text.prefix(80))
            missed.append((column.name, Missed(count: 1, type: column.type, record: record, example: example)))
        }
    }

    /// A field that the table has no column for.
    mutating func other(_ column: Int) { if isOther.insert(column).inserted { others.append(column) } }

    /// A field behind the last one that the header names.
    mutating func extra(_ place: Int) { extras.insert(place) }

    /// A record that ends before its last column.
    mutating func short(_ record: Int) { shorts = (shorts.count + 1, shorts.count == 0 ? record : shorts.record) }

    /// What the file was found to be, with how much was in it.
    func reading(columns: Int) -> String {
        "\(plan.reading), \(columns) column\(columns == 1 ? "" : "s"), \(rows) row\(rows == 1 ? "" : "s")"
    }

    func notes(_ cells: RecordCells, leftOut: [String: Int]) -> [String] {
        var notes = plan.notes
        for (column, cells) in missed {
            notes.append(
                "\(Self.rows(cells.count)) had something in \(column) that is no \(cells.type.name), kept in Unmapped; "
                    + "first in record \(cells.record): \"\(cells.example)\"")
        }
        if !others.isEmpty {
            let names = others.prefix(20).map { cells.names[$0] }.joined(separator: ", ")
            let more = others.count > 20 ? " and \(others.count - 20) more" : ""
            notes.append("fields that table \(table) has no columns for are kept in Unmapped: \(names)\(more)")
        }
        if !extras.isEmpty {
            notes.append(
                "fields behind the header's last are kept in Unmapped under their place: "
                    + extras.sorted().prefix(20).map(String.init).joined(separator: ", "))
        }
        for (column, count) in cells.repeated.sorted(by: { $0.key < $1.key }) {
            notes.append(
                "\(count) record\(count == 1 ? " has" : "s have") the name \"\(cells.names[column])\" more than once; "
                    + "the last one counts")
        }
        if shorts.count > 0 {
            notes.append(
                "\(shorts.count) record\(shorts.count == 1 ? " has" : "s have") fewer fields than the header, first "
                    + "record \(shorts.record); their last columns are empty")
        }
        if !leftOut.isEmpty {
            let tables = leftOut.sorted { $0.key < $1.key }.map { "\($0.key) (\(Self.rows($0.value)))" }
            notes.append("the answer holds other tables, which were left out: \(tables.joined(separator: ", "))")
        }
        if rows == 0 { notes.append("the file holds no rows") }
        return notes
    }

    private static func rows(_ n: Int) -> String { "\(n) row\(n == 1 ? "" : "s")" }
}
