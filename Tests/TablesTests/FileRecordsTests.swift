import Tables
import Testing

/// Records of files: cells by their place, and what is wrong by its place.
@Suite struct FileRecordsTests {
    /// All records of a text, each as names with texts; missing cells as (none).
    private func read(
        _ text: String, _ open: (UnsafeBufferPointer<UInt8>) throws -> (any FileRecords, RecordCells)
    ) throws -> [[String: String]] {
        var text = text
        return try text.withUTF8 { bytes in
            var (source, cells) = try open(bytes)
            var records: [[String: String]] = []
            while try source.next(&cells, bytes) {
                var record: [String: String] = [:]
                for c in cells.touched {
                    record[cells.names[c]] = cells[c].kind == .missing ? "(none)" : try cells[c].text(bytes)
                }
                for (place, cell) in cells.extra { record["#\(place)"] = try cell.text(bytes) }
                records.append(record)
            }
            return records
        }
    }

    private func csv(_ text: String, separator: UInt8? = nil) throws -> [[String: String]] {
        try read(text) { bytes in
            let dialect = try CSVDialect(bytes, separator: separator)
            return (
                CSVRecords(
                    separator: dialect.separator, width: dialect.header.count, offset: dialect.body, count: 1),
                RecordCells(header: dialect.header)
            )
        }
    }

    private func json(_ text: String, _ form: JSONRecords.Form = .objects) throws -> [[String: String]] {
        try read(text) { bytes in (JSONRecords(form, [0..<bytes.count]), RecordCells()) }
    }

    @Test func csvFieldsAreQuotedAsRFC4180HasIt() throws {
        let text = "a,b\r\n\"x, \"\"y\"\"\n2\",\r\n,\"\"\n3,4,5,\n\n6\n\"z\"  ,\"\"\"\""
        #expect(
            try csv(text) == [
                ["a": "x, \"y\"\n2", "b": "(none)"], ["a": "(none)", "b": ""], ["a": "3", "b": "4", "#3": "5"],
                ["a": "6"], ["a": "z", "b": "\""],
            ])
    }

    /// Every cut inside a quoted field is an error, and no cut makes a record that is not in the text.
    @Test func cutCSVIsAnErrorOrAPrefix() throws {
        let text = "a,b\n1,\"x\ny\"\n2,\"\"\"z\"\n"
        let whole = try csv(text)
        #expect(whole == [["a": "1", "b": "x\ny"], ["a": "2", "b": "\"z"]])
        var refused = 0
        for length in 4..<text.utf8.count {
            do {
                let part = try csv(String(decoding: text.utf8.prefix(length), as: UTF8.self))
                for record in part.dropLast() { #expect(whole.contains(record)) }
            } catch let problem as FileProblem {
                refused += 1
                #expect(problem.reason.contains("quote") && (problem.record == 2 || problem.record == 3))
            }
        }
        #expect(refused == 7)
    }

    @Test func jsonCellsStandInArraysLinesAndRows() throws {
        let cells: [[String: String]] = [
            ["a": "1.50", "b": "x\ny"], ["a": "(none)", "c": "[1, {\"d\":2}]"], ["a": "true"],
        ]
        let objects = [#"{"a":1.50,"b":"x\ny"}"#, #"{"a":null,"c":[1, {"d":2}]}"#, #"{ "A" : true }"#]
        #expect(try json("[" + objects.joined(separator: " , ") + "]") == cells)
        #expect(try json(objects.joined(separator: "\n")) == cells)
        #expect(try json("[\(objects[0])]\n\n[\(objects[1]),\(objects[2])] ") == cells)
        #expect(
            try json(#"[[1,"x"],[null,{"y":1}]]"#, .rows(["p", "q"]))
                == [["p": "1", "q": "x"], ["p": "(none)", "q": "{\"y\":1}"]])
        #expect(try json("[]") == [] && json("[] []") == [])
        #expect(try json("[5,\"x\"]") == [["Value": "5"], ["Value": "x"]])
        #expect(try json(#"[{"a@odata.type":"x","a":1}]"#) == [["a": "1"]])
    }

    @Test(arguments: [
        ("[{\"a\":1}", "\"]\"", 1), ("[{\"a\":1},{\"a\" 2}]", "\":\"", 2), ("[{\"a\":1},]", "expected a value", 2),
        ("{\"a\":1}\n{\"a\":+1}", "expected a value", 2), ("[{\"a\":\"x}]", "not closed", 1),
        ("[{\"a\":[1}]", "bracket", 1), ("{\"a\":1.}", "expected a value", 1), ("{\"a\":--1}", "expected a value", 1),
        ("{'a':1}", "double quotes", 1),
    ]) func malformedJSONHasItsRecord(_ text: String, _ reason: String, _ record: Int) throws {
        #expect {
            try json(text)
        } throws: { error in
            guard let problem = error as? FileProblem else { return false }
            return problem.reason.contains(reason) && problem.record == record
        }
    }

    @Test func linesAreCountedWhateverEndsThem() {
        for (text, line) in [("a\nb\nc", 3), ("a\r\nb\r\nc", 3), ("a\rb\rc", 3), ("c", 1)] {
            Array(text.utf8).withUnsafeBufferPointer { bytes in
                #expect(FileText.line(of: bytes.count - 1, in: bytes) == line)
            }
        }
    }

    /// The check of UTF-8 agrees with the language's own on every sequence of up to three bytes that matters.
    @Test func utf8IsCheckedAsTheStandardHasIt() {
        let edges: [UInt8] = [
            0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
            0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        var checked = 0
        for a in edges {
            for b in edges {
                for c in edges {
                    for d in [0x41, 0x80, 0xBF, 0xC2] as [UInt8] {
                        let bytes = [a, b, c, d]
                        let expected = String(validating: bytes, as: UTF8.self) != nil
                        let found = bytes.withUnsafeBufferPointer { FileText.firstInvalidUTF8($0) } == nil
                        if found != expected { Issue.record("\(bytes)") }
                        checked += 1
                    }
                }
            }
        }
        #expect(checked == edges.count * edges.count * edges.count * 4)
        // Behind a run of plain bytes the place is right too.
        let long = Array(repeating: UInt8(0x61), count: 21) + [0xC3, 0xA9, 0xFF]
        #expect(long.withUnsafeBufferPointer { FileText.firstInvalidUTF8($0) } == 23)
    }

    @Test(arguments: [
        ("0", "whole"), ("-5", "whole"), ("9223372036854775807", "whole"), ("9223372036854775808", "long"),
        ("0.5", "real"), ("1.0", "real"), ("-0.25", "real"), ("100.0", "real"), ("1E+20", "real"), ("0.50", "loose"),
        ("1e-05", "loose"), ("1.0e5", "loose"), ("0.1234567890123456789", "long"), ("1.7976931348623157e309", "long"),
        ("5e-324", "long"), ("0.30000000000000004", "real"), ("1,5", "comma"), ("1,234,5", "none"), ("007", "none"),
        ("00.5", "none"), ("+5", "none"), ("1e5", "none"), ("1.", "none"), (".5", "none"), ("NaN", "none"),
        ("", "none"),
        ("0x10", "none"), ("5 ", "none"), ("-", "none"), ("--5", "none"), ("-0", "none"), ("1.2.3", "none"),
    ]) func shapesOfNumbers(_ text: String, _ name: String) {
        var text = text
        let shape = text.withUTF8 { NumberShape($0) }
        let found =
            switch shape {
            case .whole: "whole"
            case .real: "real"
            case .loose: "loose"
            case .long: "long"
            case .comma: "comma"
            case .none: "none"
            }
        #expect(found == name)
    }

    @Test func encodingsAreRecognisedByTheirBytes() {
        func detect(_ bytes: [UInt8]) -> (TextEncoding, Int) {
            bytes.withUnsafeBufferPointer { TextEncoding.detect($0) }
        }
        #expect(detect(Array("plain".utf8)) == (.utf8, 0))
        #expect(detect([]) == (.utf8, 0))
        #expect(detect(Array(repeating: 0, count: 64)) == (.utf8, 0))
        let text = "Name,Owner\r\nosl,Ødegård\r\n"
        #expect(detect(text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }) == (.utf16LE, 0))
        #expect(detect(text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }) == (.utf16BE, 0))
        #expect(detect([0xFF, 0xFE, 0, 0, 0x61, 0, 0, 0]) == (.utf32LE, 4))
        #expect(detect([0xFF, 0xFE, 0x61, 0]) == (.utf16LE, 2))
        for (name, encoding) in [
            ("UTF8", TextEncoding.utf8), ("utf-16", .utf16LE), ("UTF-16BE", .utf16BE), ("cp1252", .windows1252),
            ("Latin-1", .windows1252), ("ISO-8859-1", .windows1252), ("utf-32be", .utf32BE),
        ] { #expect(TextEncoding(named: name) == encoding) }
        #expect(TextEncoding(named: "klingon") == nil)
    }

    /// A text in pieces of any size is the same text; half a character is an error only at the end.
    @Test func piecesOfATextAreTranscodedAsOne() throws {
        let text = "a🔒é世\u{10FFFF}z"
        let bytes = text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        for size in 4...bytes.count {
            var out: [UInt8] = []
            var at = 0
            while at < bytes.count {
                let part = Array(bytes[at..<min(at + size, bytes.count)])
                let isEnd = at + size >= bytes.count
                at += try part.withUnsafeBufferPointer {
                    try TextEncoding.utf16LE.transcode($0, from: 0, isEnd: isEnd, into: &out)
                }
            }
            #expect(String(decoding: out, as: UTF8.self) == text)
        }
        var out: [UInt8] = []
        #expect(throws: FileProblem.self) {
            try Array(bytes.dropLast(3)).withUnsafeBufferPointer {
                try TextEncoding.utf16LE.transcode($0, from: 0, isEnd: true, into: &out)
            }
        }
        // Windows-1252 has nothing at 0x81.
        #expect(throws: FileProblem.self) {
            try [0x61, 0x81].withUnsafeBufferPointer {
                try TextEncoding.windows1252.transcode($0, from: 0, isEnd: true, into: &out)
            }
        }
    }

    @Test func inferredRecordsPadWhatIsMissing() {
        var records = InferredRecords()
        for i in 0..<3 {
            records.append(.bag(Bag([("a", .long(Int64(i)))])))
            records.append(.bag(Bag([("B", .string("x")), ("b", .string("y"))])))
        }
        let batch = records.finish()
        #expect(batch.schema == Schema([("a", .long), ("B", .string)]))
        #expect(
            (try? batch.rows())
                == (0..<3).flatMap { i -> [[Value]] in
                    [[.long(Int64(i)), .string("")], [.null, .string("y")]]
                })
    }
}
