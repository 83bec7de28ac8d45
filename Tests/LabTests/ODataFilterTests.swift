import Tables
import Testing

@testable import Lab

/// `$filter` as the Defender for Endpoint API takes it, and what it refuses.
@Suite struct ODataFilterTests {
    private static let rows: [Value] = [
        .bag(
            Bag([
                ("id", .string("a")), ("severity", .string("High")), ("incidentId", .long(1)),
                ("lastUpdateTime", .string("2026-03-01T10:00:00.5Z")), ("assignedTo", .null),
            ])),
        .bag(
            Bag([
                ("id", .string("b")), ("severity", .string("Low")), ("incidentId", .long(2)),
                ("lastUpdateTime", .datetime(DateTime.parse("2026-03-02T10:00:00Z") ?? 0)),
                ("assignedTo", .string("o'neil")),
            ])),
    ]

    @Test(arguments: [
        ("lastUpdateTime ge 2026-03-01T10:00:00Z", ["a", "b"]), ("lastUpdateTime ge 2026-03-01T10:00:01Z", ["b"]),
        ("lastUpdateTime lt 2026-03-02T10:00:00.0000000Z", ["a"]), ("severity eq 'High'", ["a"]),
        ("severity ne 'High'", ["b"]), ("severity eq 'High' or incidentId eq 2", ["a", "b"]),
        ("severity eq 'High' and incidentId eq 2", []), ("not (severity eq 'High')", ["b"]),
        ("startswith(severity,'Lo')", ["b"]), ("assignedTo eq 'o''neil'", ["b"]), ("assignedTo eq null", ["a"]),
        ("incidentId gt 1", ["b"]), ("incidentId le 1 and (severity eq 'High' or severity eq 'Low')", ["a"]),
    ])
    func aFilterLetsTheRightRecordsThrough(_ text: String, _ ids: [String]) throws {
        let found = try ODataFilter.apply(text, to: Self.rows, of: "/api/alerts")
        #expect(found.map { $0.bagValue?["id"]?.text ?? "" } == ids)
    }

    @Test(arguments: [
        "title eq 'x'", "lastUpdateTime ge '", "lastUpdateTime ge 2026-03-01", "lastUpdateTime since 1", "",
        "severity eq 'High' and", "(severity eq 'High'", "contains(severity,'H')", "severity eq 'High' severity",
        "lastUpdateTime ge datetime(2026-03-01)",
    ])
    func whatThePageDoesNotKnowIsRefused(_ text: String) {
        #expect(throws: ODataFilter.Problem.self) { try ODataFilter.apply(text, to: Self.rows, of: "/api/alerts") }
    }

    @Test func aListWithoutFiltersRefusesThemAll() {
        #expect(throws: ODataFilter.Problem.self) {
            try ODataFilter.apply("id eq 'a'", to: Self.rows, of: "/api/exposureScore/ByMachineGroups")
        }
    }
}
