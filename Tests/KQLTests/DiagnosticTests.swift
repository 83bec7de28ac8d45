import KQL
import Tables
import Testing

/// Where a problem is, how it is shown, and what was probably meant.
@Suite struct DiagnosticTests {
    @Test(arguments: [
        ("abc", 0, 1, 1), ("abc", 2, 1, 3), ("a\nbc", 2, 2, 1), ("a\nbc", 3, 2, 2), ("é=1", 2, 1, 2), ("世界 x", 7, 1, 4),
        ("", 0, 1, 1),
        ("a\n\n\nb", 4, 4, 1), ("\n", 1, 2, 1),
    ]) func placesCountCharacters(_ text: String, _ offset: Int, _ line: Int, _ column: Int) {
        let place = Diagnostic("KS000", "m", offset..<offset).position(in: text)
        #expect(place.line == line && place.column == column)
    }

    @Test func theMarkStandsBelowTheText() {
        let text = "T\n| where\tNam == 'é'"
        let shown = Diagnostic("KS142", "no such column", 10..<13, suggestion: "Name").render(in: text, file: "q.kql")
        #expect(
            shown == """
                error[KS142]: no such column
                  q.kql:2:9
                   |
                 2 | | where Nam == 'é'
                   |         ^^^ did you mean Name?
                """)
    }

    @Test func aPlaceAtTheEndOrOutsideIsShown() {
        let end = Diagnostic("KS006", "missing", 6..<6).render(in: "T | x ")
        #expect(end.hasSuffix("|       ^") && end.contains("query:1:7"))
        #expect(Diagnostic("KS007", "nothing", 0..<0).render(in: "").contains("1:1"))
        #expect(Diagnostic("KS001", "long", 0..<40).render(in: "short\nsecond").contains("^^^^^\n") == false)
    }

    @Test(arguments: [
        ("DeviceNam", "DeviceName"), ("devicename", "DeviceName"), ("Scroe", "Score"), ("Scor", "Score"), ("xyz", nil),
        ("Sc", nil),
        ("DeviceNamesss", nil), ("Id", "Id2"),
    ]) func nearNames(_ wrong: String, _ right: String?) {
        #expect(NearMiss.find(wrong, in: ["DeviceName", "Score", "Id2"]) == right)
    }

    @Test func theNearestOfSeveralIsMeant() {
        #expect(
            NearMiss.find("countt", in: ["counts", "count", "mount"]) == "counts"
                || NearMiss.find("countt", in: ["count"]) == "count")
        #expect(NearMiss.find("same", in: ["same"]) == nil)
        #expect(NearMiss.find("lenght", in: ["length", "light"]) == "length")
    }

    /// A name as it is written reads back as that name, whatever is in it.
    @Test(arguments: [
        "plain", "with space", "it's", "back\\slash", "\\'", "1st", "$left", "é", "a-b", "a.b", "]", "[", "\"", "tab",
        "select", "_x9", "🔒",
    ]) func writtenNamesReadBack(_ name: String) throws {
        let e = try Shape.parse(EntityName.written(name))
        guard case .name(let found) = e.kind else {
            Issue.record("\(name) is no name: \(Shape.of(e))")
            return
        }
        #expect(found == name)
    }

    @Test func watchlistsAreTablesOfTheirOwn() {
        #expect(WatchlistTable.alias(WatchlistTable.name("vips")) == "vips")
        #expect(WatchlistTable.alias("Devices") == nil)
    }

    @Test func theTypeColumnIsAddedOnce() {
        let plain = Schema([("a", .long)])
        let added = TypeColumn.added(to: plain)
        #expect(added.names == ["a", "Type"] && TypeColumn.added(to: added) == added)
    }
}

/// The tables of built-in functions are whole.
@Suite struct BuiltinTests {
    private var all: [(String, [Signature])] {
        (Array(Builtins.scalars) + Array(Builtins.aggregates)).map { ($0.key, $0.value) }
    }

    @Test func everySignatureMakesSense() {
        #expect(Builtins.scalars.count > 350 && Builtins.aggregates.count > 55)
        for (name, overloads) in all {
            for one in overloads {
                #expect(one.name == name && one.argumentCountMin <= one.argumentCountMax, "\(name)")
                let optional = one.parameters.drop { !$0.isOptional && !$0.repeats }
                let required = optional.filter { !$0.isOptional && !$0.repeats }
                // Only `case` ends in a value that must be there.
                #expect(
                    required.isEmpty || name == "case",
                    "\(name): a parameter that must be given behind one that need not")
                if case .argument(let i) = one.result { #expect(i < max(1, one.parameters.count), "\(name)") }
            }
        }
    }

    @Test func namesAreWrittenAsKustoWritesThem() {
        for (name, _) in all { #expect(name.wholeMatch(of: /[a-z_][a-z0-9_]*/) != nil, "\(name)") }
        for name in Builtins.plugins { #expect(name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil, "\(name)") }
        #expect(Builtins.rowFunctions.allSatisfy { Builtins.scalars[$0] != nil })
    }

    @Test func everyFunctionIsKnownToTheBinder() throws {
        for name in Builtins.scalars.keys where !name.hasPrefix("_") {
            do { _ = try Binder(catalog: EmptyCatalog()).bind(try Parser.parse("print x = \(name)()")) } catch let
                problem as Diagnostic
            {
                // Arguments are missing, or it has no place here; but it is not unknown.
                #expect(problem.code != "KS211" && problem.suggestion == nil, "\(name): \(problem.message)")
            }
        }
    }
}
