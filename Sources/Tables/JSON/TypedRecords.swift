/// Fills declared columns from records, straight from the text.
package struct TypedRecords {
    private let specs: [ColumnSpec]
    private let byName: [String: Int]
    /// Columns of text stand in `texts`, at the same places.
    private var builders: [ColumnBuilder]
    private let texts: TextColumns
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
    /// Cells of the record that is read now which are not of their columns' types, as they came.
    private var missed: [(column: Int, value: Value)] = []
    /// For records of a hunting answer: how they are written. Nil for others.
    private var form: HuntingForm?

    /// - Parameter isHunting: whether the records are of a hunting answer, whose cells may carry Graph's marks.
    package init(_ specs: [ColumnSpec], unmapped: String? = nil, isHunting: Bool = false) {
        self.specs = specs
        self.unmapped = unmapped
        form = isHunting ? HuntingForm() : nil
        byName = Dictionary(specs.enumerated().map { ($1.name.lowercased(), $0) }) { first, _ in first }
        builders = specs.map { ColumnBuilder($0.type) }
        types = specs.map(\.type)
        texts = TextColumns(count: specs.count)
    }

    /// Where what OData adds to records goes, such as `@odata.type`: it is passed over.
    private static let annotationColumn = -2

    package func page(nextLink: String?) -> RecordPage {
        var schema = Schema(specs)
        var columns = builders.indices.map { c in
            types[c] == .string
                ? Column(.string, .string(texts.finish(c)), count: texts.count(c)) : builders[c].finish()
        }
        if let form, form.keepsEmptyBags, !form.empty.isEmpty { Self.restore(form.empty, in: &columns) }
        if let unmapped {
            schema.columns.append(ColumnSpec(unmapped, .dynamic))
            columns.append(
                leftOver.isEmpty
                    ? Column(constant: .null, .dynamic, count: count)
                    : Column(
                        .dynamic, .dynamic(leftOver + Array(repeating: .null, count: count - leftOver.count)),
                        count: count))
        }
        return RecordPage(
            batch: Batch(schema: schema, columns: columns, count: count), nextLink: nextLink,
            unknownFields: unknown, unreadable: unreadable.keys.sorted().compactMap { unreadable[$0] })
    }

    /// Puts bags without members where a null was read for the time being.
    private static func restore(_ empty: [(column: Int, row: Int)], in columns: inout [Column]) {
        for (c, places) in Dictionary(grouping: empty, by: \.column) {
            let rows = Set(places.map(\.row))
            let column = columns[c]
            columns[c] = Column(
                .dynamic, values: (0..<column.count).map { rows.contains($0) ? .bag(Bag()) : column[$0] })
        }
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
            if column == Self.annotationColumn {
                form?.sawMark()
                try reader.skip()
            } else if column >= 0, filled(column) == count {
                try cell(column, &reader)
            } else if column < 0, unmapped != nil {
                let value = unknown(try reader.value())
                if value.isNull { continue }
                switch key {
                case .plain(let range): others[String(decoding: reader.text(range), as: UTF8.self)] = value
                case .escaped(let bytes): others[String(decoding: bytes, as: UTF8.self)] = value
                }
            } else {
                try reader.skip()
            }
        }
        if !missed.isEmpty {
            if unmapped != nil { for (c, value) in missed { others[specs[c].name] = value } }
            missed.removeAll(keepingCapacity: true)
        }
        if others.count > 0 {
            leftOver += repeatElement(.null, count: count - leftOver.count)
            leftOver.append(.bag(others))
        }
        for c in builders.indices where filled(c) == count {
            if types[c] == .string { texts.appendEmpty(to: c) } else { builders[c].appendNull() }
        }
        count += 1
    }

    /// Cells that a column has.
    @inline(__always)
    private func filled(_ c: Int) -> Int { types[c] == .string ? texts.count(c) : builders[c].count }

    private mutating func append(_ value: Value, to c: Int) {
        guard types[c] == .string else { return builders[c].append(value) }
        var text = value.stringValue ?? ""
        text.withUTF8 { texts.append($0, to: c) }
    }

    @inline(__always)
    private mutating func column(_ key: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
        if position < order.count {
            let (start, end, column) = order[position]
            let isSame =
                end &- start == key.count
                && orderBytes.withUnsafeBytes { Self.equal($0, start, UnsafeRawBufferPointer(key)) }
            if isSame { return column }
        }
        return look(up: key, position)
    }

    /// Whether a key stands at a place, eight bytes at a time.
    @inline(__always)
    private static func equal(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        let count = key.count
        func word(_ i: Int) -> Bool {
            bytes.loadUnaligned(fromByteOffset: start &+ i, as: UInt64.self)
                == key.loadUnaligned(fromByteOffset: i, as: UInt64.self)
        }
        var i = 0
        while i &+ 8 <= count {
            if !word(i) { return false }
            i &+= 8
        }
        if i == count { return true }
        if count >= 8 { return word(count &- 8) }
        while i < count {
            if bytes[start &+ i] != key[i] { return false }
            i &+= 1
        }
        return true
    }

    private mutating func look(up key: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int {
        let name = String(decoding: key, as: UTF8.self)
        let column = byName[name.lowercased()] ?? (WireMarks.isAnnotation(key) ? Self.annotationColumn : -1)
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
            try reader.stringBytes { texts.append($0, to: c) }
            return
        case .datetime where first == 34:
            let ticks = try reader.stringBytes { text -> (Int64?, String?) in
                let parsed = DateTime.parse(bytes: text)
                return (parsed, parsed == nil ? String(decoding: text, as: UTF8.self) : nil)
            }
            if let time = ticks.0 { builders[c].append(time) } else { miss(c, .string(ticks.1 ?? "")) }
            return
        default: break
        }
        try other(c, &reader)
    }

    private mutating func other(_ c: Int, _ reader: inout JSONReader) throws(JSONError) {
        let type = types[c]
        let value = meaning(of: try reader.value(), in: c)
        let read = Self.convert(value, type)
        if read.isNull, !value.isNull, type != .string, type != .dynamic { miss(c, value) } else { append(read, to: c) }
    }

    /// A cell without what the serializer of a hunting answer wrote into it.
    private mutating func meaning(of value: Value, in c: Int) -> Value {
        guard form != nil else { return value }
        form?.learn(from: value, ofText: types[c] == .string)
        guard case .bag(let bag) = value, bag.count == 0 else { return WireMarks.meaning(of: value) }
        if types[c] == .dynamic { form?.sawEmpty(column: c, row: count) }
        return .null
    }

    /// A field that no column takes, likewise; a null is none.
    private func unknown(_ value: Value) -> Value {
        guard form != nil else { return value }
        if case .bag(let bag) = value, bag.count == 0 { return .null }
        return WireMarks.meaning(of: value)
    }

    private mutating func miss(_ c: Int, _ value: Value) {
        let text = value.text
        append(.null, to: c)
        if text.isEmpty { return }
        missed.append((c, value))
        if unreadable[c] == nil {
            unreadable[c] = UnreadableCells(
                column: specs[c].name, type: specs[c].type, count: 0, firstRow: count + 1,
                example: String(text.prefix(80)))
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
        // OData writes durations as ISO 8601 does, Kusto as `1.02:03:04`.
        case (.timespan, .string(let text)):
            return (TimeSpan.parse(text) ?? ISODuration.ticks(signed: text)).map { .timespan($0) } ?? .null
        default: return value.converted(to: type)
        }
    }
}
