import Forensics
import Tables
import TestKit
import Testing

/// What an investigation lacks, and whom it must be asked of.
@Suite(.serialized) struct EventGapTests {
    private static let first =
        Int64(DateTime.days(year: 2026, month: 9, day: 16)) * DateTime.ticksPerDay + 10 * Span.hour + 41 * Span.minute

    private func gaps(_ estate: PlayedEstate, _ scope: InvestigationScope = InvestigationScope()) throws -> [EventGap] {
        try EventGaps(provider: try estate.provider(), library: estate.library).find(scope, estate.investigate(scope))
    }

    @Test func withoutEventsItBeginsWithTheDeviceOfTheAlert() async throws {
        try await PlayedEstate.play("macro-to-ransomware", events: false) { estate, _ in
            let found = try gaps(estate)
            #expect(found.map(\.devices) == [["lis-ws-9101.contoso.example"]])
            let gap = try #require(found.first)
            #expect(gap.tables.contains("DeviceProcessEvents") && gap.tables.count == 7)
            #expect(gap.window == Self.first - 3 * Span.day...Self.first + Span.day)
            #expect(gap.text.contains("from lis-ws-9101.contoso.example between 2026-09-13 10:41:00"))
            #expect(try gaps(estate, InvestigationScope(alert: "da9101")) == found)
            // A device that somebody names is asked for too, and a window is kept to.
            let day = Self.first - Span.day...Self.first
            let named = try gaps(estate, InvestigationScope(device: "lis-file-9102", window: day))
            #expect(named.map(\.devices) == [["lis-file-9102.contoso.example"]] && named.first?.window == day)
        }
    }

    @Test func whatWasCollectedIsNotLacking() async throws {
        try await PlayedEstate.play("macro-to-ransomware") { estate, _ in
            let found = try gaps(estate)
            #expect(found.isEmpty, "\(found.map(\.text))")
        }
    }
}

@Suite struct InvestigationNewsTests {
    @Test func onlyWhatChangedIsTold() throws {
        let before = try Intrusions.stopped().investigate()
        let after = try Intrusions.wiki().investigate()
        #expect(InvestigationNews(from: after, to: after).isEmpty)
        let news = InvestigationNews(from: before, to: after)
        #expect(news.new.contains("verdict: intrusion") && news.gone.contains("verdict: prevented"))
        #expect(news.new.contains { $0.hasSuffix("resource-hijacked on web.fenwick.example") })
        #expect(news.text.hasPrefix("- verdict: prevented\n") && news.text.contains("\n+ verdict: intrusion\n"))
    }
}
