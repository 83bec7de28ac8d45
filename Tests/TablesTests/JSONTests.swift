import Tables
import Testing

@Suite struct JSONTests {
    @Test func literalsAreWrittenInTheirOrder() {
        let reason = "no \"stream\""
        let document: JSON = [
            "error": ["code": "BadRequest", "message": "\(reason)"], "counts": [1, 2.5, true, nil], "none": [:],
        ]
        #expect(
            document.text
                == #"{"error":{"code":"BadRequest","message":"no \"stream\""},"counts":[1,2.5,true,null],"none":{}}"#)
    }

    @Test func aTextReadAndWrittenIsTheSame() throws {
        let text = #"{"b":[1,-2,3.25,"é\n",null,false,{}],"a":{"x":9007199254740993}}"#
        #expect(try JSON(parsing: text).text == text)
        #expect(String(decoding: try JSON(parsing: Array(text.utf8)).bytes, as: UTF8.self) == text)
    }

    @Test func membersAreReplacedAndRemovedByName() {
        var members = JSON.Members([("a", 1), ("b", 2), ("a", 3)])
        #expect(members.names == ["a", "b"] && members["a"] == 3)
        members["a"] = nil
        members["absent"] = nil
        #expect(members.names == ["b"])
    }

    @Test func whatIsNotThereIsNil() throws {
        let document: JSON = ["list": [1]]
        #expect(document["list"]?[0]?.integer == 1)
        #expect(document["list"]?[1] == nil)
        #expect(document["list"]?["name"] == nil)
        #expect(document["absent"] == nil)
        #expect(throws: JSONError.self) { try JSON(parsing: "{\"a\":") }
    }

    @Test func cellsBecomeWhatStandsOnTheWire() {
        let time = Value.datetime(DateTime.unixEpoch)
        #expect(JSON(time).string == time.text)
        #expect(JSON(.decimal(Decimal(1))).string == "1")
        #expect(Value(JSON(.bag(Bag([("n", .long(1))])))) == .bag(Bag([("n", .long(1))])))
    }
}
