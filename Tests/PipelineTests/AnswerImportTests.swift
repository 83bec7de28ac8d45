import Foundation
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// Answers of query services that somebody saved, with the types that they tell.
@Suite struct AnswerImportTests {
    /// What the answer is called, and the answer: two devices with a risk, a time, a bag and a flag.
    private static let answers: [(kind: String, text: String)] = [
        (
            "advanced hunting",
            #"""
            {"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#x","schema":[{"name":"DeviceName",
            "type":"String"},
            {"name":"Risk","type":"Int64"},{"name":"Seen","type":"DateTime"},{"name":"Bag","type":"Object"},
            {"name":"Ok","type":"SByte"}],
            "results":[{"DeviceName":"a","Risk@odata.type":"#Int64","Risk":3,"Seen":"2026-08-01T03:12:44.1012345Z",
            "Bag":{"x":1},"Ok":1},
            {"DeviceName":"b","Risk":{},"Seen":{},"Bag":"{\"x\":2}","Ok":0}]}
            """#
        ),
        (
            "advanced hunting",
            #"""
            {"Stats":{"ExecutionTime":0.01},"Schema":[{"Name":"DeviceName","Type":"String"},{"Name":"Risk",
            "Type":"Int64"},
            {"Name":"Seen","Type":"DateTime"},{"Name":"Bag","Type":"Object"},{"Name":"Ok","Type":"Boolean"}],
            "Results":[{"DeviceName":"a","Risk":3,"Seen":"2026-08-01T03:12:44.1012345Z","Bag":"{\"x\":1}","Ok":true},
            {"DeviceName":"b","Risk":null,"Seen":null,"Bag":"{\"x\":2}","Ok":false}]}
            """#
        ),
        (
            "Log Analytics",
            #"""
            {"tables":[{"name":"PrimaryResult","columns":[{"name":"DeviceName","type":"string"},{"name":"Risk",
            "type":"long"},
            {"name":"Seen","type":"datetime"},{"name":"Bag","type":"dynamic"},{"name":"Ok","type":"bool"}],
            "rows":[["a",3,"2026-08-01T03:12:44.1012345Z","{\"x\":1}",true],["b",null,null,"{\"x\":2}",false]]}]}
            """#
        ),
        (
            "Kusto (v1)",
            #"""
            {"Tables":[{"TableName":"Table_0","Columns":[{"ColumnName":"DeviceName","DataType":"String",
            "ColumnType":"string"},
            {"ColumnName":"Risk","DataType":"Int64","ColumnType":"long"},{"ColumnName":"Seen","DataType":"DateTime",
            "ColumnType":"datetime"},
            {"ColumnName":"Bag","DataType":"Object","ColumnType":"dynamic"},{"ColumnName":"Ok","DataType":"SByte",
            "ColumnType":"bool"}],
            "Rows":[["a",3,"2026-08-01T03:12:44.1012345Z",{"x":1},1],["b",null,null,"{\"x\":2}",0]]},
            {"TableName":"Table_1","Columns":[{"ColumnName":"Value","DataType":"String"}],"Rows":[["{}"]]},
            {"TableName":"Table_2","Columns":[{"ColumnName":"Ordinal","DataType":"Int64"},{"ColumnName":"Kind",
            "DataType":"String"},
            {"ColumnName":"Name","DataType":"String"}],"Rows":[[0,"QueryResult","PrimaryResult"],[1,
            "QueryProperties","@ExtendedProperties"]]}]}
            """#
        ),
        (
            "Kusto (v2)",
            #"""
            [{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0"},
            {"FrameType":"DataTable","TableId":0,"TableKind":"QueryProperties","TableName":"@ExtendedProperties",
            "Columns":[{"ColumnName":"Key","ColumnType":"string"}],"Rows":[["x"]]},
            {"FrameType":"DataTable","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult",
            "Columns":[{"ColumnName":"DeviceName","ColumnType":"string"},{"ColumnName":"Risk","ColumnType":"long"},
            {"ColumnName":"Seen","ColumnType":"datetime"},{"ColumnName":"Bag","ColumnType":"dynamic"},
            {"ColumnName":"Ok","ColumnType":"bool"}],
            "Rows":[["a",3,"2026-08-01T03:12:44.1012345Z",{"x":1},true],["b",null,null,{"x":2},false]]},
            {"FrameType":"DataSetCompletion","HasErrors":false,"Cancelled":false}]
            """#
        ),
        (
            "Kusto (v2)",
            #"""
            [{"FrameType":"DataSetHeader","IsProgressive":true,"Version":"v2.0"},
            {"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult","TableName":"PrimaryResult",
            "Columns":[{"ColumnName":"DeviceName","ColumnType":"string"},{"ColumnName":"Risk","ColumnType":"long"},
            {"ColumnName":"Seen","ColumnType":"datetime"},{"ColumnName":"Bag","ColumnType":"dynamic"},
            {"ColumnName":"Ok","ColumnType":"bool"}]},
            {"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataAppend","FieldCount":5,
            "Rows":[["gone",1,null,null,true]]},
            {"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataReplace","FieldCount":5,
            "Rows":[["a",3,"2026-08-01T03:12:44.1012345Z",{"x":1},true]]},
            {"FrameType":"TableFragment","TableId":1,"TableFragmentType":"DataAppend","FieldCount":5,
            "Rows":[["b",null,null,{"x":2},false]]},
            {"FrameType":"TableCompletion","TableId":1,"RowCount":2},{"FrameType":"DataSetCompletion",
            "HasErrors":false}]
            """#
        ),
        (
            "Resource Graph",
            #"""
            {"totalRecords":2,"count":2,"data":{"columns":[{"name":"DeviceName","type":"string"},{"name":"Risk",
            "type":"integer"},
            {"name":"Seen","type":"datetime"},{"name":"Bag","type":"object"},{"name":"Ok","type":"boolean"}],
            "rows":[["a",3,"2026-08-01T03:12:44.1012345Z",{"x":1},true],["b",null,null,{"x":2},false]]},"facets":[],
            "resultTruncated":"false"}
            """#
        ),
    ]

    @Test(arguments: answers.indices) func answersKeepTheirTypes(_ i: Int) throws {
        let (kind, text) = Self.answers[i]
        try ImportRig.use { rig in
            let outcome = try rig.bring(text, "answer.json")
            #expect(outcome.reading.contains("a saved answer of \(kind)"), "\(outcome.reading)")
            #expect(outcome.rows == 2)
            #expect(
                try rig.types() == [
                    "DeviceName": .string, "Risk": .long, "Seen": .datetime, "Bag": .dynamic, "Ok": .bool,
                ])
            #expect(
                try rig.texts("T | order by DeviceName asc | project DeviceName, Risk, Seen, tostring(Bag.x), Ok") == [
                    ["a", "3", "2026-08-01T03:12:44.1012345Z", "1", "true"], ["b", "", "", "2", "false"],
                ])
        }
    }

    @Test func theCommandLineWritesTextsWithTheNameOfTheTable() throws {
        let text = #"""
            [{"DeviceName":"a","Risk":"3","Share":"0.5","Tag":"007","TableName":"PrimaryResult",
            "TimeGenerated":"2026-08-01T03:12:44Z"},
            {"DeviceName":"b","Risk":"5","Share":"1","Tag":"8","TableName":"PrimaryResult",
            "TimeGenerated":"2026-08-02T03:12:44Z"},
            {"Sum":"8","TableName":"Table_1"}]
            """#
        try ImportRig.use { rig in
            let outcome = try rig.bring(text, "answer.json")
            #expect(outcome.rows == 2 && outcome.reading.contains("az monitor"))
            #expect(outcome.notes.contains { $0.contains("Table_1 (1 row)") })
            #expect(
                try rig.ask("T | where DeviceName == 'b' | project Risk, Share, Tag, TimeGenerated") == [
                    [
                        .long(5), .real(1), .string("8"), .datetime(DateTime.parse("2026-08-02T03:12:44Z") ?? 0),
                    ]
                ])
        }
    }

    @Test func ofSeveralTablesTheFirstIsTakenAndTheOthersAreTold() throws {
        let text =
            #"{"tables":[{"name":"PrimaryResult","columns":[{"name":"a","type":"long"}],"rows":[[1]]},"#
            + #"{"name":"Second","columns":[{"name":"b","type":"long"}],"rows":[[2]]}],"#
            + #""error":{"code":"PartialError","message":"too much"}}"#
        try ImportRig.use { rig in
            let notes = try rig.bring(text, "answer.json").notes.joined(separator: "\n")
            #expect(notes.contains("left out: Second") && notes.contains("PartialError"))
            #expect(try rig.texts("T | project a") == [["1"]])
        }
    }

    @Test func aPageSaysThatMoreFollows() throws {
        try ImportRig.use { rig in
            let page = try rig.bring(
                #"{"@odata.nextLink":"https://x/?$skip=2","value":[{"id":"a"},{"id":"b"}]}"#, "p.json")
            #expect(page.rows == 2)
            #expect(page.notes.contains { $0.contains("@odata.nextLink") && $0.contains("not in this file") })
        }
    }

    @Test func listsAreNamedWhereTheNameIsWrong() throws {
        let text = #"{"meta":{"n":2,"inner":[{"Y":5}]},"items":[{"N":1},{"N":2}],"other":[{"X":1}]}"#
        try ImportRig.use { rig in
            let message = rig.refusal { try $0.bring(text, "r.json") { $0.records = "itmes" } }
            #expect(message.contains("\"itmes\"") && message.contains("items, other, meta.inner"))
            #expect(try rig.bring(text, "r.json", to: "A") { $0.records = "items" }.rows == 2)
            #expect(try rig.bring(text, "r.json", to: "B") { $0.records = "meta.inner" }.rows == 1)
            #expect(try rig.texts("B | project Y") == [["5"]])
            let whole = try rig.bring(text, "r.json", to: "C")
            #expect(whole.rows == 1 && whole.notes.contains { $0.contains("items, other") })
            #expect(try rig.bring(#"{"title":"t","items":[{"N":1}]}"#, "c.json", to: "D").rows == 1)
        }
    }

    @Test func aRowOfAnotherWidthIsAnErrorWithItsPlace() throws {
        let text =
            #"{"tables":[{"name":"PrimaryResult","columns":[{"name":"a","type":"long"}],"rows":[[1],"# + "\n[2,3]]}]}"
        try ImportRig.use { rig in
            let message = rig.refusal { try $0.bring(text, "answer.json") }
            #expect(message.contains("record 2, line 2") && message.contains("2 cells, but 1 columns"))
        }
    }
}
