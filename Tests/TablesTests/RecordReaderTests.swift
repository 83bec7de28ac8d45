import Tables
import Testing

@Suite struct RecordReaderTests {
    private func read(_ text: String, _ columns: [ColumnSpec]? = nil, path: String? = nil) throws -> RecordPage {
        try RecordReader(columns: columns).read(Array(text.utf8), path: path)
    }

    @Test(arguments: [
        #"{"schema":[{"name":"Ok","type":"SByte"},{"name":"At","type":"DateTime"}],"results":[{"Ok":1,"At":"2026-08-01T03:12:44.101Z"}]}"#,
        #"{"Schema":[{"Name":"Ok","Type":"Boolean"},{"Name":"At","Type":"DateTime"}],"Results":[{"Ok":true,"At":"2026-08-01 03:12:44.101"}]}"#,
    ]) func huntingAnswersInEitherCasing(_ text: String) throws {
        let batch = try read(text).batch
        #expect(batch.schema == Schema([("Ok", .bool), ("At", .datetime)]))
        #expect(try batch.row(0) == [.bool(true), .datetime(DateTime.parse("2026-08-01T03:12:44.1010000Z") ?? 0)])
    }

    @Test func keysMatchWithoutCaseAndInAnyOrder() throws {
        let page = try read(
            #"{"value":[{"DeviceId":"a","CvssScore":5.5},{"cvssScore":"7","deviceId":"b","more":1},{"DEVICEID":null}]}"#,
            [ColumnSpec("deviceId", .string), ColumnSpec("cvssScore", .real)])
        #expect(
            try page.batch.rows() == [[.string("a"), .real(5.5)], [.string("b"), .real(7)], [.string(""), .null]])
        #expect(page.unknownFields == ["more"])
    }

    @Test func whatCannotBeReadIsCountedWithItsFirstPlace() throws {
        let page = try read(#"[{"t":"2026-01-01"},{"t":"31/02/2026"},{"t":"x"}]"#, [ColumnSpec("t", .datetime)])
        let cells = try #require(page.unreadable.first)
        #expect(cells.count == 2)
        #expect(cells.firstRow == 2)
        #expect(cells.example == "31/02/2026")
    }

    @Test func jsonInsideStringsBecomesDynamic() throws {
        let page = try read(#"[{"d":"{\"a\":[1,2]}"},{"d":"plain"},{"d":{"b":null}}]"#, [ColumnSpec("d", .dynamic)])
        #expect(
            try page.batch.rows().map { $0[0] } == [
                .bag(Bag([("a", .array([.long(1), .long(2)]))])), .string("plain"), .bag(Bag([("b", .null)])),
            ])
    }

    @Test func typesAreInferred() throws {
        let batch = try read(
            #"{"title":"x","count":2,"items":[{"n":1,"r":1,"s":"2026","t":"2026-02-03","b":true,"m":1},{"n":2,"r":2.5,"s":"a","t":"","b":false,"m":"x"}]}"#
        ).batch
        #expect(
            batch.schema
                == Schema([("n", .long), ("r", .real), ("s", .string), ("t", .datetime), ("b", .bool), ("m", .dynamic)])
        )
    }

    @Test func nextLinkAndServiceErrors() throws {
        #expect(
            try read(#"{"@odata.nextLink":"https://x/y?$skip=1","value":[]}"#, [ColumnSpec("a", .long)]).nextLink
                == "https://x/y?$skip=1")
        #expect { try read(#"{"error":{"code":"Forbidden","message":"no"}}"#) } throws: {
            ($0 as? RecordError)?.description == "the service answered Forbidden: no"
        }
    }

    /// Every cut of a page is an error, never a shorter page.
    @Test func cutTextsAreErrors() throws {
        let text = #"{"value":[{"a":"x\"y","b":[1,{"c":2}]},{"a":"z","b":null}],"n":1}"#
        let columns = [ColumnSpec("a", .string), ColumnSpec("b", .dynamic)]
        #expect(try read(text, columns).batch.count == 2)
        for length in 0..<text.utf8.count {
            #expect(throws: RecordError.self) {
                try read(String(decoding: text.utf8.prefix(length), as: UTF8.self), columns)
            }
        }
    }

    @Test func csvKeepsQuotedLineEndsAndEmptyFields() {
        let text = "a,b\r\n\"x, \"\"y\"\"\n2\",\r\n,\"\"\n3,4"
        #expect(CSV.records(text.utf8) == [["a", "b"], ["x, \"y\"\n2", ""], ["", ""], ["3", "4"]])
    }
}

@Suite struct DateTimeTests {
    /// Text and ticks go into each other for every day and any fraction.
    @Test func formatAndParseAreInverse() {
        var ticks: Int64 = 0
        var step: Int64 = 1
        while ticks <= DateTime.maximum {
            #expect(DateTime.parse(DateTime.format(ticks)) == ticks)
            step = (step &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407)
            ticks += (step.magnitude % 30_000_000_000_000_000).asInt64
        }
    }
}

extension UInt64 {
    fileprivate var asInt64: Int64 { Int64(self) }
}
