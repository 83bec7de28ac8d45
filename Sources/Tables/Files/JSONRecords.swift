/// Reads records of JSON one at a time: objects in an array, objects one after the other, or rows of a table.
package struct JSONRecords: FileRecords {
    /// What the parts of the text are.
    package enum Form: Sendable {
        /// Objects, alone or in arrays.
        case objects
        /// Arrays of arrays, whose cells belong to these columns.
        case rows([String])
    }

    private let form: Form
    private let parts: [Range<Int>]
    /// Only records whose member of this name has this text; the member itself is left out.
    private let only: (name: String, text: String)?
    /// Whether what is no object becomes a record with one field `Value`.
    private let takesScalars: Bool
    private var part = 0
    /// Where the next record is looked for in the part; nil before its beginning.
    private var offset: Int?
    private var isInArray = false
    package private(set) var count = 0
    package private(set) var start = 0
    /// Records that were left out, by the text that they had instead.
    package private(set) var leftOut: [String: Int] = [:]

    /// - Parameters:
    ///   - parts: where the values stand that hold the records.
    ///   - only: leaves out the records whose member of that name has another text.
    ///   - takesScalars: whether what is no object becomes a record with one field `Value`; else it is an error.
    package init(
        _ form: Form, _ parts: [Range<Int>], only: (name: String, text: String)? = nil, takesScalars: Bool = true
    ) {
        self.takesScalars = takesScalars
        self.form = form
        self.parts = parts
        self.only = only
    }

    package mutating func next(_ cells: inout RecordCells, _ bytes: UnsafeBufferPointer<UInt8>) throws(FileProblem)
        -> Bool
    {
        while part < parts.count {
            let range = parts[part]
            let base = range.lowerBound + (offset ?? 0)
            var reader = JSONReader(UnsafeBufferPointer(rebasing: bytes[base..<range.upperBound]))
            do throws(JSONError) {
                guard try advance(&reader) else {
                    offset = base + reader.offset - range.lowerBound
                    reader.skipSpace()
                    if reader.isAtEnd {
                        part += 1
                        (offset, isInArray) = (nil, false)
                    }
                    continue
                }
                reader.skipSpace()
                start = base + reader.offset
                count += 1
                cells.begin()
                let isWanted = try record(&reader, base, &cells, bytes)
                offset = base + reader.offset - range.lowerBound
                if isWanted { return true }
            } catch {
                throw FileProblem(
                    error.reason, record: max(count, 1), offset: min(base + error.offset, max(bytes.count - 1, 0)),
                    start: start)
            }
        }
        return false
    }

    /// Goes to the beginning of the next record; false at the end of an array, or of the part.
    private mutating func advance(_ reader: inout JSONReader) throws(JSONError) -> Bool {
        if isInArray {
            if reader.consume(44) { return true }
            try reader.expect(93)
            isInArray = false
            return false
        }
        guard let first = reader.peek() else { return false }
        guard first == 91 else { return true }
        _ = reader.consume(91)
        if reader.consume(93) { return false }
        isInArray = true
        return true
    }

    /// Reads one record; false when it is not one of those that are wanted.
    private mutating func record(
        _ reader: inout JSONReader, _ base: Int, _ cells: inout RecordCells, _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(JSONError) -> Bool {
        switch form {
        case .rows(let names):
            guard reader.consume(91) else { throw reader.fail("a row must be an array") }
            var i = 0
            if !reader.consume(93) {
                repeat {
                    let cell = try Self.cell(&reader, base)
                    if i < names.count { Self.set(names[i], cell, &cells) }
                    i += 1
                } while reader.consume(44)
                try reader.expect(93)
            }
            guard i == names.count else { throw reader.fail("a row of \(i) cells, but \(names.count) columns") }
            return true
        case .objects:
            guard reader.peek() == 123 else {
                guard takesScalars else { throw reader.fail("a record must be an object") }
                Self.set("Value", try Self.cell(&reader, base), &cells)
                return true
            }
            return try object(&reader, base, &cells, bytes)
        }
    }

    private static func set(_ name: String, _ cell: FileCell, _ cells: inout RecordCells) {
        var name = name
        let column = name.withUTF8 { cells.column($0) }
        cells.set(column, cell)
    }

    private mutating func object(
        _ reader: inout JSONReader, _ base: Int, _ cells: inout RecordCells, _ bytes: UnsafeBufferPointer<UInt8>
    ) throws(JSONError) -> Bool {
        var isFirst = true
        var other: String?
        try reader.beginObject()
        while let key = try reader.nextKey(isFirst: isFirst) {
            isFirst = false
            let spelling: [UInt8]?
            let column: Int
            switch key {
            case .plain(let range):
                let text = reader.text(range)
                spelling = Self.isAnnotation(text) || only?.name.utf8.elementsEqual(text) == true ? Array(text) : nil
                column = spelling == nil ? cells.column(text) : -1
            case .escaped(let text):
                spelling = nil
                column = text.withUnsafeBufferPointer { cells.column($0) }
            }
            let cell = try Self.cell(&reader, base)
            if column >= 0 { cells.set(column, cell) }
            if let spelling, let only, only.name.utf8.elementsEqual(spelling) {
                let text = try cell.text(bytes)
                if text != only.text { other = text }
            }
        }
        if let other { leftOut[other, default: 0] += 1 }
        return other == nil
    }

    /// What OData adds to records, such as `Score@odata.type`.
    @inline(__always)
    private static func isAnnotation(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        guard key.count > 7, let at = key.firstIndex(of: 64) else { return false }
        return key[at...].starts(with: "@odata.".utf8)
    }

    private static func cell(_ reader: inout JSONReader, _ base: Int) throws(JSONError) -> FileCell {
        guard let first = reader.peek() else { throw reader.fail("the text ends where a value should be") }
        func shifted(_ range: Range<Int>) -> Range<Int> { base + range.lowerBound..<base + range.upperBound }
        switch first {
        case 34:
            let (range, hasEscapes) = try reader.stringRange()
            guard hasEscapes else { return FileCell(.text, shifted(range)) }
            return FileCell(.escapes, shifted(range.lowerBound - 1..<range.upperBound + 1))
        case 123, 91:
            let start = reader.offset
            try reader.skip()
            return FileCell(.nested, shifted(start..<reader.offset))
        default:
            let range = reader.wordRange()
            let word = reader.text(range)
            if word.elementsEqual("null".utf8) { return FileCell(.missing, shifted(range)) }
            if word.elementsEqual("true".utf8) { return FileCell(.isTrue, shifted(range)) }
            if word.elementsEqual("false".utf8) { return FileCell(.isFalse, shifted(range)) }
            guard NumberShape.isJSON(word) else {
                throw JSONError(offset: range.lowerBound, reason: "expected a value")
            }
            return FileCell(.number, shifted(range))
        }
    }
}
