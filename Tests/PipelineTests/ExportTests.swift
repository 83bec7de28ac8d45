import Content
import Foundation
import KQLEngine
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// What an export writes, import reads back.
@Suite struct ExportTests {
    private static let schema = Schema([
        ("TimeGenerated", .datetime), ("Text", .string), ("Whole", .long), ("Small", .int), ("Real", .real),
        ("Flag", .bool),
        ("Id", .guid), ("Span", .timespan), ("Money", .decimal), ("Bag", .dynamic), ("When", .datetime),
    ])

    /// Cells that are hard to write: extremes, spellings of other types, and nothing.
    private static func batch() -> Batch {
        func ticks(_ text: String) -> Value { .datetime(DateTime.parse(text) ?? 0) }
        let texts = [
            "plain", "", "quotes \" and ' and \\", "commas, tabs\t and\r\nlines\n", "[1]", "{\"a\":1}", "007", "null",
            "true", "#first",
            " blanks ", "ü世界🔒\u{2028}", "\u{0}", "sep=;",
        ]
        let reals: [Double] = [
            0.1, -1.5e300, .nan, .infinity, -.infinity, -0.0, Double.leastNonzeroMagnitude, 1e15, 100, 0.00043, 3.0e-5,
            1 / 3, 1e22, 0,
        ]
        let bags: [Value] = [
            .null, .string("[1]"), .string(""), .array([.string("[1]"), .null, .bag(Bag())]),
            .bag(Bag([("a", .array([.long(1), .real(1.5)])), ("ü\"", .null)])), .long(5), .string("5"), .bool(true),
            .string("true"),
            .string("plain"), .array([]), .string("{\"a\":1}"), .string("\u{0}, \"x\"\r\n"), .string("2026-01-01"),
        ]
        return Batch(
            schema: schema,
            rows: texts.indices.map { i in
                i == 1
                    ? [ticks("2026-01-02T00:00:00Z"), .string("")] + Array(repeating: .null, count: 9)
                    : [
                        ticks("2026-03-\(i + 10)T12:34:56.1234567Z"), .string(texts[i]),
                        .long(i == 0 ? .max : i == 2 ? .min : Int64(i)),
                        .long(i == 0 ? -2_147_483_648 : Int64(i)), .real(reals[i]), .bool(i % 2 == 0),
                        .guid(GUID(high: UInt64(i) << 60 | 0x1122, low: .max - UInt64(i))),
                        .timespan(i == 0 ? -1 : Int64(i) * 999_999_999_999_7),
                        .decimal(Decimal("-12345678901234567890.12\(i)") ?? Decimal(0)), bags[i],
                        i == 3 ? .datetime(0) : i == 4 ? .datetime(DateTime.maximum) : .null,
                    ]
            })
    }

    /// Rows as texts that tell every value from every other.
    private func rows(_ rig: ImportRig, _ table: String) throws -> [[Value]] {
        try rig.ask("\(table) | project-away Type").map { $0.map { $0 } }
    }

    private func same(_ a: Value, _ b: Value) -> Bool {
        if case .real(let x) = a, case .real(let y) = b { return x.bitPattern == y.bitPattern || x.isNaN && y.isNaN }
        return a == b && a.type == b.type
    }

    private func expectSame(_ a: [[Value]], _ b: [[Value]], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(a.count == b.count, sourceLocation: sourceLocation)
        for (x, y) in zip(a, b) {
            for (c, (left, right)) in zip(x, y).enumerated() where !same(left, right) {
                Issue.record("column \(c): \(left) came back as \(right)", sourceLocation: sourceLocation)
            }
        }
    }

    private func export(
        _ rig: ImportRig, _ tables: [String] = ["T"], into name: String = "out",
        _ set: (inout TableExport.Options) -> Void = { _ in }
    )
        throws -> [TableExport.Outcome]
    {
        var options = TableExport.Options()
        set(&options)
        var outcomes: [TableExport.Outcome] = []
        try TableExport(workspace: rig.workspace, options: options).run(tables, into: rig.folder + "/" + name) {
            outcomes.append($0)
        }
        return outcomes
    }

    @Test(arguments: TableExport.Format.allCases, [false, true]) func everyTypeComesBackAsItWas(
        _ format: TableExport.Format, _ packs: Bool
    )
        throws
    {
        try ImportRig.use { rig in
            try rig.workspace.declare("T", Self.schema)
            try rig.workspace.append(Self.batch(), to: "T", run: "r", now: rig.now)
            let outcome = try #require(try export(rig) { ($0.format, $0.packs) = (format, packs) }.first)
            #expect(outcome.rows == 14)
            #expect(outcome.file.hasSuffix("/out/T.\(format.rawValue)\(packs ? ".gz" : "")"))
            let again = try rig.other("again")
            let read = try again.importer.run(outcome.file, table: "T")
            #expect(read.notes == [] && read.rows == 14)
            #expect(read.reading.hasSuffix("an export of Vestige, 11 columns, 14 rows"))
            #expect(try again.workspace.schemas()["T"] == Self.schema)
            expectSame(try rows(rig, "T"), try rows(again, "T"))
            // The same export once more: nothing is doubled.
            let third = try again.importer.run(outcome.file, table: "T")
            #expect(third.rows == 0 && third.known == 14)
            #expect(try again.workspace.rowCount(ofTable: "T") == 14)
        }
    }

    @Test func aColumnOfOneAndATableOfNothingComeBack() throws {
        try ImportRig.use { rig in
            let one = Schema([("TimeGenerated", .datetime)])
            try rig.workspace.declare("One", one)
            try rig.workspace.append(
                Batch(schema: one, rows: [[.null], [.datetime(5)], [.null]]), to: "One", run: "r", now: rig.now)
            try rig.workspace.declare("None", Self.schema)
            for format in TableExport.Format.allCases {
                let outcomes = try export(rig, ["One", "None"], into: "\(format)") { $0.format = format }
                let again = try rig.other("again-\(format)")
                #expect(try again.importer.run(outcomes[0].file, table: "One").rows == 3)
                #expect(try again.importer.run(outcomes[1].file, table: "None").rows == 0)
                #expect(try again.workspace.schemas()["None"] == Self.schema)
            }
        }
    }

    @Test func timesChooseRows() throws {
        try ImportRig.use { rig in
            try rig.workspace.declare("T", Self.schema)
            try rig.workspace.append(Self.batch(), to: "T", run: "r", now: rig.now)
            let low = try #require(DateTime.parse("2026-03-12T12:34:56.1234567Z"))
            let outcomes = try export(rig) { $0.times = low..<low + 2 * DateTime.ticksPerDay }
            #expect(outcomes.map(\.rows) == [2])
            let text = try String(contentsOfFile: rig.folder + "/out/T.ndjson", encoding: .utf8)
            #expect(text.contains("2026-03-12T12:34:56.1234567Z") && !text.contains("2026-03-14"))
        }
    }

    @Test func filesAreNotOverwrittenUnasked() throws {
        try ImportRig.use { rig in
            try rig.bring("Name\na\n")
            try rig.write("mine".utf8, to: "out/T.ndjson")
            #expect(rig.refusal { _ in _ = try export(rig) }.contains("--overwrite"))
            #expect(try String(contentsOfFile: rig.folder + "/out/T.ndjson", encoding: .utf8) == "mine")
            #expect(try export(rig) { $0.overwrites = true }.map(\.rows) == [1])
            #expect(rig.refusal { _ in _ = try export(rig, ["Nothing"]) }.contains("the tables with rows are T"))
            #expect(rig.refusal { _ in _ = try export(rig, into: "w.vestige/x") }.contains("w.vestige/x"))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: rig.folder + "/out").sorted() == [
                    "T.ndjson", "T.schema.json",
                ])
        }
    }

    @Test func aCutExportIsRefused() throws {
        try ImportRig.use { rig in
            try rig.bring("Name\na\nb\nc\n")
            let file = try #require(try export(rig).first).file
            let text = try String(contentsOfFile: file, encoding: .utf8)
            try rig.write(text.split(separator: "\n").dropLast().joined(separator: "\n").utf8, to: "out/T.ndjson")
            let again = try rig.other("again")
            #expect(
                rig.refusal { _ in _ = try again.importer.run(file, table: "T") }.contains(
                    "2 rows, but its export wrote 3"))
            #expect(try again.workspace.rowCount(ofTable: "T") == 0)
        }
    }

    // MARK: History

    private static let history = """
        {"timegenerated":"2026-03-01T10:00:00.1234567","CHANGETYPE":"Removed","sourceName":"s","rowid":"a1",
        "DeviceId":"d-1"}
        {"TimeGenerated":"2026-03-02T10:00:00Z","ChangeType":"Added","SourceName":"s","RowId":"a2","DeviceId":"d-2"}
        {"TimeGenerated":"2026-03-02T10:00:00Z","DeviceId":"d-3"}
        {"TimeGenerated":"2026-03-02T10:00:00Z","DeviceId":"d-3"}
        {"DeviceId":"d-4"}

        """

    @Test func rowsKeepTheirHistory() throws {
        try ImportRig.use { rig in
            let first = try rig.bring(Self.history, "h.ndjson", to: "DeviceInfo")
            #expect(first.rows == 5 && first.known == 0 && first.notes == [])
            #expect(
                try rig.texts(
                    "DeviceInfo | order by DeviceId asc | project DeviceId, TimeGenerated, ChangeType, SourceName")
                    == [
                        ["d-1", "2026-03-01T10:00:00.1234567Z", "Removed", "s"],
                        ["d-2", "2026-03-02T10:00:00.0000000Z", "Added", "s"],
                        ["d-3", "2026-03-02T10:00:00.0000000Z", "Added", "import:h.ndjson"],
                        ["d-3", "2026-03-02T10:00:00.0000000Z", "Added", "import:h.ndjson"],
                        ["d-4", "2026-11-26T12:00:00.0000000Z", "Added", "import:h.ndjson"],
                    ])
            #expect(try rig.texts("DeviceInfo | where DeviceId == 'd-1' | project RowId") == [["a1"]])
            #expect(try rig.texts("DeviceInfo | summarize dcount(RowId)") == [["5"]])
            // Once more, later: what has a time is there already; what has none is observed anew.
            let later = ImportRig(folder: rig.folder, workspace: rig.workspace, now: rig.now + DateTime.ticksPerDay)
            let second = try later.bring(Self.history, "h.ndjson", to: "DeviceInfo")
            #expect(second.rows == 1 && second.known == 4)
            #expect(try rig.workspace.rowCount(ofTable: "DeviceInfo") == 6)
            // In the place of the old rows all of them count.
            let third = try later.bring(Self.history, "h.ndjson", to: "DeviceInfo") { $0.replaces = true }
            #expect(third.rows == 5 && third.known == 0)
            #expect(try rig.workspace.rowCount(ofTable: "DeviceInfo") == 5)
        }
    }

    @Test func theRowsOwnTimeStandsBeforeTheServices() throws {
        try ImportRig.use { rig in
            try rig.bring(
                "TimeGenerated,ObservedTime,RowId,DeviceId,Type\n2026-03-05,2026-03-01T10:00:00.5Z,a1,d-1,DeviceInfo\n",
                to: "DeviceInfo")
            #expect(
                try rig.texts("DeviceInfo | project TimeGenerated, tostring(Unmapped)")
                    == [["2026-03-01T10:00:00.5000000Z", ""]])
        }
    }

    /// Files of a folder go to the tables of their names, those of a files sink among them.
    @Test func aFolderIsReadByTheNamesOfItsFiles() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let rig = ImportRig(folder: folder, workspace: try Workspace(path: folder + "/w.vestige"), now: ImportRig.now)
        try rig.bring(Self.history, "h.ndjson", to: "DeviceInfo")
        for format in FileSink.Format.allCases {
            let sink = FileSink(
                name: "files", folder: "\(folder)/\(format)", format: format, rotatesAtBytes: 1, filesMax: nil)
            try await rig.workspace.eachBatch(of: "DeviceInfo") { batch in
                for row in 0..<batch.count { _ = try await sink.send(batch.slice(row..<row + 1), table: "DeviceInfo") }
            }
            try rig.write("Name\na\n".utf8, to: "\(format)/Own.csv")
            try rig.write("notes".utf8, to: "\(format)/README.txt")
            let found = try FolderImport("\(folder)/\(format)", table: nil)
            #expect(found.groups.map(\.table).sorted() == ["DeviceInfo", "Own"])
            #expect(found.passedOver.map(\.name) == ["README.txt"])
            let again = try rig.other("again-\(format)")
            for group in found.groups {
                let outcomes = try again.importer.run(group.files, table: group.table, options: FileImport.Options())
                #expect(outcomes.map(\.notes) == Array(repeating: [], count: group.files.count))
            }
            let query =
                "DeviceInfo | order by RowId asc | project TimeGenerated, ChangeType, SourceName, RowId, DeviceId"
            #expect(try again.texts(query) == (try rig.texts(query)))
            #expect(try again.texts("Own | project Name") == [["a"]])
            #expect(FileName("x/DeviceInfo_CL.csv.gz").table(of: ["DeviceInfo"]) == "DeviceInfo")
            #expect(FileName("x/IoTEvents_CL.json").table(of: ["IoTEvents_CL", "IoTEvents"]) == "IoTEvents_CL")
        }
    }
}

extension Workspace {
    /// A table's rows, extent by extent.
    fileprivate func eachBatch(of table: String, _ body: (Batch) async throws -> Void) async throws {
        var batches: [Batch] = []
        try eachExtent(of: table, columns: try schemas()[table]?.names ?? []) { batches.append($0) }
        for batch in batches { try await body(batch) }
    }
}
