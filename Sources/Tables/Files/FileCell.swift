/// One cell as a file has it: what kind of thing it is, and where in the file's text it stands.
///
/// Nothing is decoded before it is known what the cell is to become, so that no digit is lost on the way.
package struct FileCell: Sendable, Equatable {
    package enum Kind: UInt8, Sendable {
        /// `null`, or a field of CSV with nothing in it.
        case missing
        /// A text as it stands.
        case text
        /// A field of CSV in which quotation marks are doubled.
        case doubledQuotes
        /// A JSON string with escapes, its quotation marks included.
        case escapes
        /// A number of JSON, as it is written.
        case number
        case isTrue, isFalse
        /// An array or an object of JSON.
        case nested
    }

    package let kind: Kind
    package let start: Int
    package let end: Int

    package init(_ kind: Kind, _ range: Range<Int>) {
        self.kind = kind
        start = range.lowerBound
        end = range.upperBound
    }

    package var range: Range<Int> { start..<end }

    /// The cell's text with nothing escaped or doubled any more.
    package func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) -> String {
        switch kind {
        case .missing: return ""
        case .text, .number, .isTrue, .isFalse, .nested:
            return String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
        case .doubledQuotes:
            return String(decoding: undoubled(bytes), as: UTF8.self)
        case .escapes:
            var reader = JSONReader(UnsafeBufferPointer(rebasing: bytes[range]))
            do throws(JSONError) { return try reader.string() } catch {
                throw JSONError(offset: start + error.offset, reason: error.reason)
            }
        }
    }

    /// The text of a field of CSV, which has no escapes that could be malformed.
    package func plainText(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        precondition(kind != .escapes, "fields of CSV have no escapes")
        return kind == .doubledQuotes
            ? String(decoding: undoubled(bytes), as: UTF8.self)
            : String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
    }

    /// The bytes of a field whose quotation marks are doubled.
    func undoubled(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(end - start)
        var i = start
        while i < end {
            out.append(bytes[i])
            i += bytes[i] == 34 && i + 1 < end && bytes[i + 1] == 34 ? 2 : 1
        }
        return out
    }

    /// The value that a cell of type `dynamic` holds: JSON as it is, numbers that no number type holds as texts.
    ///
    /// - Parameter reads: whether a text that is JSON is read as such; else it stays a text.
    package func value(_ bytes: UnsafeBufferPointer<UInt8>, readsTexts reads: Bool) throws(JSONError) -> Value {
        switch kind {
        case .missing: return .null
        case .isTrue: return .bool(true)
        case .isFalse: return .bool(false)
        case .number, .nested:
            return try JSONReader.parse(bytes, range, keepsDigits: true)
        case .text, .doubledQuotes, .escapes:
            let text = try text(bytes)
            guard reads, let first = text.utf8.first(where: { $0 > 32 }), first == 123 || first == 91 else {
                return .string(text)
            }
            return (try? JSONReader.parse(text, keepsDigits: true)) ?? .string(text)
        }
    }
}

/// What is wrong with a file, and where.
package struct FileProblem: Error, Sendable, Equatable {
    package let reason: String
    /// Counted from 1, the header of CSV included; nil when it is no matter of one record.
    package let record: Int?
    /// A byte of the text that was read.
    package let offset: Int?
    /// Where the record begins, when that is another place.
    package let start: Int?

    package init(_ reason: String, record: Int? = nil, offset: Int? = nil, start: Int? = nil) {
        self.start = start
        self.reason = reason
        self.record = record
        self.offset = offset
    }

    /// With the record and the line in the text.
    package func description(in bytes: UnsafeBufferPointer<UInt8>) -> String {
        var place: [String] = []
        let line = offset.map { FileText.line(of: $0, in: bytes) }
        let begin = start.map { FileText.line(of: $0, in: bytes) }
        if let record {
            let beginning = begin.flatMap { $0 == line ? nil : " (begins in line \($0))" }
            place.append("record \(record)\(beginning ?? "")")
        }
        if let line { place.append("line \(line)") }
        return place.isEmpty ? reason : "\(place.joined(separator: ", ")): \(reason)"
    }
}
