/// Reads comma-separated values one record at a time, without an object for a field (RFC 4180).
///
/// Quoted fields may hold separators, line ends and doubled quotation marks. What RFC 4180 does not allow is an error
/// with its place: another reading of it would be a guess.
package struct CSVRecords: FileRecords {
    private let separator: UInt8
    /// Fields of the header.
    private let width: Int
    private var offset: Int
    package private(set) var count: Int
    package private(set) var start = 0
    /// The place behind the record that was read last, and behind its line end.
    package var end: Int { offset }

    /// - Parameters:
    ///   - width: how many columns the header names.
    ///   - offset: where the first record behind the header begins.
    ///   - count: records before it.
    package init(separator: UInt8, width: Int, offset: Int, count: Int) {
        self.separator = separator
        self.width = width
        self.offset = offset
        self.count = count
    }

    package mutating func next(_ cells: inout RecordCells, _ bytes: UnsafeBufferPointer<UInt8>) throws(FileProblem)
        -> Bool
    {
        cells.begin()
        var field = 0
        let found = try Self.record(bytes, from: offset, separator, number: count + 1) { cell in
            if field < width {
                cells.set(field, cell)
            } else if cell.kind != .missing {
                cells.extra.append((field + 1, cell))
            }
            field += 1
        }
        guard let found else { return false }
        (start, offset) = (found.start, found.end)
        count += 1
        cells.isShort = field < width
        return true
    }

    /// The fields of a record as texts, such as a header's; nil at the end.
    package static func texts(
        _ bytes: UnsafeBufferPointer<UInt8>, from: Int, separator: UInt8, number: Int = 1
    ) throws(FileProblem) -> (fields: [String], start: Int, end: Int)? {
        var found: [FileCell] = []
        let record = try record(bytes, from: from, separator, number: number) { found.append($0) }
        guard let record else { return nil }
        do throws(JSONError) {
            var fields: [String] = []
            for cell in found { fields.append(try cell.text(bytes)) }
            return (fields, record.start, record.end)
        } catch { preconditionFailure("fields of CSV have no escapes: \(error.reason)") }
    }

    /// Reads one record, empty lines before it passed over; nil at the end.
    private static func record(
        _ bytes: UnsafeBufferPointer<UInt8>, from: Int, _ separator: UInt8, number: Int, _ take: (FileCell) -> Void
    ) throws(FileProblem) -> (start: Int, end: Int)? {
        var at = from
        while at < bytes.count, bytes[at] == 10 || bytes[at] == 13 { at += 1 }
        guard at < bytes.count else { return nil }
        let start = at
        while true {
            var end = at
            if at < bytes.count, bytes[at] == 34 {
                take(try quoted(bytes, at, &end, separator, number))
            } else {
                while end < bytes.count, bytes[end] != separator, bytes[end] != 10, bytes[end] != 13 { end += 1 }
                take(FileCell(end == at ? .missing : .text, at..<end))
            }
            at = end
            guard at < bytes.count, bytes[at] == separator else { break }
            at += 1
        }
        if at < bytes.count { at += bytes[at] == 13 && at + 1 < bytes.count && bytes[at + 1] == 10 ? 2 : 1 }
        return (start, at)
    }

    /// A quoted field; `end` becomes the place behind it.
    private static func quoted(
        _ bytes: UnsafeBufferPointer<UInt8>, _ from: Int, _ end: inout Int, _ separator: UInt8, _ number: Int
    ) throws(FileProblem) -> FileCell {
        var at = from + 1
        var isDoubled = false
        while true {
            while at < bytes.count, bytes[at] != 34 { at += 1 }
            guard at < bytes.count else {
                throw FileProblem("a quote is opened and never closed", record: number, offset: from)
            }
            guard at + 1 < bytes.count, bytes[at + 1] == 34 else { break }
            isDoubled = true
            at += 2
        }
        end = at + 1
        while end < bytes.count, bytes[end] == 32 { end += 1 }
        guard end == bytes.count || bytes[end] == separator || bytes[end] == 10 || bytes[end] == 13 else {
            throw FileProblem(
                "something follows a closing quote: a quote inside a quoted field must be doubled", record: number,
                offset: end)
        }
        return FileCell(isDoubled ? .doubledQuotes : .text, from + 1..<at)
    }
}
