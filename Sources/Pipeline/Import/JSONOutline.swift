import Tables

/// Looks at the outer parts of a JSON text and passes over the rest.
struct JSONOutline {
    /// A member of an object, and where its value stands.
    struct Member {
        let key: String
        let range: Range<Int>
        /// The value's first byte.
        let first: UInt8
    }

    /// A table as query services write one.
    struct Table {
        let name: String
        let columns: [ColumnSpec]
        /// Where its rows stand: arrays of arrays.
        var rows: [Range<Int>]
    }

    /// A frame of Kusto's second version.
    struct Frame {
        let type: String
        let id: Int64
        let kind: String
        let table: Table?
        let rows: Range<Int>?
        let replaces: Bool
        let hasErrors: Bool
    }

    private let bytes: UnsafeBufferPointer<UInt8>

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func read<R>(_ range: Range<Int>, _ body: (inout JSONReader) throws(JSONError) -> R) throws(FileProblem)
        -> R
    {
        var reader = JSONReader(UnsafeBufferPointer(rebasing: bytes[range]))
        do throws(JSONError) { return try body(&reader) } catch {
            throw FileProblem(
                error.reason, offset: min(range.lowerBound + error.offset, max(bytes.count - 1, 0)))
        }
    }

    /// The first byte of a value.
    func first(_ range: Range<Int>) throws(FileProblem) -> UInt8 {
        try read(range) { (reader) throws(JSONError) in
            guard let byte = reader.peek() else { throw reader.fail("the text is empty") }
            return byte
        }
    }

    func members(_ range: Range<Int>) throws(FileProblem) -> [Member] {
        try read(range) { (reader) throws(JSONError) in
            var members: [Member] = []
            try reader.object { (key, reader) throws(JSONError) in
                guard let first = reader.peek() else { throw reader.fail("the text ends where a value should be") }
                let start = range.lowerBound + reader.offset
                try reader.skip()
                members.append(Member(key: key, range: start..<range.lowerBound + reader.offset, first: first))
            }
            if range.upperBound == bytes.count, reader.peek() != nil {
                throw reader.fail("something follows the object")
            }
            return members
        }
    }

    /// Where the items of an array stand, up to some of them.
    func items(_ range: Range<Int>, max: Int = .max) throws(FileProblem) -> [Range<Int>] {
        try read(range) { (reader) throws(JSONError) in
            var items: [Range<Int>] = []
            guard reader.consume(91), !reader.consume(93) else { return [] }
            repeat {
                reader.skipSpace()
                let start = range.lowerBound + reader.offset
                try reader.skip()
                items.append(start..<range.lowerBound + reader.offset)
            } while items.count < max && reader.consume(44)
            return items
        }
    }

    func value(_ range: Range<Int>) throws(FileProblem) -> JSON {
        do throws(JSONError) { return JSON(try JSONReader.parse(bytes, range, keepsDigits: true)) } catch {
            throw FileProblem(error.reason, offset: error.offset)
        }
    }

    func isListOfObjects(_ member: Member) throws(FileProblem) -> Bool {
        guard member.first == 91, let item = try items(member.range, max: 1).first else { return false }
        return bytes[item.lowerBound] == 123
    }

    /// `[{"name","type"}]` of an answer, in either casing and with the names that Kusto has.
    func columns(_ range: Range<Int>) throws(FileProblem) -> [ColumnSpec] {
        let list = try value(range).array ?? []
        return list.enumerated().map { i, item in
            let name = item.string ?? item["name"]?.string ?? item["Name"]?.string ?? item["ColumnName"]?.string
            let type = [item["type"], item["Type"], item["ColumnType"], item["DataType"]].lazy.compactMap { $0?.string }
            return ColumnSpec(name ?? "Column\(i + 1)", type.compactMap(Self.type).first ?? .string)
        }
    }

    /// A type by the name that Kusto, .NET or Resource Graph has for it; booleans come as SByte 0 and 1.
    private static func type(_ name: String) -> ScalarType? {
        ScalarType(name: name) ?? ScalarType(dotNetName: name) ?? (name == "integer" ? .long : nil)
    }

    /// `{"columns":[…],"rows":[[…]]}`; nil for anything else.
    func table(_ range: Range<Int>) throws(FileProblem) -> Table? {
        let members = try members(range)
        func member(_ name: String) -> Member? { members.first { $0.key.lowercased() == name } }
        guard let columns = member("columns"), let rows = member("rows"), columns.first == 91, rows.first == 91 else {
            return nil
        }
        var name: String?
        if let named = member("name") ?? member("tablename") { name = try value(named.range).string }
        return Table(
            name: name ?? "a table without a name", columns: try self.columns(columns.range), rows: [rows.range])
    }

    /// The tables of `{"tables":[…]}`; nil when they are none.
    func tables(_ range: Range<Int>) throws(FileProblem) -> [Table]? {
        var tables: [Table] = []
        for item in try items(range) {
            guard bytes[item.lowerBound] == 123, let table = try table(item) else { return nil }
            tables.append(table)
        }
        return tables.isEmpty ? nil : tables
    }

    /// The texts of one column.
    func texts(_ table: Table, column: String) throws(FileProblem) -> [String] {
        guard let c = table.columns.firstIndex(where: { $0.name == column }), let rows = table.rows.first else {
            return []
        }
        return (try value(rows).array ?? []).map { $0[c]?.string ?? "" }
    }

    /// The frames of Kusto's second version; nil when the document is none.
    func frames(_ range: Range<Int>) throws(FileProblem) -> [Frame]? {
        guard let first = try items(range, max: 1).first, bytes[first.lowerBound] == 123,
            try members(first).contains(where: { $0.key == "FrameType" })
        else { return nil }
        return try items(range).map { item throws(FileProblem) in
            let members = try members(item)
            func text(_ key: String) throws(FileProblem) -> JSON? {
                guard let member = members.first(where: { $0.key == key }) else { return nil }
                return try value(member.range)
            }
            let rows = members.first { $0.key == "Rows" && $0.first == 91 }?.range
            var table = try table(item)
            if table == nil, let columns = members.first(where: { $0.key == "Columns" }) {
                table = Table(
                    name: try text("TableName")?.string ?? "a table without a name",
                    columns: try self.columns(columns.range), rows: [])
            }
            return Frame(
                type: try text("FrameType")?.string ?? "", id: try text("TableId")?.integer ?? -1,
                kind: try text("TableKind")?.string ?? "", table: table, rows: rows,
                replaces: try text("TableFragmentType")?.string == "DataReplace",
                hasErrors: try text("HasErrors")?.bool == true)
        }
    }

    /// Whether an array is what `az monitor log-analytics query` prints: objects with the name of their table.
    func isCommandLineAnswer(_ range: Range<Int>) throws(FileProblem) -> Bool {
        guard bytes[range].first(where: { $0 > 32 }) == 91, let first = try items(range, max: 1).first,
            bytes[first.lowerBound] == 123
        else { return false }
        guard let name = try members(first).first(where: { $0.key == "TableName" }) else { return false }
        return try value(name.range).string == "PrimaryResult"
    }
}
