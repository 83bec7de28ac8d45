import KQL
import Tables
import Testing

/// How a query's text is cut into tokens.
@Suite struct LexerTests {
    private func kinds(_ text: String) throws -> [Token.Kind] {
        try Lexer.tokens(of: text).dropLast().map(\.kind)
    }

    private func cut(_ text: String) throws -> [String] {
        let bytes = Array(text.utf8)
        return try Lexer.tokens(of: text).dropLast().map { String(decoding: bytes[$0.range], as: UTF8.self) }
    }

    @Test func everyTokenCoversItsOwnText() throws {
        let text = "T // all of them\n| where A >= 1.5 and B !has 'x' // done"
        #expect(try cut(text) == ["T", "|", "where", "A", ">=", "1.5", "and", "B", "!has", "'x'"])
        #expect(try Lexer.tokens(of: text).last?.kind == .end)
    }

    @Test(arguments: [
        (#""a\tb\\\"c""#, "a\tb\\\"c"), (#"'it\'s'"#, "it's"), (#"@'C:\temp'"#, #"C:\temp"#), (#"@'it''s'"#, "it's"),
        (#"h'secret'"#, "secret"), (#"H@"a\b""#, #"a\b"#), ("```a\n'b'```", "a\n'b'"), ("~~~x~~~", "x"),
        (#"'\u00e9\x41'"#, "\u{e9}A"), (#"'\101'"#, "A"), ("''", ""), (#"'\U0001F512'"#, "\u{1F512}"),
        (#"'\r\n\a\b\f\v'"#, "\r\n\u{7}\u{8}\u{C}\u{B}"), ("'世界'", "世界"), (#"@"a""b""#, "a\"b"),
    ]) func texts(_ source: String, _ value: String) throws {
        #expect(try kinds(source) == [.string(value)])
    }

    @Test(arguments: [
        ("0", Token.Kind.long(0)), ("007", .long(7)), ("9223372036854775807", .long(.max)), ("0x1F", .long(31)),
        ("0xFFFFFFFFFFFFFFFF", .long(-1)), ("1.5", .real(1.5)), ("1.", .real(1)), ("2e3", .real(2_000)),
        ("1.5E-2", .real(0.015)), ("1e+2", .real(100)), ("3d", .timespan(3 * DateTime.ticksPerDay)),
        ("1.5h", .timespan(54_000_000_000)), ("2tick", .timespan(2)), ("10ms", .timespan(100_000)),
        ("7microsecond", .timespan(70)), ("1minute", .timespan(600_000_000)),
    ]) func numbersAndDurations(_ source: String, _ kind: Token.Kind) throws {
        #expect(try kinds(source) == [kind])
    }

    /// What starts with a digit and is no number is a name, as in a column that a pivot made.
    @Test(arguments: ["3com", "2fa_enabled", "0abc"]) func namesThatStartWithDigits(_ source: String) throws {
        let tokens = try Lexer.tokens(of: source)
        #expect(tokens.dropLast().map(\.kind) == [.identifier] && tokens[0].text == source)
    }

    @Test(arguments: [
        ("datetime(2026-01-02)", ScalarType.datetime, "2026-01-02"), ("guid( ab )", .guid, "ab"),
        ("int(5)", .int, "5"), ("long (7)", .long, "7"), ("real(nan)", .real, "nan"), ("time(1d)", .timespan, "1d"),
        ("bool(true)", .bool, "true"), ("decimal(1.5)", .decimal, "1.5"), ("date(null)", .datetime, "null"),
    ]) func typedLiterals(_ source: String, _ type: ScalarType, _ inner: String) throws {
        #expect(try kinds(source) == [.typed(type, inner)])
    }

    /// A type's name before something that is no literal is a word.
    @Test func typeNamesAreNamesElsewhere() throws {
        #expect(try cut("(time:datetime)") == ["(", "time", ":", "datetime", ")"])
        #expect(try cut("date == 5") == ["date", "==", "5"])
        #expect(try kinds("guid").count == 1)
    }

    @Test func longestSignsFirst() throws {
        #expect(
            try cut("a=~b!~c<>d<=e=>f..g=h") == [
                "a", "=~", "b", "!~", "c", "<>", "d", "<=", "e", "=>", "f", "..", "g", "=", "h",
            ])
        #expect(try cut("a !in~ b !contains_cs c") == ["a", "!in~", "b", "!contains_cs", "c"])
        #expect(try cut("x[0].y") == ["x", "[", "0", "]", ".", "y"])
        #expect(try cut("1..5") == ["1", "..", "5"])
    }

    @Test func blanksOfAllKindsAreLeftOut() throws {
        #expect(try cut("\u{FEFF}T\u{A0}|\u{2003}take\t5\r\n// end") == ["T", "|", "take", "5"])
    }

    @Test(arguments: [
        ("print 'a", "KS001", 6..<8), ("print \"a\nb\"", "KS001", 6..<8), ("```a", "KS001", 0..<4),
        ("print '\\q'", "KS002", 7..<9), ("a ^ b", "KS002", 2..<3), ("a € b", "KS002", 2..<5),
        ("99999999999999999999", "KS002", 0..<20), ("'\\u12'", "KS002", 1..<3),
    ]) func refusals(_ source: String, _ code: String, _ range: Range<Int>) {
        #expect {
            try Lexer.tokens(of: source)
        } throws: { error in
            guard let problem = error as? Diagnostic else { return false }
            return problem.code == code && problem.range == range
        }
    }

    /// Whatever the bytes: tokens stand in order, do not overlap, and what is between them is blank or a comment.
    @Test(arguments: 1...60) func tokensStandInOrder(seed: UInt64) throws {
        var state = seed
        func below(_ n: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(n))
        }
        let pieces = [
            "T", " ", "|", "where", "a", "==", "'x y'", "1.5", "2d", "// c\n", "\n", "(", ")", "[", "]", "..", "!has",
            ",",
            "datetime(2026-01-01)", "@'\\'", "```m\nn```", "~", "é'", "'", "\\", "0x", "h'z'", "-", "{", "}", ";", ":",
        ]
        let text = (0..<below(40)).map { _ in pieces[below(pieces.count)] }.joined()
        guard let tokens = try? Lexer.tokens(of: text) else { return }
        let bytes = Array(text.utf8)
        var end = 0
        for token in tokens {
            #expect(token.range.lowerBound >= end && token.range.upperBound <= bytes.count)
            let between = String(decoding: bytes[end..<token.range.lowerBound], as: UTF8.self)
            let isBlank = between.split(separator: "\n", omittingEmptySubsequences: false).allSatisfy { line in
                line[..<(line.firstRange(of: "//")?.lowerBound ?? line.endIndex)].allSatisfy(\.isWhitespace)
            }
            #expect(isBlank, "\(text)")
            end = token.range.upperBound
        }
        #expect(end == bytes.count)
    }
}
