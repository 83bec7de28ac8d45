import KQL
import Tables
import Testing

/// How a query's text is cut into tokens.
@Suite struct LexerTests {
    private func kinds(_ text: String) throws -> [Token.Kind] {
        try Lexer.tokens(of: text).dropLast().map(\.kind)
    }

    private func words(_ text: String) throws -> [String] {
        try Lexer.tokens(of: text).dropLast().map(\.text)
    }

    @Test func everyTokenCoversItsOwnText() throws {
        let text = "T // all of them\n| where A >= 1.5 and B !has 'x' // done"
        let tokens = try Lexer.tokens(of: text)
        let bytes = Array(text.utf8)
        let cut = tokens.map { String(decoding: bytes[$0.range], as: UTF8.self) }
        #expect(cut == ["T", "|", "where", "A", ">=", "1.5", "and", "B", "!has", "'x'", ""])
        #expect(tokens.last?.kind == .end)
    }

    @Test(arguments: [
        (#""a\tb\\\"c""#, "a\tb\\\"c"), (#"'it\'s'"#, "it's"), (#"@'C:\temp'"#, #"C:\temp"#), (#"@'it''s'"#, "it's"),
        (#"h'secret'"#, "secret"), (#"H@"a\b""#, #"a\b"#), ("```a\n'b'```", "a\n'b'"), ("~~~x~~~", "x"),
        (#"'\u00e9\x41'"#, "\u{e9}A"), (#"'\101'"#, "A"), ("''", ""),
    ]) func texts(_ source: String, _ value: String) throws {
        #expect(try kinds(source) == [.string(value)])
    }
}
