import Tables
import Testing

@testable import KQL

/// How patterns of Kusto's dialect are told to RE2.
@Suite struct RegexDialectTests {
    @Test(arguments: [
        ("abc", "abc"), (#"a\.b"#, #"a[\x{2e}]b"#), (#"\d+"#, #"[\x{30}-\x{39}]+"#), ("[a-c]", #"[\x{61}-\x{63}]"#),
        ("(?<name>a)", "(?P<name>a)"), ("(?x) a b # c", "ab"), ("(?i)a(?-i:b)", "(?i)a(?-i:b)"), ("a{2,3}", "a{2,3}"),
        ("a{b", #"a\{b"#), ("(?u)a", "a"), ("(?x-i)a b", "(?-i)ab"), (#"\x41\u{42}"#, #"[\x{41}][\x{42}]"#),
        ("[[:alpha:]_]", #"[\x{41}-\x{5a}\x{61}-\x{7a}\x{5f}]"#), ("[]a]", #"[\x{5d}\x{61}]"#),
        ("[^a-]", #"[^\x{61}\x{2d}]"#), (#"\A.*?\z"#, #"\A.*?\z"#),
    ]) func forASCII(_ pattern: String, _ wanted: String) throws {
        #expect(try RegexPattern(pattern).ascii == wanted)
    }

    @Test func textsOfASCIIAndOthersHaveFormsOfTheirOwnOnlyWhereTheyMust() throws {
        let plain = try RegexPattern("a+[b-d]")
        #expect(plain.ascii == plain.unicode && !plain.isMarked)
        let words = try RegexPattern(#"\w+"#)
        #expect(words.ascii != words.unicode && !words.isMarked)
        let edges = try RegexPattern(#"\bx"#)
        #expect(edges.isMarked && !edges.isAlwaysMarked)
        #expect(try RegexPattern(#"\b{end}"#).isAlwaysMarked)
    }

    /// Each of these has another meaning in RE2, or none: a wrong answer would be the alternative.
    @Test(arguments: [
        ("(?=a)", "look-around"), ("(?<!a)", "look-around"), (#"(a)\1"#, "references"), ("(?P=a)", "references"),
        (#"\b{start-half}"#, "start-half"), (#"\Q.\E"#, #"\Q"#), (#"\C"#, #"\C"#), (#"\G"#, #"\G"#), ("(?R)a", "'R'"),
        (#"\x{110000}"#, "code of a character"), ("[z-a]", "backwards"), ("[a", "no closing"), (#"a\"#, "lone"),
        (#"[\p{Greek}&&\pL]"#, "script"), ("(?<a.b>c)", "name of a group"),
    ]) func refused(_ pattern: String, _ words: String) {
        do throws(RegexProblem) {
            let found = try RegexPattern(pattern)
            Issue.record("\(pattern) became \(found.ascii)")
        } catch {
            #expect(error.message.contains(words), "\(error.message)")
        }
    }

    @Test func setsAreCounted() throws {
        let letters = CodePoints([97...122])
        let vowels = CodePoints("aeiou")
        #expect(letters.subtracting(vowels).ranges.count == 5)
        #expect(letters.intersection(vowels) == vowels)
        #expect(letters.complement.complement == letters)
        #expect(CodePoints([5...9, 1...3, 4...4, 8...12]).ranges == [1...12])
        #expect(CodePoints.empty.complement.ranges == [0...CodePoints.last])
        #expect(UnicodeSets.word.holds("é") && !UnicodeSets.word.holds("·".unicodeScalars.first ?? "a"))
    }

    @Test func marksStandAtTheEdgesOfWordsAndKeepTheirPlace() {
        var text = "é b"
        let (bytes, offsets) = text.withUTF8 { RegexMarks.marked($0, dense: false) }
        let (start, end): ([UInt8], [UInt8]) = ([0xEF, 0xB7, 0x90], [0xEF, 0xB7, 0x91])
        #expect(bytes == start + Array("é".utf8) + end + [32] + start + [98] + end)
        #expect(offsets == [0, 0, 0, 0, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
        // Places inside of words are marked for patterns that ask for them.
        var word = "ab"
        let dense = word.withUTF8 { RegexMarks.marked($0, dense: true).bytes }
        #expect(dense == start + [97] + [0xEF, 0xB7, 0x92] + [98] + end)
    }

    @Test func namesOfPropertiesAreReadAsTheyAreWritten() {
        #expect(UnicodeSets.canonical("lowercase_letter") == "Ll")
        #expect(UnicodeSets.canonical("Script=old_italic") == "Old_Italic")
        #expect(UnicodeSets.canonical("gc=nd") == "Nd")
        #expect(UnicodeSets.test("Greek") == nil)
    }
}

/// Words that are no names.
@Suite struct KeywordTests {
    @Test(arguments: ["last", "time", "title", "union", "statistics", "set", "date"])
    func aKeywordIsRefusedWhereANameIsUsed(_ word: String) {
        for query in [
            "let \(word) = 1; print 1", "T | where \(word) == 1", "T | as \(word)", "T | project-away \(word)",
        ] {
            #expect(throws: Diagnostic.self, "\(query)") { try Parser.parse(query) }
        }
        #expect(throws: Never.self) { try Parser.parse("T | where ['\(word)'] == 1") }
        #expect(EntityName.written(word) == "['\(word)']")
    }

    @Test(arguments: ["title", "set", "contains", "print"]) func someMayNameWhatIsNew(_ word: String) {
        #expect(throws: Never.self) { try Parser.parse("T | extend \(word) = 1") }
    }

    @Test(arguments: ["count", "from", "limit", "type", "nodes", "kind2", "step", "default"])
    func otherWordsAreNames(_ word: String) {
        #expect(throws: Never.self) { try Parser.parse("let \(word) = 1; T | where \(word) == 1") }
        #expect(EntityName.written(word) == word)
    }

    /// Properties and options are words of the grammar, whatever they are elsewhere.
    @Test(arguments: [
        "T | render timechart with (title = 'x')", "union isfuzzy=true T", "T | mv-expand with_itemindex=i x",
        "set query_results_cache_max_age = time(1h); T", "T | scan with (step s output=last: true;)",
        "T | find datascope=all in (T) where x == 1", "T | parse kind=relaxed x with y",
    ]) func wordsOfTheGrammarAreRead(_ query: String) {
        #expect(throws: Never.self) { try Parser.parse(query.replacing("T | find", with: "find")) }
    }
}
