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
        var end = at
        var best = (separator: Self.separators[0], header: [String](), known: -1)
        for separator in Self.separators {
            let header = CSV.fields(bytes, from: at, separator: separator, end: &end).map(Self.name)
            let known = columns.count { column in header.contains { Self.same($0, column.name) } }
            if known > best.known { best = (separator, header, known) }
        }
        guard best.known > 0 else { throw foreign(best.header) }
        var records = Records(columns, header: best.header)
        try records.read(bytes, from: end, separator: best.separator)
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

        mutating func read(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, separator: UInt8) throws(FeedProblem) {
            var at = start
            var quoted: [UInt8] = []
            while at < bytes.count {
                if bytes[at] == 10 || bytes[at] == 13 {
                    at += 1
                    continue
                }
                var field = 0
                while true {
                    var end = at
                    if at < bytes.count, bytes[at] == UInt8(ascii: "\"") {
                        quoted.removeAll(keepingCapacity: true)
                        end = try unquote(bytes, at, separator, into: &quoted)
                        quoted.withUnsafeBufferPointer { take($0, field) }
                    } else {
                        while end < bytes.count, bytes[end] != separator, bytes[end] != 10, bytes[end] != 13 {
                            end += 1
                        }
                        take(UnsafeBufferPointer(rebasing: bytes[at..<end]), field)
                    }
                    field += 1
                    at = end
                    guard at < bytes.count, bytes[at] == separator else { break }
                    at += 1
                }
                // A text that was cut off ends within a record, and what is left of it is not what it was.
                if at >= bytes.count, field < header.count {
                    throw .unusable("a text that ends in the middle of record \(count + 1)")
                }
                finishRecord()
            }
        }

        /// The text of a quoted field.
        ///
        /// - Returns: the place behind the field.
        private func unquote(
            _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ separator: UInt8, into text: inout [UInt8]
        ) throws(FeedProblem) -> Int {
            var at = start + 1
            while true {
                guard at < bytes.count else { throw .unusable("a quote in record \(count + 1) that is never closed") }
                if bytes[at] != UInt8(ascii: "\"") {
                    text.append(bytes[at])
                    at += 1
                } else if at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "\"") {
                    text.append(bytes[at])
                    at += 2
                } else {
                    break
                }
            }
            at += 1
            // What stands between the closing quote and the separator belongs to the field, as other readers have it.
            while at < bytes.count, bytes[at] != separator, bytes[at] != 10, bytes[at] != 13 {
                text.append(bytes[at])
                at += 1
            }
            return at
        }

        private mutating func take(_ text: UnsafeBufferPointer<UInt8>, _ field: Int) {
            guard field < header.count, let c = targets[field] else {
                if text.isEmpty { return }
                let name = field < header.count && !header[field].isEmpty ? header[field] : "field \(field + 1)"
                others[name] = .string(String(decoding: text, as: UTF8.self))
                if field >= header.count || header[field].isEmpty, !unknown.contains(name) { unknown.append(name) }
                return
            }
            filled[c] = true
            switch columns[c].type {
            case .string: builders[c].append(String(decoding: text, as: UTF8.self))
            case .real:
                if let number = TextNumbers.double(text) { builders[c].append(number) } else { slowly(text, c) }
            default: slowly(text, c)
            }
        }

        /// Reads a cell in whatever spelling; one that is not of its column's type is null, and kept as it came.
        private mutating func slowly(_ bytes: UnsafeBufferPointer<UInt8>, _ c: Int) {
            let text = String(decoding: bytes, as: UTF8.self).trimmed
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
