import Tables

/// How a service wants its records.
struct CallForm: Sendable {
    enum Layout: Sendable {
        /// `[{…},{…}]`
        case array
        /// One object a line.
        case lines
    }

    /// Bytes of a call before compression.
    let bytesMax: Int
    /// Bytes of a field, of which a service would cut the rest off.
    let fieldBytesMax: Int
    let layout: Layout
}

/// Packs rows into JSON texts that each stay under a size, one text at a time.
struct RecordPacker {
    private let batch: Batch
    private let form: CallForm
    private var writer: RecordWriter
    private let aliases: [(name: String, column: String)]
    /// The next row.
    private var row: Int
    private let end: Int
    private var record: [UInt8] = []
    /// The record in `record` did not fit into the last text.
    private var isHeld = false
    /// Rows that fit no call, however they are cut.
    private(set) var refused: [RefusedRow] = []
    /// Values that were cut, counted by column.
    private(set) var shortened: [String: Int] = [:]

    init(
        _ batch: Batch, rows: Range<Int>? = nil, form: CallForm, aliases: [(name: String, column: String)] = []
    ) throws {
        self.batch = batch
        self.form = form
        self.aliases = aliases
        (row, end) = (rows?.lowerBound ?? 0, rows?.upperBound ?? batch.count)
        writer = try RecordWriter(batch, aliases: aliases)
    }

    /// The next text, in the rows' order, and the rows that it was made of; nil at the end.
    ///
    /// - Parameter bytesMax: of the text; a record that is longer by itself stands alone.
    mutating func next(bytesMax: Int) throws -> (rows: Range<Int>, body: [UInt8])? {
        var body: [UInt8] = []
        var count = 0
        let first = row
        body.reserveCapacity(min(bytesMax, 1 << 20))
        if form.layout == .array { body.append(UInt8(ascii: "[")) }
        while row < end {
            if !isHeld {
                record.removeAll(keepingCapacity: true)
                writer.append(row, to: &record)
                if record.count > min(form.fieldBytesMax, form.bytesMax - 2), try !shorten() {
                    row += 1
                    continue
                }
            }
            guard count == 0 || body.count + record.count + 2 <= bytesMax else {
                isHeld = true
                break
            }
            isHeld = false
            if count > 0, form.layout == .array { body.append(UInt8(ascii: ",")) }
            body += record
            if form.layout == .lines { body.append(UInt8(ascii: "\n")) }
            count += 1
            row += 1
        }
        guard count > 0 else { return nil }
        if form.layout == .array { body.append(UInt8(ascii: "]")) }
        return (first..<row, body)
    }

    /// Cuts the values of the record that are too long; false, and noted, when the record is too long all the same.
    private mutating func shorten() throws -> Bool {
        var values = try batch.row(row)
        var cut: [Int] = []
        for i in values.indices {
            guard let shorter = FieldCutter.cut(values[i], to: form.fieldBytesMax) else { continue }
            values[i] = shorter
            cut.append(i)
        }
        let whole = record.count
        if !cut.isEmpty {
            var writer = try RecordWriter(Batch(schema: batch.schema, rows: [values]), aliases: aliases)
            record.removeAll(keepingCapacity: true)
            writer.append(0, to: &record)
        }
        guard record.count + 2 <= form.bytesMax else {
            refused.append(
                RefusedRow(
                    row: row,
                    reason: "\(whole) bytes, more than \(form.bytesMax) even after cutting values above "
                        + "\(form.fieldBytesMax) bytes; leave wide columns out in the transform"))
            return false
        }
        for i in cut { shortened[batch.schema[i].name, default: 0] += 1 }
        return true
    }
}
