import Content
import Tables

/// Reads the records of one text of a public list: by what the text is, where the source's format says something else.
struct FeedDecoder {
    let definition: SourceDefinition

    /// - Returns: the records, and how many there are in the whole list where the text says so.
    func page(_ text: FeedText) throws(FeedProblem) -> (records: RecordPage, total: Int?) {
        let bytes = text.bytes
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let first = bytes[start...].first { $0 != 32 && $0 != 9 && $0 != 10 && $0 != 13 }
        switch first {
        case nil: throw .unusable("an empty text")
        case UInt8(ascii: "<"): throw .unusable("a web page or XML, not \(definition.list.format.expected)")
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            return definition.list.format == .vex ? (try vex(bytes), nil) : try json(bytes)
        default: break
        }
        switch definition.list.format {
        case .csv: break
        case .json:
            // A list that its publisher gives as CSV too has the same names in the header.
            guard let page = try? delimited(bytes) else { throw .unusable("neither JSON nor CSV with its columns") }
            return (page, nil)
        case .vex: throw .unusable("no JSON")
        }
        return (try delimited(bytes), nil)
    }

    private func delimited(_ bytes: [UInt8]) throws(FeedProblem) -> RecordPage {
        let records = DelimitedRecords(columns: definition.columns, document: definition.documentColumns)
        return try records.page(bytes)
    }

    private func vex(_ bytes: [UInt8]) throws(FeedProblem) -> RecordPage {
        let document: JSON
        do throws(JSONError) { document = try JSON(parsing: bytes) } catch {
            throw .unusable("malformed JSON: \(error.description)")
        }
        guard let records = VexDocument.records(of: document) else {
            throw .otherKind("JSON that is no \(definition.list.format.expected)")
        }
        return try read(JSON.array(records).bytes, path: nil, document: [])
    }

    private func json(_ bytes: [UInt8]) throws(FeedProblem) -> (records: RecordPage, total: Int?) {
        let outline: FeedOutline
        do throws(JSONError) { outline = try FeedOutline(bytes) } catch {
            throw .unusable("malformed JSON: \(error.description)")
        }
        return (
            try json(bytes, outline), definition.list.total.flatMap { outline.scalar($0).longValue }.map { Int($0) }
        )
    }

    private func json(_ bytes: [UInt8], _ outline: FeedOutline) throws(FeedProblem) -> RecordPage {
        if outline.isSequence { return try sequence(bytes) }
        let document = definition.documentColumns.map { outline.scalar($0.name) }
        guard !outline.isArray else { return try read(bytes, path: nil, document: document) }
        var path: String?
        if let records = definition.records {
            guard let member = outline.member(records), member.kind == .array else {
                if definition.list.emptyWith.contains(where: { outline.member($0) != nil }) {
                    return try read(Array("[]".utf8), path: nil, document: document)
                }
                throw .unusable("no list \"\(records)\"; \(outline.shown)")
            }
            path = member.name
        }
        let page = try read(bytes, path: path, document: document)
        if path == nil, page.batch.count == 1, !definition.isOneRecord, isForeign(page.batch) {
            // A list with a head of its own beside it.
            let lists = outline.members.filter { $0.kind == .array }
            guard lists.count == 1 else { throw .unusable("no list of records; \(outline.shown)") }
            return try read(bytes, path: lists[0].name, document: document)
        }
        return page
    }

    private func sequence(_ bytes: [UInt8]) throws(FeedProblem) -> RecordPage {
        let reader = RecordReader(columns: definition.columns, unmapped: TableDefinition.unmapped.name)
        let result = bytes.withUnsafeBufferPointer { buffer -> Result<RecordPage, RecordError> in
            do throws(RecordError) { return .success(try reader.read(sequence: buffer)) } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let page): return page.with(definition.documentColumns, [])
        case .failure(let error): throw .unusable(error.description)
        }
    }

    private func read(_ bytes: [UInt8], path: String?, document: [Value]) throws(FeedProblem) -> RecordPage {
        let reader = RecordReader(
            columns: definition.columns, unmapped: TableDefinition.unmapped.name, isOneRecord: definition.isOneRecord)
        do throws(RecordError) {
            return try reader.read(bytes, path: path).with(definition.documentColumns, document)
        } catch {
            throw .unusable(error.description)
        }
    }

    /// Whether the only record holds none of the columns: it is a message rather than a record.
    private func isForeign(_ batch: Batch) -> Bool {
        definition.columns.indices.allSatisfy { i in
            guard let cell = try? batch.column(i)[0] else { return true }
            return cell.isNull || cell == .string("")
        }
    }
}

extension RecordPage {
    /// The page with columns that hold one value each, before the column of fields that no column takes.
    func with(_ document: [ColumnSpec], _ values: [Value]) -> RecordPage {
        guard !document.isEmpty else { return self }
        let last = batch.schema.columns.count - 1
        var lazy = batch.schema.columns.indices.map { batch.lazyColumn($0) }
        var specs = batch.schema.columns
        for (i, spec) in document.enumerated() {
            let value = i < values.count ? Self.cell(values[i], spec.type) : Self.cell(.null, spec.type)
            lazy.insert(LazyColumn(Column(constant: value, spec.type, count: batch.count)), at: last + i)
            specs.insert(spec, at: last + i)
        }
        return RecordPage(
            batch: Batch(schema: Schema(specs), columns: lazy, count: batch.count), nextLink: nextLink,
            unknownFields: unknownFields, unreadable: unreadable)
    }

    private static func cell(_ value: Value, _ type: ScalarType) -> Value {
        switch type {
        case .string: return .string(value.isNull ? "" : value.text)
        case .dynamic: return value
        default: return value.isNull ? .null : value.converted(to: type)
        }
    }
}

/// The outermost members of a JSON text.
struct FeedOutline {
    enum Kind: Sendable, Equatable {
        case array, object
        case scalar(Value)
    }

    private(set) var members: [(name: String, kind: Kind)] = []
    private(set) var isArray = false
    /// Whether values stand one after the other, as one a line.
    private(set) var isSequence = false
    /// What an `error` object says.
    private var complaint: String?

    private static let words = ["message", "error", "error_description", "detail", "title", "reason"]
    private static let wordsMax = 200
    private static let namesMax = 12

    init(_ bytes: [UInt8]) throws(JSONError) {
        let outline = bytes.withUnsafeBufferPointer { buffer -> Result<FeedOutline, JSONError> in
            do throws(JSONError) { return .success(try FeedOutline(buffer)) } catch { return .failure(error) }
        }
        self = try outline.get()
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        var reader = JSONReader(bytes)
        if reader.peek() == UInt8(ascii: "[") {
            isArray = true
            try reader.skip()
        } else {
            var found: [(name: String, kind: Kind)] = []
            var said: String?
            try reader.object { (name, reader) throws(JSONError) in
                switch reader.peek() {
                case UInt8(ascii: "["):
                    try reader.skip()
                    found.append((name, .array))
                case UInt8(ascii: "{") where name.lowercased() == "error":
                    let error = try reader.value()
                    said = error.bagValue?["message"]?.text ?? error.bagValue?["code"]?.text
                    found.append((name, .object))
                case UInt8(ascii: "{"):
                    try reader.skip()
                    found.append((name, .object))
                default: found.append((name, .scalar(try reader.value())))
                }
            }
            (members, complaint) = (found, said)
        }
        isSequence = reader.peek() != nil
    }

    /// A member of this name, whatever its case.
    func member(_ name: String) -> (name: String, kind: Kind)? {
        members.first { $0.name == name } ?? members.first { $0.name.lowercased() == name.lowercased() }
    }

    /// A value that stands once for the whole text; null when there is none.
    func scalar(_ name: String) -> Value {
        guard case .scalar(let value) = member(name)?.kind else { return .null }
        return value
    }

    /// What is there instead of what was expected.
    var shown: String {
        let names = members.prefix(Self.namesMax).map(\.name).joined(separator: ", ")
        let more = members.count > Self.namesMax ? " and \(members.count - Self.namesMax) more" : ""
        let said = complaint ?? Self.words.lazy.compactMap { scalar($0).stringValue }.first { !$0.isEmpty }
        return (members.isEmpty ? "an empty object" : "there are: \(names)\(more)")
            + (said.map { "; it says \"\($0.prefix(Self.wordsMax))\"" } ?? "")
    }
}
