import Tables

/// Records of a CSV text whose header names the columns (RFC 4180).
///
/// Lines that begin with `#` before the header are comments; pairs in them, as in
/// `#model_version:v2026.03.16,score_date:2026-11-25`, fill the columns of the document.
struct DelimitedRecords {
    let columns: [ColumnSpec]
    /// Columns that hold one value each, from the comment.
    let document: [ColumnSpec]
    private static let separators = [UInt8(ascii: ","), UInt8(ascii: ";"), 9, UInt8(ascii: "|")]
    private static let namesMax = 12
    private static let exampleMax = 80

    func page(_ bytes: [UInt8]) throws(FeedProblem) -> RecordPage {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<RecordPage, FeedProblem> in
            do throws(FeedProblem) { return .success(try page(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    private func page(_ bytes: UnsafeBufferPointer<UInt8>) throws(FeedProblem) -> RecordPage {
        var at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var pairs: [String: String] = [:]
        while at < bytes.count, bytes[at] == UInt8(ascii: "#") {
            let end = bytes[at...].firstIndex(of: 10) ?? bytes.count
            Self.read(comment: String(decoding: bytes[(at + 1)..<end], as: UTF8.self), into: &pairs)
            at = min(end + 1, bytes.count)
        }
        var best = (separator: Self.separators[0], header: [String](), end: at, known: -1)
        for separator in Self.separators {
            // With another separator a quote may seem never to be closed.
            guard let first = try? CSVRecords.texts(bytes, from: at, separator: separator) else { continue }
            let header = first.fields.map(Self.name)
            let known = columns.count { column in header.contains { Self.same($0, column.name) } }
            if known > best.known { best = (separator, header, first.end, known) }
        }
        guard best.known > 0 else { throw foreign(best.header) }
        var records = Records(columns, header: best.header)
        do throws(FileProblem) { try records.read(bytes, from: best.end, separator: best.separator) } catch {
            throw .unusable(error.description(in: bytes))
        }
        let values = document.map { spec in
            best.header.contains { Self.same($0, spec.name) }
                ? .null : Self.value(pairs[spec.name.lowercased()] ?? "", spec.type)
        }
        return records.page().with(document, values)
    }

    /// A value of the comment; times may have their zone without a colon, as `+0000`.
    private static func value(_ text: String, _ type: ScalarType) -> Value {
        guard type == .datetime, text.count > 5, let sign = text.dropLast(4).last, sign == "+" || sign == "-",
            text.suffix(4).allSatisfy(\.isNumber), text.contains("T")
        else { return text.isEmpty ? .null : .string(text) }
        return .string("\(text.dropLast(2)):\(text.suffix(2))")
    }

    private static func read(comment: String, into pairs: inout [String: String]) {
        for part in comment.split(separator: ",") {
            guard let colon = part.firstIndex(of: ":") else { continue }
            let name = part[..<colon].trimmed.lowercased()
            if !name.isEmpty, pairs[name] == nil { pairs[name] = part[part.index(after: colon)...].trimmed }
        }
    }

    /// A column's name, also where a blank stands before its quotes.
    private static func name(_ field: String) -> String {
        let name = field.trimmed
        return name.count > 1 && name.hasPrefix("\"") && name.hasSuffix("\"")
            ? name.dropFirst().dropLast().trimmed : name
    }

    private static func same(_ a: String, _ b: String) -> Bool { a.lowercased() == b.lowercased() }

    private func foreign(_ header: [String]) -> FeedProblem {
        let found = header.prefix(Self.namesMax).map { String($0.prefix(Self.exampleMax)) }.joined(separator: ", ")
        let expected = columns.map(\.name).joined(separator: ", ")
        return .unusable("no header line that names one of the columns \(expected); there is: \(found)")
    }

    /// Records on their way into columns.
    private struct Records {
        private let columns: [ColumnSpec]
        private let header: [String]
        /// The column of each field; nil for fields that no column takes.
        private let targets: [Int?]
        private var builders: [ColumnBuilder]
        private var leftOver = ColumnBuilder(.dynamic)
        private var unreadable: [Int: UnreadableCells] = [:]
        private var unknown: [String]
        private var count = 0
        /// The record that is read now.
        private var filled: [Bool]
        private var others = Bag()

        init(_ columns: [ColumnSpec], header: [String]) {
            self.columns = columns
            self.header = header
            var taken: Set<Int> = []
            targets = header.map { name in
                guard let c = columns.firstIndex(where: { DelimitedRecords.same($0.name, name) }),
                    taken.insert(c).inserted
                else { return nil }
                return c
            }
            let targets = targets
            unknown = header.indices.filter { targets[$0] == nil && !header[$0].isEmpty }.map { header[$0] }
            builders = columns.map { ColumnBuilder($0.type) }
            filled = columns.map { _ in false }
        }

        mutating func read(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, separator: UInt8) throws(FileProblem) {
            var cells = RecordCells(header: header)
            var reader = CSVRecords(separator: separator, width: header.count, offset: start, count: 1)
            while try reader.next(&cells, bytes) {
                // A text that was cut off ends within a record, and what is left of it is not what it was.
                if cells.isShort, reader.end == bytes.count, bytes[reader.end - 1] != 10, bytes[reader.end - 1] != 13 {
                    throw FileProblem(
                        "the text ends in the middle of the record", record: reader.count, offset: reader.start)
                }
                for field in cells.touched { take(cells[field], bytes, field) }
                for (place, cell) in cells.extra { keep(cell, bytes, as: "field \(place)") }
                finishRecord()
            }
        }

        private mutating func take(_ cell: FileCell, _ bytes: UnsafeBufferPointer<UInt8>, _ field: Int) {
            guard let c = targets[field] else {
                if cell.kind == .missing { return }
                return keep(cell, bytes, as: header[field].isEmpty ? "field \(field + 1)" : header[field])
            }
            filled[c] = true
            switch columns[c].type {
            case .string: builders[c].append(cell.plainText(bytes))
            case .real where cell.kind == .text:
                let text = UnsafeBufferPointer(rebasing: bytes[cell.range])
                if let number = TextNumbers.double(text) { builders[c].append(number) } else { slowly(cell, bytes, c) }
            default: slowly(cell, bytes, c)
            }
        }

        /// Keeps a cell that no column takes.
        private mutating func keep(_ cell: FileCell, _ bytes: UnsafeBufferPointer<UInt8>, as name: String) {
            others[name] = .string(cell.plainText(bytes))
            if !unknown.contains(name) { unknown.append(name) }
        }

        /// Reads a cell in whatever spelling; one that is not of its column's type is null, and kept as it came.
        private mutating func slowly(_ cell: FileCell, _ bytes: UnsafeBufferPointer<UInt8>, _ c: Int) {
            let text = cell.plainText(bytes).trimmed
            if text.isEmpty { return builders[c].appendNull() }
            let type = columns[c].type
            var value = Value.string(text)
            if type == .dynamic {
                let first = text.utf8.first
                if first == UInt8(ascii: "{") || first == UInt8(ascii: "["), let inner = try? JSONReader.parse(text) {
                    value = inner
                }
                return builders[c].append(value)
            }
            value = value.converted(to: type)
            if case .real(let number) = value, !number.isFinite { value = .null }
            guard value.isNull else { return builders[c].append(value) }
            builders[c].appendNull()
            others[columns[c].name] = .string(text)
            if unreadable[c] == nil {
                unreadable[c] = UnreadableCells(
                    column: columns[c].name, type: type, firstRow: count + 1, example: String(text.prefix(exampleMax)))
            }
            unreadable[c]?.add()
        }

        private mutating func finishRecord() {
            for c in columns.indices {
                if !filled[c] {
                    if columns[c].type == .string { builders[c].append("") } else { builders[c].appendNull() }
                }
                filled[c] = false
            }
            leftOver.append(others.count == 0 ? .null : .bag(others))
            others = Bag()
            count += 1
        }

        func page() -> RecordPage {
            let batch = Batch(
                schema: Schema(columns + [ColumnSpec("Unmapped", .dynamic)]),
                columns: builders.map { $0.finish() } + [leftOver.finish()], count: count)
            return RecordPage(
                batch: batch, nextLink: nil, unknownFields: unknown,
                unreadable: unreadable.keys.sorted().compactMap { unreadable[$0] })
        }
    }
}
