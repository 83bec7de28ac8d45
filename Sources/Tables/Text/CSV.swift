/// Comma-separated values as RFC 4180 has them: quoted fields may hold separators, line ends and doubled quotes.
package enum CSV {
    /// One record with its line end; fields are quoted where they must be.
    package static func line(_ fields: [String]) -> String {
        func field(_ text: String) -> String {
            text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
                ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
        }
        return fields.map(field).joined(separator: ",") + "\r\n"
    }

    /// The records of a text, as far as they were read when the query has to stop. An unclosed quote ends at the end of
    /// the text.
    package static func records(_ bytes: some Collection<UInt8>, separator: UInt8 = 44) -> [[String]] {
        var records: [[String]] = []
        var record: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var wasQuoted = false
        var previous: UInt8 = 0
        func finishField() {
            record.append(String(decoding: field, as: UTF8.self))
            field.removeAll(keepingCapacity: true)
            wasQuoted = false
        }
        func finishRecord() {
            if record.isEmpty, field.isEmpty, !wasQuoted { return }
            finishField()
            records.append(record)
            record = []
        }
        var iterator = bytes.makeIterator()
        var pending = iterator.next()
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            for _ in 0..<3 { pending = iterator.next() }
        }
        var count = 0
        while let byte = pending {
            count &+= 1
            if count & 0xFFFF == 0, StopSign.isDue { break }
            pending = iterator.next()
            if isQuoted {
                if byte != 34 {
                    field.append(byte)
                } else if pending == 34 {
                    field.append(34)
                    pending = iterator.next()
                } else {
                    isQuoted = false
                }
            } else if byte == 34, field.isEmpty {
                isQuoted = true
                wasQuoted = true
            } else if byte == separator {
                finishField()
                if pending == nil { wasQuoted = true }
            } else if byte == 10 || byte == 13 {
                if !(byte == 10 && previous == 13) { finishRecord() }
            } else {
                field.append(byte)
            }
            previous = byte
        }
        finishRecord()
        return records
    }
}
