import Tables

/// Packs rows into JSON texts that each stay under a size, one text at a time.
struct RecordPacker {
    enum Layout {
        /// `[{…},{…}]`
        case array
        /// One object a line.
        case lines
    }

    private let batch: Batch
    private let bytesMax: Int
    private let layout: Layout
    private var writer: RecordWriter
    private let aliases: [(name: String, column: String)]
    private var row = 0
    private var record: [UInt8] = []
    /// The record in `record` did not fit into the last text.
    private var isHeld = false
    /// Rows that fit no text, however they are cut.
    private(set) var refused: [RefusedRow] = []
    /// A longer text would be cut by the service.
    private static let fieldBytesMax = 65_536

    init(_ batch: Batch, bytesMax: Int, layout: Layout, aliases: [(name: String, column: String)] = []) throws {
        self.batch = batch
        self.bytesMax = bytesMax
        self.layout = layout
        self.aliases = aliases
        writer = try RecordWriter(batch, aliases: aliases)
    }

    /// The next text, in the rows' order; nil at the end.
    mutating func next() -> (rows: Int, body: [UInt8])? {
        var body: [UInt8] = []
        var rows = 0
        body.reserveCapacity(min(bytesMax, 1 << 20))
        if layout == .array { body.append(91) }
        while row < batch.count {
            if !isHeld {
                record.removeAll(keepingCapacity: true)
                writer.append(row, to: &record)
                if record.count + 2 > bytesMax, !shorten() {
                    row += 1
                    continue
                }
            }
            guard rows == 0 || body.count + record.count + 2 <= bytesMax else {
                isHeld = true
                break
            }
            isHeld = false
            if rows > 0, layout == .array { body.append(44) }
            body += record
            if layout == .lines { body.append(10) }
            rows += 1
            row += 1
        }
        guard rows > 0 else { return nil }
        if layout == .array { body.append(93) }
        return (rows, body)
    }

    /// Which rows a text holds that begins behind row number `after`: refused rows are not in it.
    func rows(after: Int) -> Range<Int> {
        var start = after
        while refused.contains(where: { $0.row == start }) { start += 1 }
        return start..<row
    }

    /// Cuts every long value of the record as the service would; false, and noted, when that is not enough.
    private mutating func shorten() -> Bool {
        var out = Bag()
        let values = (try? batch.row(row)) ?? []
        for (spec, value) in zip(batch.schema.columns, values) where !value.isNull {
            let text = value.text
            out[spec.name] =
                text.utf8.count > Self.fieldBytesMax
                ? .string(String(decoding: text.utf8.prefix(Self.fieldBytesMax), as: UTF8.self)) : value
        }
        for alias in aliases { out[alias.name] = out[alias.column] ?? .null }
        let whole = record.count
        record.removeAll(keepingCapacity: true)
        JSONWriter.append(.bag(out), to: &record)
        guard record.count + 2 > bytesMax else { return true }
        refused.append(
            RefusedRow(
                row: row,
                reason:
                    "\(whole) bytes, more than \(bytesMax) even after cutting long values; leave wide columns out in the transform"
            ))
        return false
    }
}
