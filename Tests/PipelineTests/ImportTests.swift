import Content
import Foundation
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// What a file is is looked at and said; nothing of it is lost on the way.
@Suite struct ImportTests {
    @Test(arguments: [
        ("Name;Platform;Level\r\nk-2;Linux;Low\r\nk-3;macOS;High\r\n", "';'"),
        ("Name\tPlatform\tLevel\nk-2\tLinux\tLow\nk-3\tmacOS\tHigh", "tab"),
        ("Name|Platform|Level\nk-2|Linux|Low\nk-3|macOS|High\n", "'|'"),
        ("sep=;\r\nName;Platform;Level\r\nk-2;Linux;Low\r\nk-3;macOS;High\r\n", "';'"),
        ("\"sep=|\"\nName|Platform|Level\nk-2|Linux|Low\nk-3|macOS|High\n", "'|'"),
        ("\u{FEFF}Name,Platform,Level\nk-2,Linux,Low\nk-3,macOS,High\n", "','"),
        ("Name^Platform^Level\nk-2^Linux^Low\nk-3^macOS^High\n", "'^'"),
        ("Name\u{1}Platform\u{1}Level\nk-2\u{1}Linux\u{1}Low\nk-3\u{1}macOS\u{1}High\n", "0x1"),
        ("\"Name\";\"Platform\";\"Level\"\n\"k-2\";\"Linux\";\"Low\"\n\"k-3\";\"macOS\";\"High\"\n", "';'"),
        ("Name,Platform,Level\rk-2,Linux,Low\rk-3,macOS,High\r", "','"),
    ]) func separatorsAreFoundAndSaid(_ text: String, _ name: String) throws {
        try ImportRig.use { (rig) throws in
            let outcome = try rig.bring(text)
            #expect(outcome.reading == "CSV with \(name), UTF-8, 3 columns, 2 rows")
            #expect(
                try rig.texts("T | order by Name asc | project Name, Platform, Level")
                    == [["k-2", "Linux", "Low"], ["k-3", "macOS", "High"]])
        }
    }

    @Test func quotedFieldsAndDecimalCommasDoNotMislead() throws {
        try ImportRig.use { (rig) throws in
            try rig.bring("Name,Comment\na,\"x;y;z\"\nb,\"1;2;3\"\n", to: "A")
            #expect(try rig.texts("A | project Name, Comment") == [["a", "x;y;z"], ["b", "1;2;3"]])
            let outcome = try rig.bring("Name;Score;Share\na;7,5;0,25\nb;10;1,5\n", to: "B")
            #expect(try rig.texts("B | project Name, Score, Share") == [["a", "7,5", "0,25"], ["b", "10", "1,5"]])
            #expect(outcome.notes.contains { $0.contains("Score") && $0.contains("decimal commas") })
            try rig.bring("Name;Score\na;7,5\nb;1.234,5\n", to: "C") {
                $0.columns = [ColumnSpec("Name", .string), ColumnSpec("Score", .real)]
            }
            #expect(try rig.ask("C | project Score, tostring(Unmapped.Score)").first?[0] == .real(7.5))
            #expect(try rig.texts("C | where isnull(Score) | project tostring(Unmapped.Score)") == [["1.234,5"]])
        }
    }

    @Test(arguments: TextEncoding.allCases, [true, false]) func encodingsAreFoundAndSaid(
        _ encoding: TextEncoding, _ hasMark: Bool
    )
        throws
    {
        let text = "DeviceName,Owner\r\nosl-1,Åse Ødegård\r\n" + (encoding == .windows1252 ? "" : "osl-2,世界 🔒\r\n")
        var bytes: [UInt8] = []
        let mark: [UInt8]
        switch encoding {
        case .utf8: (bytes, mark) = (Array(text.utf8), [0xEF, 0xBB, 0xBF])
        case .utf16LE:
            bytes = text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
            mark = [0xFF, 0xFE]
        case .utf16BE:
            bytes = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
            mark = [0xFE, 0xFF]
        case .utf32LE:
            bytes = text.unicodeScalars.flatMap { s in (0..<4).map { UInt8(s.value >> (8 * $0) & 255) } }
            mark = [0xFF, 0xFE, 0, 0]
        case .utf32BE:
            bytes = text.unicodeScalars.flatMap { s in (0..<4).reversed().map { UInt8(s.value >> (8 * $0) & 255) } }
            mark = [0, 0, 0xFE, 0xFF]
        case .windows1252:
            bytes = text.unicodeScalars.map { UInt8($0.value) }
            mark = []
        }
        try ImportRig.use { (rig) throws in
            let outcome = try rig.bring(bytes: (hasMark ? mark : []) + bytes, "f.csv") {
                if encoding == .windows1252 { $0.encoding = .windows1252 }
            }
            #expect(outcome.reading.contains(encoding.name))
            #expect(try rig.texts("T | where DeviceName == 'osl-1' | project Owner") == [["Åse Ødegård"]])
            if encoding != .windows1252 {
                #expect(try rig.texts("T | where DeviceName == 'osl-2' | project Owner") == [["世界 🔒"]])
            }
        }
    }

    @Test func jsonInWideCharactersIsReadToo() throws {
        try ImportRig.use { (rig) throws in
            let bytes = "[{\"Name\":\"Zoë\"}]".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
            #expect(try rig.bring(bytes: bytes, "f.json").reading == "JSON, UTF-16LE, 1 column, 1 row")
            #expect(try rig.texts("T | project Name") == [["Zoë"]])
        }
    }

    @Test func packedFilesAreUnpackedAndCommentsPassedOver() throws {
        let text =
            "#model_version:v2026.03.16,score_date:2026-11-25T12:55:00Z\n"
            + "cve,epss\nCVE-2099-1,0.94216\nCVE-2099-2,0.00043\n"
        let (head, tail) = (Array(text.utf8.prefix(80)), Array(text.utf8.dropFirst(80)))
        try ImportRig.use { (rig) throws in
            let plain = try rig.bring(text, to: "A")
            #expect(plain.notes.contains { $0.contains("model_version:v2026.03.16") })
            // RFC 1952 allows several members.
            let packed = try #require(Deflate.compress(head)) + (try #require(Deflate.compress(tail)))
            let outcome = try rig.bring(bytes: packed, "scores", to: "B")
            #expect(outcome.reading == "CSV with ',', UTF-8, gzip, 2 columns, 2 rows")
            for table in ["A", "B"] {
                #expect(try rig.ask("\(table) | where cve == 'CVE-2099-2' | project epss") == [[.real(0.00043)]])
            }
            // A line of names is the header, even behind the mark of a comment.
            try rig.bring("#CVE,Score\nCVE-1,5\n", to: "C")
            #expect(try rig.texts("C | project CVE, Score") == [["CVE-1", "5"]])
        }
    }

    @Test func contentIsBelievedBeforeTheName() throws {
        try ImportRig.use { (rig) throws in
            #expect(try rig.bring("[{\"a\":1}]", "f.csv", to: "A").reading.hasPrefix("JSON"))
            #expect(try rig.bring("{\"a\":1}\n{\"a\":2}", "f.json", to: "B").reading.hasPrefix("NDJSON"))
            #expect(try rig.bring("a,b\n1,2\n", "f.json", to: "C").reading.hasPrefix("CSV with ','"))
            #expect(try rig.bring("[id],[name]\n1,x\n", "f.csv", to: "D").reading.hasPrefix("CSV"))
            #expect(try rig.ask("D | project ['[name]']") == [[.string("x")]])
        }
    }

    // MARK: Types

    /// Values, and the type of a column that holds nothing else.
    @Test(arguments: [
        (["00731", "04410"], ScalarType.string), (["0x1F", "0xFF"], .string), (["1F", "2A"], .string),
        (["12345678901234567890"], .string), (["18446744073709551615"], .string), (["+4940123456", "+49"], .string),
        (["1e5", "2E7"], .string), (["NaN", "1.5"], .string), (["01/02/2026", "03/04/2026"], .string),
        (["0.12345678901234567890"], .string), (["5", "x"], .string), (["yes", "no"], .string), (["1.", "2"], .string),
        (["9007199254740993", "0.5"], .string), (["-0"], .string), (["1,234", "5"], .string), (["1_000"], .string),
        (["2026-02-30"], .string), (["2026-11-26T10:00:00.123456789Z"], .string), (["٣"], .string),
        (["731", "4410", ""], .long), (["9223372036854775807", "-9223372036854775808"], .long), (["0", "-5"], .long),
        (["0.00043", "0.94216"], .real), (["9.7e-05", "1"], .real), (["7.50", "-0.5"], .real), (["1e-05"], .real),
        (["true", "false"], .bool), (["True", "FALSE"], .bool), (["true", "1"], .string),
        (["2026-08-01", "2026-08-01T10:00:00Z"], .datetime), (["2026-08-01 10:00:00.1234567+02:00"], .datetime),
        (["", ""], .string),
    ]) func typesLoseNothing(_ values: [String], _ type: ScalarType) throws {
        try ImportRig.use { rig in
            try rig.bring("Name,Value\n" + values.map { "n,\"\($0)\"\n" }.joined())
            #expect(try rig.types()["Value"] == type)
            guard type == .string || type == .long else { return }
            #expect(Set(try rig.texts("T | project tostring(Value)").map { $0[0] }) == Set(values))
        }
    }

    @Test(arguments: [
        "DeviceId", "asset_tag", "SerialNumber", "Build Number", "deviceid", "OSVersion", "Zip", "TicketNo",
    ])
    func namesOfThingsAreNoRealNumbers(_ name: String) throws {
        try ImportRig.use { rig in
            try rig.bring("\(name),Score\n10.10,10.10\n10.2,10.2\n")
            #expect(try rig.types() == [name: .string, "Score": .real])
            #expect(try rig.texts("T | project ['\(name)']") == [["10.10"], ["10.2"]])
        }
    }

    @Test func numbersOfJSONKeepTheirDigits() throws {
        let text =
            #"[{"Name":"a","Id":12345678901234567890,"N":9007199254740993,"R":1.5,"Mixed":1,"B":true,"#
            + #""Deep":{"n":18446744073709551615}},"#
            + #"{"Name":"b","Id":5,"N":1,"R":2,"Mixed":"x","B":false,"Deep":{"n":1}}]"#
        try ImportRig.use { rig in
            try rig.bring(text, "f.json")
            #expect(
                try rig.types() == [
                    "Name": .string, "Id": .string, "N": .long, "R": .real, "Mixed": .string, "B": .bool,
                    "Deep": .dynamic,
                ])
            #expect(
                try rig.texts("T | project Id, N, Mixed, tostring(Deep.n)").first
                    == ["12345678901234567890", "9007199254740993", "1", "18446744073709551615"])
            try rig.bring(
                #"[{"Name":"a","Id":12345678901234567890},{"Name":"b","Id":1.50},{"Name":"c","Id":1e400}]"#, "g.json",
                to: "S"
            ) {
                $0.columns = [ColumnSpec("Name", .string), ColumnSpec("Id", .string)]
            }
            #expect(try rig.texts("S | project Id") == [["12345678901234567890"], ["1.50"], ["1e400"]])
        }
    }

    @Test func portalsWriteTimesTheirWay() throws {
        try ImportRig.use { rig in
            try rig.bring(
                "\"TimeGenerated [UTC]\",\"Seen [UTC]\",Day\n"
                    + "\"8/1/2026, 10:15:00.250 PM\",\"8/2/2026, 1:00:00.000 AM\",01/02/2026\n"
            )
            #expect(
                try rig.texts("T | project TimeGenerated, Seen, Day")
                    == [["2026-08-01T22:15:00.2500000Z", "2026-08-02T01:00:00.0000000Z", "01/02/2026"]])
        }
    }

    @Test func doubledKeysGiveTheSameRowAtEveryImport() throws {
        try ImportRig.use { rig in
            for _ in 0..<2 {
                let outcome = try rig.bring(#"[{"Id":"first","Id":"second"},{"Id":"x"}]"#, "f.json")
                #expect(outcome.notes.contains { $0.contains("\"Id\" more than once") && $0.hasPrefix("1 record") })
            }
            #expect(
                try rig.texts("T | summarize n = count() by Id | order by Id asc") == [["second", "2"], ["x", "2"]])
        }
    }

    // MARK: What does not fit

    @Test func whatDoesNotFitAKnownTableIsKeptAndTold() throws {
        try ImportRig.use { rig in
            let outcome = try rig.bring(
                "deviceid,DeviceName,SoftwareName,SoftwareVersion,EndOfSupportDate,CostCentre\n"
                    + "d-1,w-1,agent,10.2,soon,CC-7,spare\nd-2,w-2\n", to: "DeviceTvmSoftwareInventory")
            let kept = try rig.texts(
                "DeviceTvmSoftwareInventory | order by DeviceId asc | project DeviceId, tostring(Unmapped.CostCentre), "
                    + "tostring(Unmapped.EndOfSupportDate), tostring(Unmapped['7'])")
            #expect(kept == [["d-1", "CC-7", "soon", "spare"], ["d-2", "", "", ""]])
            let told = outcome.notes.joined(separator: "\n")
            #expect(told.contains("EndOfSupportDate that is no datetime") && told.contains("record 2: \"soon\""))
            #expect(told.contains("no columns for are kept in Unmapped: CostCentre"))
            #expect(told.contains("under their place: 7"))
            #expect(told.contains("1 record has fewer fields than the header, first record 3"))
        }
    }

    @Test func aTableOfOnesOwnGetsUnmappedWhenItNeedsIt() throws {
        try ImportRig.use { rig in
            try rig.bring("Name,Tag\na,731\n")
            #expect(try rig.types() == ["Name": .string, "Tag": .long])
            let outcome = try rig.bring("Name,Tag,More\nb,00731,x\n")
            #expect(outcome.notes.contains { $0.contains("Tag that is no long") && $0.contains("\"00731\"") })
            #expect(
                try rig.texts("T | order by Name asc | project Name, Tag, More, tostring(Unmapped.Tag)")
                    == [["a", "731", "", ""], ["b", "", "x", "00731"]])
            try rig.bring("Name,Tag\nc,seven\n")
            #expect(try rig.texts("T | where Name == 'c' | project Tag, tostring(Unmapped.Tag)") == [["", "seven"]])
            try rig.bring("Name,Extra\nd,y\n") { $0.columns = [ColumnSpec("Name", .string)] }
            #expect(try rig.texts("T | where Name == 'd' | project tostring(Unmapped.Extra)") == [["y"]])
        }
    }

    @Test func jsonFieldsBeyondTheColumnsAreKept() throws {
        try ImportRig.use { rig in
            try rig.bring(
                ##"[{"DeviceId":"d","Odd":{"a":[1]},"Empty":null,"OSBuild":"new","X@odata.type":"#String","##
                    + #""Type":"DeviceInfo"}]"#,
                "f.json", to: "DeviceInfo")
            #expect(
                try rig.texts("DeviceInfo | project DeviceId, tostring(Unmapped)")
                    == [["d", #"{"Odd":{"a":[1]},"OSBuild":"new"}"#]])
        }
    }

    // MARK: Refusals

    /// A file, and what its refusal says.
    @Test(arguments: [
        ("f.csv", "Name,Comment\na,fine\nb,\"never closed\nc,lost\n", ["record 3, line 3", "quote"]),
        ("f.csv", "Name,Size\na,\"5\" disk\"\n", ["record 2, line 2", "quote"]),
        ("f.csv", "Name,Tag,Tag\na,x,y\n", ["\"Tag\" twice"]),
        ("f.csv", "Name,,Tag\na,x,y\n", ["no name for column 2"]),
        ("f.csv", "Name,Tag\na,x\nb,y,z\n", ["record 3, line 3", "3 fields, the header 2"]),
        ("f.csv", "", ["empty"]), ("f.json", " \n\n", ["empty"]),
        ("f.csv", "a,b\n1,\u{0}\n", ["line 2", "NUL"]),
        ("f.json", String(repeating: "\u{0}", count: 4_096), ["NUL"]),
        ("f.csv", "<!DOCTYPE html><html><body>Sign in</body></html>", ["HTML"]),
        ("f.json", "<?xml version=\"1.0\"?><a/>", ["XML"]),
        ("f.json", "hello", ["does not begin with { or ["]),
        ("f.json", "{\"value\":[{\"a\":1},{\"a\":", ["line 1"]),
        ("f.ndjson", "{\"a\":1}\n{\"a\":}\n", ["record 2, line 2"]),
        ("f.ndjson", "{\"a\":1}\n{\"a\":2\n{\"a\":3}\n", ["record 2 (begins in line 2), line 3"]),
        ("f.json", "[{\"a\":1},{\"a\":tru}]", ["record 2"]),
        ("f.json", "[{\"a\":1}] x", ["expected a value"]),
        ("f.json", "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\"}}", ["Forbidden", "no"]),
        (
            "f.json", "[{\"a\":" + String(repeating: "[", count: 600) + String(repeating: "]", count: 600) + "}]",
            ["512 levels"]
        ),
        ("f.json", "[{\"a\":\"\\x\"}]", ["escape"]),
        ("f.csv", "SQLite format 3\u{0}rest", ["SQLite"]), ("f.csv", "PK\u{3}\u{4}xl/workbook.xml", ["Excel"]),
        ("f.json", "PAR1\u{0}\u{0}", ["Parquet"]), ("f.csv", "ElfFile\u{0}\u{1}", ["evtx"]),
        ("f.csv", "7z\u{0}", ["NUL"]), ("f.log", "#separator \\x09\n#fields\tts\tuid\n1.5\tCab\n", ["line 2", "Zeek"]),
    ]) func refusalsNameThePlaceAndChangeNothing(_ name: String, _ text: String, _ said: [String]) throws {
        try ImportRig.use { rig in
            try rig.bring("Name,Tag\nbefore,1\n")
            for replaces in [false, true] {
                let message = rig.refusal { try $0.bring(text, name) { $0.replaces = replaces } }
                for part in said { #expect(message.contains(part), "\(message)") }
                #expect(message.contains("nothing was changed"), "\(message)")
                #expect(try rig.texts("T | project Name, Tag") == [["before", "1"]])
                #expect(try rig.types() == ["Name": .string, "Tag": .long])
            }
        }
    }

    @Test(arguments: [
        ([UInt8]([0x1F, 0x8B, 8, 0, 1, 2]), "gzip"), ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0, 0], "7z"),
        ([0xD4, 0xC3, 0xB2, 0xA1, 2, 0], "pcap"), ([0x28, 0xB5, 0x2F, 0xFD, 0], "Zstandard"),
        (Array("a,b\nM\u{FC}nchen,1\n".unicodeScalars.map { UInt8($0.value) }), "line 2"),
        ([0xFF, 0xFE, 0x61], "half a character"), ([0xFF, 0xFE, 0x00, 0xD8, 0x61, 0], "half a character"),
        (Array("a,b\nx,".utf8) + [0xED, 0xA0, 0x80], "not UTF-8"), (Array("a,b\nx,".utf8) + [0xC0, 0x80], "not UTF-8"),
    ]) func binaryFilesAreRefusedByName(_ bytes: [UInt8], _ said: String) throws {
        try ImportRig.use { (rig) throws in
            let message = rig.refusal { try $0.bring(bytes: bytes, "f.csv") }
            #expect(message.contains(said), "\(message)")
            #expect(try rig.workspace.schemas()["T"] == nil)
        }
    }

    @Test func aHeaderAloneIsATableWithoutRows() throws {
        try ImportRig.use { rig in
            let outcome = try rig.bring("Name,Tag\n")
            #expect(outcome.rows == 0 && outcome.notes == ["the file holds no rows"])
            #expect(try rig.types() == ["Name": .string, "Tag": .string])
            #expect(try rig.bring("[]", "f.json", to: "E").rows == 0)
        }
    }

    @Test func aFileOfAnotherTableIsRefused() throws {
        try ImportRig.use { (rig) throws in
            #expect(
                rig.refusal { try $0.bring(#"{"message":"busy"}"#, "f.json", to: "DeviceInfo") }.contains(
                    "none of its fields"))
            #expect(rig.refusal { try $0.bring("[1,2]", "f.json", to: "DeviceInfo") }.contains("must be an object"))
            #expect(
                rig.refusal { try $0.bring("DeviceId,deviceid\na,b\n", to: "DeviceInfo") }.contains(
                    "one column of the table"))
            #expect(try rig.workspace.rowCount(ofTable: "DeviceInfo") == 0)
        }
    }

    // MARK: Any width and length

    @Test func wideAndSparseRecordsTakeTimeByTheirSize() throws {
        try ImportRig.use { rig in
            let wide = "[{" + (0..<3_000).map { "\"m\($0)\":\($0)" }.joined(separator: ",") + "}]"
            try rig.bring(wide, "w.json", to: "Wide")
            #expect(try rig.texts("Wide | project m0, m2999") == [["0", "2999"]])
            // Every record has a name of its own: 12,000 columns would be 144 million cells.
            let sparse = (0..<12_000).map { "{\"Id\":\($0),\"k\($0)\":\"v\"}" }.joined(separator: "\n")
            let outcome = try rig.bring(sparse, "s.ndjson", to: "Sparse")
            #expect(outcome.rows == 12_000)
            #expect(
                try rig.texts(
                    "Sparse | where Id in (17, 11999) | order by Id asc | project k17, tostring(Unmapped.k11999)")
                    == [["v", ""], ["", "v"]])
            #expect(outcome.notes.contains { $0.contains("kept in Unmapped") })
        }
    }
}
