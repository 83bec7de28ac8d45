import Tables
import Testing

/// What is written as JSON reads back as it was, whatever it is.
@Suite struct RecordWriterTests {
    private static let schema = Schema([
        ("Text", .string), ("Coded", .string), ("Whole", .long), ("Real", .real), ("Flag", .bool), ("Time", .datetime),
        ("Span", .timespan), ("Id", .guid),
        ("Bag", .dynamic), ("Same", .string),
    ])

    private struct Dice {
        var state: UInt64
        mutating func below(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
    }

    /// Texts of every length around those that are copied in other ways, with what must be escaped at any place.
    private static func text(_ dice: inout Dice) -> String {
        let pieces = ["a", "\"", "\\", "\n", "\u{1}", "\u{7F}", "ü", "世", "🔒", "/", " "]
        return (0..<dice.below(50)).map { _ in dice.below(4) == 0 ? pieces[dice.below(pieces.count)] : "x" }.joined()
    }

    private static func row(_ dice: inout Dice) -> [Value] {
        let reals = [0.1, -2.5, 1e-7, 3.0, 12_345.678_9, 1e300, -0.0, 7.8, 1.0 / 3]
        func maybe(_ value: Value, _ dice: inout Dice) -> Value { dice.below(5) == 0 ? .null : value }
        return [
            .string(text(&dice)), .string(["Low", "Medium", ""][dice.below(3)]),
            maybe(.long(Int64(dice.below(1 << 30)) * Int64(dice.below(7) - 3)), &dice),
            maybe(.real(reals[dice.below(reals.count)]), &dice), maybe(.bool(dice.below(2) == 0), &dice),
            maybe(.datetime(Int64(dice.below(1 << 30)) * 2_000_000_000 + Int64(dice.below(1 << 20))), &dice),
            maybe(.timespan(Int64(dice.below(1 << 30)) - 500_000_000), &dice),
            maybe(.guid(GUID(high: UInt64(dice.below(1 << 30)), low: UInt64(dice.below(1 << 30)))), &dice),
            maybe(.bag(Bag([("k", .string(text(&dice))), ("n", .array([.long(1), .null, .real(0.5)]))])), &dice),
            .string("the same"),
        ]
    }

    @Test(arguments: 1...30) func recordsReadBackAsTheyWere(seed: UInt64) throws {
        var dice = Dice(state: seed)
        // Around and beyond what is written at once.
        let rows = (0..<[0, 1, 7, 1_023, 1_024, 2_100][dice.below(6)]).map { _ in Self.row(&dice) }
        var batch = Batch(schema: Self.schema, rows: rows)
        let columns = try Self.schema.columns.indices.map { c -> Column in
            let column = try batch.column(c)
            return Self.schema[c].name == "Coded" ? column.dictionaryCoded() : column
        }
        let constant = Column(constant: .string("the same"), .string, count: rows.count)
        batch = Batch(schema: Self.schema, columns: columns.dropLast() + [constant], count: rows.count)
        var writer = try RecordWriter(batch)
        var text: [UInt8] = [91]
        // Mostly in order, now and then a row again.
        var order = Array(0..<rows.count)
        for _ in 0..<min(5, rows.count) { order.append(dice.below(rows.count)) }
        for (i, row) in order.enumerated() {
            if i > 0 { text.append(44) }
            writer.append(row, to: &text)
        }
        text.append(93)
        let page = try RecordReader(columns: Self.schema.columns).read(text)
        #expect(page.unknownFields == [] && page.unreadable.isEmpty)
        let found = try page.batch.rows()
        #expect(found.count == order.count)
        for (row, i) in zip(found, order) { #expect(row == rows[i]) }
    }
}
