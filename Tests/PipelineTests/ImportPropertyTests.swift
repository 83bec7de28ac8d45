import Foundation
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Files at random: what goes out comes in, and what is damaged changes nothing.
@Suite struct ImportPropertyTests {
    /// A value of a type, often one that is hard to write.
    private static func value(_ type: ScalarType, _ dice: inout SplitMix) -> Value {
        if type != .string, dice.below(5) == 0 { return .null }
        let texts = [
            "", " ", "a", "\"", "\"\"", ",", ";", "\r", "\n", "\r\n", "\t", "null", "true", "1", "007", "1e5", "[]",
            "{}", "#",
            "é", "世", "🔒", "\u{FEFF}", "\u{1}", "\\", "\\u0041", "'", "a,b", "NaN", "2026-01-01", "{\"a\":1}",
        ]
        switch type {
        case .bool: return .bool(dice.below(2) == 0)
        case .int: return .long(Int64(dice.below(1 << 31)) - 1 << 30)
        case .long:
            return .long([Int64.min, .max, 0, -1, 1 << 53 + 1, Int64(dice.below(.max))][dice.below(6)])
        case .real:
            let bits = Double(bitPattern: UInt64(dice.below(.max)))
            return .real(
                [
                    0.1, -0.0, 1e300, Double.leastNonzeroMagnitude, .infinity, bits.isNaN ? 1 : bits,
                    Double(dice.below(1000)) / 8,
                ][
                    dice.below(7)])
        case .decimal:
            return .decimal(
                Decimal(
                    coefficient: UInt128(dice.below(.max)), exponent: dice.below(20) - 15,
                    isNegative: dice.below(2) == 0))
        case .datetime: return .datetime(Int64(dice.below(Int(DateTime.maximum))))
        case .timespan: return .timespan(Int64(dice.below(1 << 60)) - 1 << 59)
        case .guid: return .guid(GUID(high: UInt64(dice.below(.max)), low: UInt64(dice.below(.max))))
        case .string: return .string((0..<dice.below(4)).map { _ in texts[dice.below(texts.count)] }.joined())
        case .dynamic:
            switch dice.below(6) {
            case 0: return .string(texts[dice.below(texts.count)])
            case 1: return .long(Int64(dice.below(100)))
            case 2: return .array((0..<dice.below(3)).map { _ in value(.dynamic, &dice) })
            case 3: return .bag(Bag([("k\(dice.below(3))", value(.dynamic, &dice)), ("é\"", .bool(true))]))
            case 4: return .real(Double(dice.below(100)) / 8 + 0.0625)
            default: return .bool(false)
            }
        }
    }

    @Test(arguments: 1...12) func whatGoesOutComesIn(_ seed: Int) throws {
        var dice = SplitMix(seed: UInt64(seed))
        let types = ScalarType.allCases
        let specs =
            [ColumnSpec("TimeGenerated", .datetime)]
            + (0..<1 + dice.below(12)).map { ColumnSpec("c\($0)", types[dice.below(types.count)]) }
        let rows = (0..<dice.below(80)).map { row in
            specs.enumerated().map { c, spec in c == 0 ? Value.datetime(Int64(row)) : Self.value(spec.type, &dice) }
        }
        try ImportRig.use { rig in
            let batch = Batch(schema: Schema(specs), rows: rows)
            try rig.workspace.declare("T", batch.schema)
            if batch.count > 0 { try rig.workspace.append(batch, to: "T", run: "r", now: rig.now) }
            let stored = try rig.ask("T | project-away Type")
            for format in TableExport.Format.allCases {
                var options = TableExport.Options()
                (options.format, options.packs) = (format, dice.below(2) == 0)
                try TableExport(workspace: rig.workspace, options: options).run(["T"], into: "\(rig.folder)/\(format)")
                let again = try rig.other("again-\(format)")
                let group = try #require(try FolderImport("\(rig.folder)/\(format)", table: nil).groups.first)
                let outcome = try again.importer.run(group.files, table: "T", options: FileImport.Options())
                #expect(outcome.map(\.rows) == [rows.count])
                #expect(try again.workspace.schemas()["T"] == batch.schema)
                let found = try again.ask("T | project-away Type")
                for (a, b) in zip(stored, found) where "\(a)" != "\(b)" {
                    Issue.record("\(format): \(a) came back as \(b)")
                }
                #expect(found.count == stored.count)
            }
        }
    }

    private static let files: [(name: String, text: String)] = [
        ("f.csv", "Name,Tag,At\na,1,2026-01-01\n\"b,\"\"x\"\"\",2,2026-01-02\nc,,\n"),
        ("f.json", #"{"value":[{"Name":"a","Tag":1,"Deep":{"x":[1,2]}},{"Name":"b\u00e9","Tag":2.5,"Deep":null}]}"#),
        ("f.ndjson", "{\"Name\":\"a\",\"Tag\":1}\n{\"Name\":\"b\",\"Tag\":18446744073709551615}\n"),
        (
            "f.json",
            #"{"tables":[{"name":"PrimaryResult","columns":[{"name":"Name","type":"string"}],"rows":[["a"],["b"]]}]}"#
        ),
    ]

    /// One to three bytes are others, or gone: the program goes on, and a file that is refused has changed nothing.
    @Test(arguments: files.indices) func damagedFilesAreRefusedOrReadAsAWhole(_ i: Int) throws {
        let (name, text) = Self.files[i]
        var dice = SplitMix(seed: UInt64(i) + 1)
        var refused = 0
        try ImportRig.use { rig in
            try rig.bring("Name\nbefore\n")
            for round in 0..<120 {
                var bytes = Array(text.utf8)
                for _ in 0...dice.below(3) where !bytes.isEmpty {
                    let at = dice.below(bytes.count)
                    switch dice.below(4) {
                    case 0: bytes.remove(at: at)
                    case 1: bytes.removeLast(bytes.count - at)
                    case 2: bytes[at] = UInt8(dice.below(256))
                    default: bytes.insert([34, 44, 10, 91, 123, 92, 0][dice.below(7)], at: at)
                    }
                }
                do { try rig.bring(bytes: bytes, name, to: "R\(round)") } catch let error as OperatorError {
                    refused += 1
                    #expect(error.safe == "nothing was changed" && error.got?.isEmpty == false, "\(error.rendered)")
                    #expect(try rig.workspace.schemas()["R\(round)"] == nil)
                }
            }
            #expect(refused > 10 && refused < 120)
            #expect(try rig.texts("T | project Name") == [["before"]])
        }
    }

    @Test(.timeLimit(.minutes(1))) func fortyThousandRecordsNeedNoColumns() throws {
        try ImportRig.use { (rig) throws in
            let records = (0..<40_000).map {
                "{\"Id\":\($0),\"Name\":\"n\($0)\",\"Odd\":\($0 % 2 == 1),\"Bag\":{\"x\":\($0)}}"
            }
            #expect(try rig.bring("[" + records.joined(separator: ",") + "]", "f.json").rows == 40_000)
            #expect(
                try rig.ask("T | summarize sum(Id), countif(Odd), sum(toint(Bag.x))") == [
                    [.long(799_980_000), .long(20_000), .long(799_980_000)]
                ])
        }
    }
}
