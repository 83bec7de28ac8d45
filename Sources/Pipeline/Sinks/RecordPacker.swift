import Tables

/// Packs rows into JSON arrays that each stay under a size.
struct RecordPacker: Sendable {
    let bytesMax: Int
    /// A longer text would be cut by the service.
    private static let fieldBytesMax = 65_536

    /// The arrays, in the rows' order.
    func pack(_ batch: Batch) throws -> [(rows: Int, body: [UInt8])] {
        let writer = try RecordWriter(batch)
        var packs: [(rows: Int, body: [UInt8])] = []
        var body: [UInt8] = [91]
        var rows = 0
        var record: [UInt8] = []
        for row in 0..<batch.count {
            record.removeAll(keepingCapacity: true)
            writer.append(row, to: &record)
            if record.count + 2 > bytesMax { record = try shortened(batch, row) }
            if rows > 0, body.count + record.count + 2 > bytesMax {
                body.append(93)
                packs.append((rows, body))
                body = [91]
                rows = 0
            }
            if rows > 0 { body.append(44) }
            body += record
            rows += 1
        }
        if rows > 0 {
            body.append(93)
            packs.append((rows, body))
        }
        return packs
    }

    /// One record with every value cut as the service would cut it.
    private func shortened(_ batch: Batch, _ row: Int) throws -> [UInt8] {
        var out = Bag()
        for (spec, value) in zip(batch.schema.columns, try batch.row(row)) where !value.isNull {
            let text = value.text
            out[spec.name] = text.utf8.count > Self.fieldBytesMax ? .string(String(decoding: text.utf8.prefix(Self.fieldBytesMax), as: UTF8.self)) : value
        }
        var bytes: [UInt8] = []
        JSONWriter.append(.bag(out), to: &bytes)
        guard bytes.count + 2 <= bytesMax else {
            throw OperatorError(
                "a row is too large for the service", got: "\(bytes.count) bytes after cutting long values",
                next: "leave wide columns out in the source's transform")
        }
        return bytes
    }
}
