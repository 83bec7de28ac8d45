/// The cells of the record that is read now, by column; the columns are learned from the records.
package struct RecordCells {
    /// Every column so far, in the order they came.
    package private(set) var names: [String] = []
    /// The columns that the record has a cell in.
    package private(set) var touched: [Int] = []
    /// Fields behind the last column that has a name, by their place from 1.
    package internal(set) var extra: [(place: Int, cell: FileCell)] = []
    /// Whether the record ends before the last column.
    package internal(set) var isShort = false
    /// Names that stood twice in one record, and in how many; what stood last counts.
    package private(set) var repeated: [Int: Int] = [:]

    /// The record in which a name stood twice last.
    private var repeatedIn: [Int: Int] = [:]
    private var cells: [FileCell] = []
    /// The record in which a column was touched last.
    private var stamps: [Int] = []
    private var record = 0
    /// Names as they are spelled, each with its column.
    private var spellings = DictionaryBuilder()
    private var columnOfSpelling: [Int] = []
    /// Names that differ in case only are one column.
    private var columnOfName: [String: Int] = [:]

    package init() {}

    /// - Parameter header: the columns of CSV, one for each, whatever their case.
    package init(header: [String]) {
        names = header
        cells = header.map { _ in FileCell(.missing, 0..<0) }
        stamps = header.map { _ in 0 }
    }

    package subscript(column: Int) -> FileCell { cells[column] }

    /// Begins the next record.
    mutating func begin() {
        record += 1
        touched.removeAll(keepingCapacity: true)
        extra.removeAll(keepingCapacity: true)
        isShort = false
    }

    @inline(__always)
    mutating func set(_ column: Int, _ cell: FileCell) {
        if stamps[column] == record {
            if repeatedIn[column] != record { repeated[column, default: 0] += 1 }
            repeatedIn[column] = record
        } else {
            stamps[column] = record
            touched.append(column)
        }
        cells[column] = cell
    }

    /// The column of a name.
    mutating func column(_ key: UnsafeBufferPointer<UInt8>) -> Int {
        let code = Int(spellings.code(key))
        if code < columnOfSpelling.count { return columnOfSpelling[code] }
        let name = String(decoding: key, as: UTF8.self)
        let column = columnOfName[name.lowercased()] ?? names.count
        if column == names.count {
            names.append(name)
            cells.append(FileCell(.missing, 0..<0))
            stamps.append(0)
            columnOfName[name.lowercased()] = column
        }
        columnOfSpelling.append(column)
        return column
    }
}

/// A file of records that is read from its beginning, one record at a time.
package protocol FileRecords {
    /// Reads the next record; false at the end.
    mutating func next(_ cells: inout RecordCells, _ bytes: UnsafeBufferPointer<UInt8>) throws(FileProblem) -> Bool
    /// Records read so far; the header of CSV is the first.
    var count: Int { get }
    /// Where the record that was read last begins.
    var start: Int { get }
}
