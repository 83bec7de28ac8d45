import Tables
import Testing

/// Graph's serializer writes marks beside and inside the cells of a hunting answer: none of them is data.
@Suite struct HuntingFormTests {
    private static let settings: [ColumnSpec] = [
        ColumnSpec("DeviceId", .string), ColumnSpec("IsCompliant", .bool), ColumnSpec("IsExpectedUserImpact", .bool),
        ColumnSpec("ConfigurationImpact", .real), ColumnSpec("Timestamp", .datetime), ColumnSpec("Context", .dynamic),
    ]

    private func read(_ rows: String, _ columns: [ColumnSpec]? = settings, list: String = "results") throws
        -> RecordPage
    {
        let text =
            #"{"@odata.context":"x","schema":[{"name":"DeviceId","type":"String"},"#
            + #"{"name":"IsCompliant","type":"SByte"},"#
            + #"{"name":"Context","type":"Object"},{"name":"Took","type":"TimeSpan"}],"\#(list)":[\#(rows)]}"#
        return try RecordReader(columns: columns, unmapped: columns == nil ? nil : "Unmapped").read(Array(text.utf8))
    }

    private func array(_ items: Value...) -> Value { .array(items) }

    @Test func marksBesideCellsAreNoFields() throws {
        let page = try read(
            #"""
            {"@odata.type":"#microsoft.graph.security.huntingRowResult","DeviceId":"d",
             "IsCompliant@odata.type":"#SByte","IsCompliant":0,"ConfigurationImpact@odata.type":"#Decimal","ConfigurationImpact":"8.5",
             "Timestamp@odata.type":"#DateTimeOffset","Timestamp":"2026-07-01T10:00:00.25+02:00",
             "Context@odata.type":"#Collection(String)","Context":[],"IsExpectedUserImpact":{}}
            """#)
        let row = try page.batch.row(0)
        let time = Value.datetime(DateTime.parse("2026-07-01T08:00:00.25Z") ?? 0)
        #expect(row == [.string("d"), .bool(false), .null, .real(8.5), time, .array([]), .null])
        #expect(page.unknownFields == [] && page.unreadable.isEmpty)
    }

    @Test(arguments: ["#Byte", "#Int16", "#Int32", "#Int64", "#Single", "#Double", "#Decimal", "#Guid", "#Duration"])
    func anyTypeMayBeNamed(type: String) throws {
        let page = try read(
            #"{"DeviceId@odata.type":"\#(type)","DeviceId":"1","Context@odata.type":"\#(type)","Context":7}"#)
        #expect(try page.batch.row(0).last == .null)
        #expect(try page.batch.row(0)[5] == .long(7))
        #expect(page.unknownFields == [])
    }

    @Test func aNullOfAnyTypeIsAnEmptyObject() throws {
        let page = try read(
            #"""
            {"DeviceId":{},"IsCompliant":{},"IsExpectedUserImpact@odata.type":"#SByte","IsExpectedUserImpact":1,
             "ConfigurationImpact":{},"Timestamp":{},"Context":{}}
            """#)
        #expect(try page.batch.row(0) == [.string(""), .null, .bool(true), .null, .null, .null, .null])
        #expect(page.unreadable.isEmpty)
    }

    @Test func objectsLoseTheirTypesName() throws {
        let page = try read(
            #"""
            {"DeviceId":"d","Context":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue","AvMode":"0",
             "Rings@odata.type":"#Collection(String)","Rings":["{\"Ring\":4}","[1,\"b\"]","[draft] plan","{6F9619FF}"],
             "Asr":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue","Rule":"Block"}}}
            """#)
        let rings = array(
            .bag(Bag([("Ring", .long(4))])), array(.long(1), .string("b")), .string("[draft] plan"),
            .string("{6F9619FF}"))
        let asr = Value.bag(Bag([("Rule", .string("Block"))]))
        #expect(try page.batch.row(0)[5] == .bag(Bag([("AvMode", .string("0")), ("Rings", rings), ("Asr", asr)])))
    }

    @Test func anObjectWithNothingButItsTypeIsABagWithoutMembers() throws {
        let page = try read(
            ##"{"Context":{"@odata.type":"#microsoft.graph.security.dynamicColumnValue"}},{"Context":{}}"##)
        #expect(try page.batch.rows().map { $0[5] } == [.bag(Bag()), .null])
    }

    @Test func arraysInsideArraysStandAsTexts() throws {
        let page = try read(
            ##"{"Context@odata.type":"#Collection(String)","Context":["[\"1.403\",1]"," [ \"b\" ] "]}"##)
        #expect(try page.batch.row(0)[5] == array(array(.string("1.403"), .long(1)), array(.string("b"))))
        // One level is the serializer's; a text inside is one that the table holds.
        let deep = try read(##"{"Context@odata.type":"#Collection(String)","Context":["[\"[1]\"]"]}"##)
        #expect(try deep.batch.row(0)[5] == array(array(.string("[1]"))))
    }

    @Test func theDocumentedFormIsReadAsItIs() throws {
        let page = try read(
            #"{"DeviceId":"d","IsCompliant":true,"Timestamp":null,"Context":{}},{"Context":[["1.403"]]},"#
                + #"{"Context":"[[1]]"}"#
        )
        #expect(
            try page.batch.rows().map { $0[5] } == [
                .bag(Bag()), array(array(.string("1.403"))), array(array(.long(1))),
            ])
        #expect(try page.batch.row(0)[1] == .bool(true))
    }

    @Test func aFieldThatNobodyKnowsIsStillKeptAndTold() throws {
        let page = try read(
            #"""
            {"DeviceId":"d","Risk@odata.type":"#Int64","Risk":9007199254740993,"Gone":{},
             "Tags@odata.type":"#Collection(String)","Tags":["{\"a\":1}"]}
            """#)
        let tags = array(.bag(Bag([("a", .long(1))])))
        #expect(try page.batch.row(0).last == .bag(Bag([("Risk", .long(9_007_199_254_740_993)), ("Tags", tags)])))
        #expect(page.unknownFields == ["Risk", "Gone", "Tags"])
    }

    @Test func marksAreReadInAnswersOfHuntingOnly() throws {
        // An API of another kind may well mean an object without members, or a text in brackets.
        let page = try read(#"{"Context":["[1]"]},{"Context":{}}"#, list: "value")
        #expect(try page.batch.rows().map { $0[5] } == [array(.string("[1]")), .bag(Bag())])
    }

    @Test func theSchemaOfASavedAnswerIsFollowed() throws {
        let page = try read(
            #"""
            {"DeviceId":"d","IsCompliant@odata.type":"#SByte","IsCompliant":1,"Context":{},
             "Took@odata.type":"#Duration","Took":"PT1M1.5S"},
            {"DeviceId":"e","IsCompliant":{},
             "Context@odata.type":"#Collection(String)","Context":["[2]"],"Took":"-PT1S"}
            """#, nil)
        #expect(page.batch.schema.names == ["DeviceId", "IsCompliant", "Context", "Took"])
        #expect(
            try page.batch.rows() == [
                [.string("d"), .bool(true), .null, .timespan(615_000_000)],
                [.string("e"), .null, array(array(.long(2))), .timespan(-10_000_000)],
            ])
    }

    @Test(arguments: ["#Collection(Int64)", "Collection(String)", "Object"])
    func collectionsInASchemaAreDynamic(type: String) throws {
        let text = ##"{"schema":[{"name":"A","type":"\##(type)"},{"name":"B","type":"#DateTimeOffset"}],"results":[]}"##
        #expect(
            try RecordReader(columns: nil).read(Array(text.utf8)).batch.schema
                == Schema([("A", .dynamic), ("B", .datetime)]))
    }
}
