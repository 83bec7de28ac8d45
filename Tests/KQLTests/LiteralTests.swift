import KQL
import Tables
import Testing

/// What is written as a literal is the value that it names.
@Suite struct LiteralTests {
    private func literal(_ text: String) throws -> (Value, ScalarType) {
        guard case .literal(let value, let type) = try Shape.parse(text).kind else {
            throw Diagnostic("TEST", "\(text) is no literal", 0..<0)
        }
        return (value, type)
    }

    @Test(arguments: [
        ("datetime(2026-03-04)", "2026-03-04T00:00:00.0000000Z"),
        ("datetime(2026-03-04 05:06)", "2026-03-04T05:06:00.0000000Z"),
        ("datetime(2026-03-04T05:06:07.1234567Z)", "2026-03-04T05:06:07.1234567Z"),
        ("datetime(\"2026-03-04\")", "2026-03-04T00:00:00.0000000Z"),
        ("datetime(2026, 3, 4)", "2026-03-04T00:00:00.0000000Z"),
        ("datetime(2026-03-04T05:06:07+01:00)", "2026-03-04T04:06:07.0000000Z"),
        ("datetime(2026)", "2026-01-01T00:00:00.0000000Z"),
        ("date(2026-03-04)", "2026-03-04T00:00:00.0000000Z"),
    ]) func times(_ text: String, _ value: String) throws {
        let (found, type) = try literal(text)
        #expect(found.text == value && type == .datetime)
    }

    @Test(arguments: [
        ("time(1d)", "1.00:00:00"), ("timespan(00:00:10)", "00:00:10"), ("time(1.02:03:04.5)", "1.02:03:04.5000000"),
        ("timespan(15s)", "00:00:15"), ("time(0.5h)", "00:30:00"), ("90m", "01:30:00"), ("-1h", "-01:00:00"),
        ("1tick", "00:00:00.0000001"),
        ("500ms", "00:00:00.5000000"), ("7d", "7.00:00:00"),
    ]) func durations(_ text: String, _ value: String) throws {
        let (found, type) = try literal(text)
        #expect(found.text == value && type == .timespan)
    }

    @Test(arguments: [
        ("int(7)", "7", ScalarType.int), ("int(-7)", "-7", .int), ("long(0x10)", "16", .long),
        ("real(1e3)", "1000.0", .real),
        ("double(-0.5)", "-0.5", .real), ("decimal(0.1)", "0.1", .decimal), ("bool(1)", "true", .bool),
        ("bool(false)", "false", .bool),
        ("guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "74be27de-1e4e-49d9-b579-fe0b331d3642", .guid),
        ("uuid(74BE27DE1E4E49D9B579FE0B331D3642)", "74be27de-1e4e-49d9-b579-fe0b331d3642", .guid),
        ("-9223372036854775808", "-9223372036854775808", .long), ("h'x'", "x", .string),
    ]) func others(_ text: String, _ value: String, _ type: ScalarType) throws {
        let found = try literal(text)
        #expect(found.0.text == value && found.1 == type)
    }

    @Test(arguments: ["int", "long", "real", "decimal", "bool", "guid", "datetime", "timespan"]) func everyTypeHasANull(
        _ name: String
    ) throws {
        let (value, type) = try literal("\(name)(null)")
        #expect(value.isNull && type == ScalarType(name: name))
    }

    @Test(arguments: [
        ("dynamic(null)", "null"), ("dynamic([1, 2.5, 'x', true, null])", "[1,2.5,\"x\",true,null]"),
        ("dynamic({'a': {b: [1]}})", "{\"a\":{\"b\":[1]}}"),
        ("dynamic('text')", "\"text\""), ("dynamic(-5)", "-5"), ("dynamic([])", "[]"), ("dynamic({})", "{}"),
        ("dynamic({\"a\": 1, \"a\": 2})", "{\"a\":2}"),
        ("dynamic([dynamic([1])])", "[[1]]"), ("dynamic(['a' 'b'])", "[\"ab\"]"),
    ]) func dynamics(_ text: String, _ json: String) throws {
        let (value, type) = try literal(text)
        #expect(JSONWriter.string(value) == json && type == .dynamic)
    }

    @Test(arguments: [
        ("dynamic([1, 2", "KS005"), ("dynamic({a 1})", "KS005"), ("dynamic(x)", "KS005"), ("dynamic(-'a')", "KS005"),
        ("dynamic()", "KS006"), ("dynamic([guid(1)])", "KS002"),
    ]) func refusals(_ text: String, _ code: String) {
        #expect {
            try Shape.parse(text)
        } throws: { error in
            (error as? Diagnostic)?.code == code
        }
    }

    /// Microsoft's parser reads these: they are refused when they are bound.
    @Test(arguments: [
        ("guid(1)", ScalarType.guid), ("int(a)", .int), ("bool(perhaps)", .bool), ("decimal(1,5)", .decimal),
        ("real(one)", .real), ("datetime(soon)", .datetime), ("time(abc)", .timespan), ("long(many)", .long),
    ]) func textsThatAreNoValue(_ text: String, _ type: ScalarType) throws {
        guard case .unreadable(type, _) = try Shape.parse(text).kind else {
            Issue.record("\(text) was read")
            return
        }
        #expect {
            try Binder(catalog: EmptyCatalog()).bind(try Parser.parse("print x = \(text)"))
        } throws: { error in
            (error as? Diagnostic)?.code == "KS002"
        }
    }

    @Test(arguments: [("int(0x10)", "16"), ("int(0x7fffffff)", "2147483647"), ("int(0xffffffff)", "-1")])
    func hexadecimalInts(_ text: String, _ value: String) throws {
        #expect(try literal(text).0.text == value)
    }

    /// A text of data stays the text that it is, whichever quotes stand around it.
    @Test(arguments: ["plain", "a\"b", "it's", #"C:\Users\new"#, "two\nlines\r", "\" | take 1 //", "ünï🎈"])
    func aTextOfDataStaysInsideItsQuotes(_ text: String) throws {
        let (value, type) = try literal(KQLLiteral.string(text))
        #expect(value == .string(text) && type == .string)
        let (other, _) = try literal("'" + KQLLiteral.escaped(text) + "'")
        #expect(other == .string(text))
    }
}
