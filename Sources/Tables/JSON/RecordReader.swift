/// Why a page of records cannot be used.
package enum RecordError: Error, Sendable {
    case malformed(JSONError)
    /// The text is JSON, but there are no records where they should be.
    case noRecords(String)
    /// The service wrote an error where the records should be.
    case service(code: String, message: String)

    package var description: String {
        switch self {
        case .malformed(let error): "malformed JSON: \(error.description)"
        case .noRecords(let reason): reason
        case .service(let code, let message): "the service answered \(code): \(message)"
        }
    }
}

/// Cells of one column that could not be read as its type; they are null.
package struct UnreadableCells: Sendable {
    package let column: String
    package let type: ScalarType
    package fileprivate(set) var count: Int
    package let firstRow: Int
    package let example: String
}

/// Records read from one JSON text.
package struct RecordPage: Sendable {
    package let batch: Batch
    /// Where the next page is, as the text names it.
    package let nextLink: String?
    /// Fields that no column takes, in the order they came.
    package let unknownFields: [String]
    package let unreadable: [UnreadableCells]

    package init(batch: Batch, nextLink: String?, unknownFields: [String], unreadable: [UnreadableCells]) {
        self.batch = batch
        self.nextLink = nextLink
        self.unknownFields = unknownFields
        self.unreadable = unreadable
    }
}

/// Reads JSON records into columns: bare arrays, `{"value": […]}` pages, advanced-hunting answers in either casing.
///
/// Keys match columns without regard to case, since the same field is spelled differently by different endpoints of
/// Defender (https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-vulnerabilities).
package struct RecordReader: Sendable {
    /// The columns to fill; when nil they are taken from the answer's own schema, or inferred.
    private let columns: [ColumnSpec]?
    private let unmapped: String?
    private let isOneRecord: Bool

    /// - Parameters:
    ///   - unmapped: a `dynamic` column, behind the others, for the fields that no column takes; nil to leave them out.
    ///   - isOneRecord: whether an object is a record as a whole, whatever lists it holds.
    package init(columns: [ColumnSpec]?, unmapped: String? = nil, isOneRecord: Bool = false) {
        self.columns = columns
        self.unmapped = unmapped
        self.isOneRecord = isOneRecord
    }

    /// Reads records that stand one after the other, most often one a line.
    package func read(sequence bytes: UnsafeBufferPointer<UInt8>) throws(RecordError) -> RecordPage {
        do throws(JSONError) {
            var sink = TypedRecords(columns ?? [], unmapped: unmapped)
            var reader = JSONReader(bytes)
            while reader.peek() != nil { try sink.read(&reader) }
            return sink.page(nextLink: nil)
        } catch { throw .malformed(error) }
    }

    /// - Parameter path: the member that holds the records, when it is not one of the known ones.
    package func read(_ bytes: [UInt8], path: String? = nil) throws(RecordError) -> RecordPage {
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<RecordPage, RecordError> in
            do throws(RecordError) { return .success(try read(buffer, path)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// A member of the outermost object and where its value stands.
    private struct Member {
        let key: String
        let range: Range<Int>
        let isArray: Bool
    }

    private static let listNames: Set<String> = ["value", "results", "records", "data"]

    private func read(_ bytes: UnsafeBufferPointer<UInt8>, _ path: String?) throws(RecordError) -> RecordPage {
        // Where columns are known, records are read on the way through the text.
        var found: TypedRecords?
        let members: [Member]?
        do throws(JSONError) {
            members = try Self.members(bytes) { (key, reader) throws(JSONError) in
                guard found == nil, let columns, !isOneRecord, path == nil, Self.listNames.contains(key.lowercased()) else { return false }
                var sink = TypedRecords(columns, unmapped: unmapped)
                try reader.array { (reader) throws(JSONError) in try sink.read(&reader) }
                found = sink
                return true
            }
        } catch { throw .malformed(error) }
        guard let members else { return try records(bytes, nil, nil, nil) }
        func member(_ names: [String]) -> Member? { members.first { m in names.contains { $0 == m.key.lowercased() } } }
        func value(_ m: Member?) throws(RecordError) -> Value {
            guard let m else { return .null }
            do throws(JSONError) { return try JSONReader.parse(Array(bytes[m.range])) } catch { throw .malformed(error) }
        }
        let next = try value(member(["@odata.nextlink", "nextlink", "$skiptoken"])).stringValue
        if let found { return found.page(nextLink: next) }
        if let path {
            guard let found = members.first(where: { $0.key == path }), found.isArray else {
                throw .noRecords("there is no array \"\(path)\" in the object")
            }
            return try records(bytes, found.range, nil, next)
        }
        if !isOneRecord, let found = member(Array(Self.listNames)), found.isArray {
            return try records(bytes, found.range, Self.schema(try value(member(["schema"]))), next)
        }
        if let names = member(["columns"]), let rows = member(["rows"]), names.isArray, rows.isArray {
            return try table(columns: try value(names), rows: try value(rows))
        }
        if let found = member(["error"]) {
            let error = try value(found)
            throw .service(code: error.bagValue?["code"]?.text ?? "an error", message: error.bagValue?["message"]?.text ?? error.text)
        }
        return try records(bytes, isOneRecord ? nil : Self.lonelyList(bytes, members), nil, nil)
    }

    /// Records of a table, as a query's answer writes it: `{"columns":[{"name","type"}],"rows":[[…]]}`.
    private func table(columns names: Value, rows: Value) throws(RecordError) -> RecordPage {
        let keys = (names.arrayValue ?? []).map { $0.bagValue?["name"]?.text ?? $0.text }
        var text: [UInt8] = [91]
        for (i, row) in (rows.arrayValue ?? []).enumerated() {
            guard let cells = row.arrayValue, cells.count == keys.count else { throw .noRecords("row \(i + 1) does not have \(keys.count) cells") }
            if i > 0 { text.append(44) }
            JSONWriter.append(.bag(Bag(zip(keys, cells).map { ($0, $1) })), to: &text)
        }
        text.append(93)
        let schema = Self.schema(names)
        let result = text.withUnsafeBufferPointer { buffer -> Result<RecordPage, RecordError> in
            do throws(RecordError) { return .success(try records(buffer, nil, schema, nil)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// The members of the outermost object; nil when the text is a bare array.
    ///
    /// - Parameter take: reads an array's value and tells so, or leaves it alone.
    private static func members(
        _ bytes: UnsafeBufferPointer<UInt8>, _ take: (String, inout JSONReader) throws(JSONError) -> Bool
    ) throws(JSONError) -> [Member]? {
        var reader = JSONReader(bytes)
        switch reader.peek() {
        case 91:
            try reader.skip()
            reader.skipSpace()
            guard reader.isAtEnd else { throw reader.fail("something follows the array") }
            return nil
        case 123: break
        case nil: throw reader.fail("the text is empty")
        default: throw reader.fail("expected an array or an object of records")
        }
        var members: [Member] = []
        try reader.object { (key, reader) throws(JSONError) in
            let isArray = reader.peek() == 91
            let start = reader.offset
            if !isArray { try reader.skip() } else if try !take(key, &reader) { try reader.skip() }
            members.append(Member(key: key, range: start..<reader.offset, isArray: isArray))
        }
        reader.skipSpace()
        guard reader.isAtEnd else { throw reader.fail("something follows the object") }
        return members
    }

    /// The only array of objects in an object that has only scalars beside it, as a catalogue file has.
    private static func lonelyList(_ bytes: UnsafeBufferPointer<UInt8>, _ members: [Member]) -> Range<Int>? {
        let lists = members.filter { m in m.isArray && bytes[m.range.lowerBound + 1..<m.range.upperBound].first { $0 > 32 } == 123 }
        let scalars = members.filter { !$0.isArray && bytes[$0.range.lowerBound] != 123 }
        return lists.count == 1 && 1 + scalars.count == members.count ? lists[0].range : nil
    }

    /// `[{"Name","Type"}]` of a hunting answer, in either casing.
    private static func schema(_ value: Value) -> [ColumnSpec]? {
        guard let items = value.arrayValue, !items.isEmpty else { return nil }
        return items.compactMap { item in
            guard let bag = item.bagValue, let name = (bag["name"] ?? bag["Name"])?.stringValue else { return nil }
            let typeName = (bag["type"] ?? bag["Type"])?.stringValue ?? "String"
            // Booleans arrive as SByte 0 and 1.
            let type: ScalarType = typeName == "SByte" ? .bool : typeName == "Object" ? .dynamic : ScalarType(name: typeName) ?? .string
            return ColumnSpec(name, type)
        }
    }

    private func records(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>?, _ schema: [ColumnSpec]?, _ next: String?
    ) throws(RecordError) -> RecordPage {
        let part = range.map { UnsafeBufferPointer(rebasing: bytes[$0]) } ?? bytes
        do throws(JSONError) {
            if let specs = columns ?? schema {
                var sink = TypedRecords(specs, unmapped: unmapped)
                try Self.each(part) { (reader) throws(JSONError) in try sink.read(&reader) }
                return sink.page(nextLink: next)
            }
            var sink = InferredRecords()
            try Self.each(part) { (reader) throws(JSONError) in sink.append(try reader.value()) }
            return RecordPage(batch: sink.finish(), nextLink: next, unknownFields: [], unreadable: [])
        } catch {
            throw .malformed(JSONError(offset: error.offset + (range?.lowerBound ?? 0), reason: error.reason))
        }
    }

    private static func each(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (inout JSONReader) throws(JSONError) -> Void) throws(JSONError) {
        var reader = JSONReader(bytes)
        if reader.peek() == 91 { try reader.array(body) } else { try body(&reader) }
    }
}

/// Fills declared columns from records, straight from the text.
package struct TypedRecords {
    private let specs: [ColumnSpec]
    private let byName: [String: Int]
    private var builders: [ColumnBuilder]
    /// Keys in the order of the records before: most records repeat it.
    private var order: [(start: Int, end: Int, column: Int)] = []
    private var orderBytes: [UInt8] = []
    private let types: [ScalarType]
    private var unknown: [String] = []
    private var unreadable: [Int: UnreadableCells] = [:]
    private var count = 0
    private let unmapped: String?
    /// The fields that no column takes, row by row, once there were some.
    private var leftOver: [Value] = []

    package init(_ specs: [ColumnSpec], unmapped: String? = nil) {
        self.specs = specs
        self.unmapped = unmapped
        byName = Dictionary(specs.enumerated().map { ($1.name.lowercased(), $0) }) { first, _ in first }
        builders = specs.map { ColumnBuilder($0.type) }
        types = specs.map(\.type)
    }

    /// What OData adds to records, such as `@odata.type`.
    private static let annotation = Array("@odata.".utf8)
    private static let annotationColumn = -2

    package func page(nextLink: String?) -> RecordPage {
        var schema = Schema(specs)
        var columns = builders.map { $0.finish() }
        if let unmapped {
            schema.columns.append(ColumnSpec(unmapped, .dynamic))
            columns.append(
                leftOver.isEmpty
                    ? Column(constant: .null, .dynamic, count: count)
                    : Column(.dynamic, .dynamic(leftOver + Array(repeating: .null, count: count - leftOver.count)), count: count))
        }
        return RecordPage(
            batch: Batch(schema: schema, columns: columns, count: count), nextLink: nextLink,
            unknownFields: unknown, unreadable: unreadable.keys.sorted().compactMap { unreadable[$0] })
    }

    /// Reads one record; a field that is there twice counts once, the first time.
    package mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        guard reader.peek() == 123 else { throw reader.fail("a record must be an object") }
        var position = 0
        var others = Bag()
        try reader.beginObject()
        while let key = try reader.nextKey(isFirst: position == 0) {
            let column: Int
            switch key {
            case .plain(let range): column = self.column(reader.text(range), position)
            case .escaped(let bytes): column = bytes.withUnsafeBufferPointer { self.column($0, position) }
            }
            position += 1
            if column >= 0, builders[column].count == count {
                try cell(column, &reader)
            } else if column < 0, unmapped != nil, column != Self.annotationColumn {
                let value = try reader.value()
                if value.isNull { continue }
                switch key {
                case .plain(let range): others[String(decoding: reader.text(range), as: UTF8.self)] = value
                case .escaped(let bytes): others[String(decoding: bytes, as: UTF8.self)] = value
                }
            } else {
                try reader.skip()
            }
        }
        if others.count > 0 {
            leftOver += repeatElement(.null, count: count - leftOver.count)
            leftOver.append(.bag(others))
        }
        for c in builders.indices where builders[c].count == count { builders[c].appendNull() }
        count += 1
    }

    @inline(__always)
    private mutating func column(_ key: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
        if position < order.count {
            let (start, end, column) = order[position]
            let isSame = end &- start == key.count && orderBytes.withUnsafeBufferPointer { ByteHash.equal(UnsafeBufferPointer(rebasing: $0[start..<end]), key) }
            if isSame { return column }
        }
        return look(up: key, position)
    }

    private mutating func look(up key: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
        let name = String(decoding: key, as: UTF8.self)
        let isAnnotation = key.starts(with: Self.annotation)
        let column = byName[name.lowercased()] ?? (isAnnotation ? Self.annotationColumn : -1)
        if column == -1, !unknown.contains(name) { unknown.append(name) }
        if position == order.count {
            let start = orderBytes.count
            orderBytes += key
            order.append((start, orderBytes.count, column))
        }
        return column
    }

    @inline(__always)
    private mutating func cell(_ c: Int, _ reader: inout JSONReader) throws(JSONError) {
        let first = reader.peek()
        switch types[c] {
        case .string where first == 34:
            try reader.stringBytes { self.builders[c].append(utf8: $0) }
            return
        case .datetime where first == 34:
            let ticks = try reader.stringBytes { text -> (Int64?, String?) in
                let parsed = DateTime.parse(bytes: text)
                return (parsed, parsed == nil ? String(decoding: text, as: UTF8.self) : nil)
            }
            if let time = ticks.0 { builders[c].append(time) } else { miss(c, ticks.1 ?? "") }
            return
        default: break
        }
        try other(c, &reader)
    }

    private mutating func other(_ c: Int, _ reader: inout JSONReader) throws(JSONError) {
        let type = types[c]
        let value = try reader.value()
        let read = Self.convert(value, type)
        if read.isNull, !value.isNull, type != .string, type != .dynamic { miss(c, value.text) } else { builders[c].append(read) }
    }

    private mutating func miss(_ c: Int, _ text: String) {
        builders[c].appendNull()
        if text.isEmpty { return }
        if unreadable[c] == nil {
            unreadable[c] = UnreadableCells(
                column: specs[c].name, type: specs[c].type, count: 0, firstRow: count + 1, example: String(text.prefix(80)))
        }
        unreadable[c]?.count += 1
    }

    /// A JSON value as a column's type: numbers and booleans may come as text, arrays and objects as JSON in text.
    static func convert(_ value: Value, _ type: ScalarType) -> Value {
        switch (type, value) {
        case (_, .null): return .null
        case (.string, _): return .string(value.text)
        case (.dynamic, .string(let text)):
            let first = text.utf8.first { $0 > 32 }
            if first == 123 || first == 91, let inner = try? JSONReader.parse(text) { return inner }
            return value
        case (.dynamic, _): return value
        case (.bool, .long(let n)) where n == 0 || n == 1: return .bool(n == 1)
        case (.long, .real(let d)), (.int, .real(let d)):
            guard let n = Int64(exactly: d) else { return .null }
            return .long(n)
        case (.datetime, .long), (.datetime, .real), (.timespan, .long), (.timespan, .real): return .null
        default: return value.converted(to: type)
        }
    }
}
