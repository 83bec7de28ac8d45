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
    package internal(set) var count: Int
    package let firstRow: Int
    package let example: String

    package init(column: String, type: ScalarType, count: Int = 0, firstRow: Int, example: String) {
        self.column = column
        self.type = type
        self.count = count
        self.firstRow = firstRow
        self.example = example
    }

    package mutating func add() { count += 1 }
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
    /// The list of a hunting answer, in lower case: its cells may carry Graph's marks.
    private static let huntingList = "results"

    private func read(_ bytes: UnsafeBufferPointer<UInt8>, _ path: String?) throws(RecordError) -> RecordPage {
        // Where columns are known, records are read on the way through the text.
        var found: TypedRecords?
        let members: [Member]?
        do throws(JSONError) {
            members = try Self.members(bytes) { (key, reader) throws(JSONError) in
                guard found == nil, let columns, !isOneRecord, path == nil, Self.listNames.contains(key.lowercased())
                else { return false }
                var sink = TypedRecords(columns, unmapped: unmapped, isHunting: key.lowercased() == Self.huntingList)
                try reader.array { (reader) throws(JSONError) in try sink.read(&reader) }
                found = sink
                return true
            }
        } catch { throw .malformed(error) }
        guard let members else { return try records(bytes, nil, nil, nil) }
        func member(_ names: [String]) -> Member? { members.first { m in names.contains { $0 == m.key.lowercased() } } }
        func value(_ m: Member?) throws(RecordError) -> Value {
            guard let m else { return .null }
            do throws(JSONError) { return try JSONReader.parse(Array(bytes[m.range])) } catch {
                throw .malformed(error)
            }
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
            return try records(
                bytes, found.range, Self.schema(try value(member(["schema"]))), next,
                isHunting: found.key.lowercased() == Self.huntingList)
        }
        if let names = member(["columns"]), let rows = member(["rows"]), names.isArray, rows.isArray {
            return try table(columns: try value(names), rows: try value(rows))
        }
        if let found = member(["error"]) {
            let error = try value(found)
            throw .service(
                code: error.bagValue?["code"]?.text ?? "an error",
                message: error.bagValue?["message"]?.text ?? error.text)
        }
        return try records(bytes, isOneRecord ? nil : Self.lonelyList(bytes, members), nil, nil)
    }

    /// Records of a table, as a query's answer writes it: `{"columns":[{"name","type"}],"rows":[[…]]}`.
    private func table(columns names: Value, rows: Value) throws(RecordError) -> RecordPage {
        let keys = (names.arrayValue ?? []).map { $0.bagValue?["name"]?.text ?? $0.text }
        var text: [UInt8] = [91]
        for (i, row) in (rows.arrayValue ?? []).enumerated() {
            guard let cells = row.arrayValue, cells.count == keys.count else {
                throw .noRecords("row \(i + 1) does not have \(keys.count) cells")
            }
            if i > 0 { text.append(44) }
            JSONWriter.append(.bag(Bag(zip(keys, cells).map { ($0, $1) })), to: &text)
        }
        text.append(93)
        let schema = Self.schema(names)
        let result = text.withUnsafeBufferPointer { buffer -> Result<RecordPage, RecordError> in
            do throws(RecordError) { return .success(try records(buffer, nil, schema, nil)) } catch {
                return .failure(error)
            }
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

    /// The only array of objects in an object that has only scalars beside it, as a catalogue file has; it may be empty.
    private static func lonelyList(_ bytes: UnsafeBufferPointer<UInt8>, _ members: [Member]) -> Range<Int>? {
        let arrays = members.count { $0.isArray }
        let lists = members.filter { m in
            let first = bytes[m.range.lowerBound + 1..<m.range.upperBound].first { $0 > 32 }
            return m.isArray && (first == UInt8(ascii: "{") || first == UInt8(ascii: "]") && arrays == 1)
        }
        let scalars = members.filter { !$0.isArray && bytes[$0.range.lowerBound] != 123 }
        return lists.count == 1 && 1 + scalars.count == members.count ? lists[0].range : nil
    }

    /// `[{"Name","Type"}]` of a hunting answer, in either casing.
    private static func schema(_ value: Value) -> [ColumnSpec]? {
        guard let items = value.arrayValue, !items.isEmpty else { return nil }
        return items.compactMap { item in
            guard let bag = item.bagValue, let name = (bag["name"] ?? bag["Name"])?.stringValue else { return nil }
            // A type without a name is a text, as most columns are.
            let typeName = (bag["type"] ?? bag["Type"])?.stringValue ?? ScalarType.string.dotNetName
            return ColumnSpec(name, Self.type(named: typeName))
        }
    }

    /// The type of a column in a hunting answer's schema: a name of .NET, OData or Kusto. Booleans are `SByte`.
    private static func type(named name: String) -> ScalarType {
        let plain = name.hasPrefix("#") ? String(name.dropFirst()) : name
        switch plain {
        case "DateTimeOffset": return .datetime
        case "Duration": return .timespan
        case "Byte", "Int16", "UInt16": return .int
        case "UInt32": return .long
        default: return plain.hasPrefix("Collection(") ? .dynamic : ScalarType(name: plain) ?? .string
        }
    }

    private func records(
        _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>?, _ schema: [ColumnSpec]?, _ next: String?,
        isHunting: Bool = false
    ) throws(RecordError) -> RecordPage {
        let part = range.map { UnsafeBufferPointer(rebasing: bytes[$0]) } ?? bytes
        do throws(JSONError) {
            if let specs = columns ?? schema {
                var sink = TypedRecords(specs, unmapped: unmapped, isHunting: isHunting)
                try Self.each(part) { (reader) throws(JSONError) in try sink.read(&reader) }
                return sink.page(nextLink: next)
            }
            var sink = InferredRecords()
            try Self.each(part) { (reader) throws(JSONError) in
                let record = try reader.value()
                sink.append(isHunting ? WireMarks.meaning(of: record) : record)
            }
            return RecordPage(batch: sink.finish(), nextLink: next, unknownFields: [], unreadable: [])
        } catch {
            throw .malformed(JSONError(offset: error.offset + (range?.lowerBound ?? 0), reason: error.reason))
        }
    }

    private static func each(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (inout JSONReader) throws(JSONError) -> Void)
        throws(JSONError)
    {
        var reader = JSONReader(bytes)
        if reader.peek() == 91 { try reader.array(body) } else { try body(&reader) }
    }
}
