import Azure
import Testing

/// Calls that wait for their turn.
@Suite struct BudgetTests {
    private static func seconds(_ body: () async throws -> Void) async throws -> Double {
        let began = ContinuousClock.now
        try await body()
        return Double((ContinuousClock.now - began) / .milliseconds(1)) / 1_000
    }

    @Test func callsWaitUntilTheWindowHasRoom() async throws {
        let budget = CallBudget([CallBudget.Window(seconds: 0.4, units: 3)])
        #expect(try await Self.seconds { for _ in 0..<3 { try await budget.take() } } < 0.3)
        // The fourth waits for the first to be old, and the seventh for the fourth.
        #expect(try await Self.seconds { for _ in 0..<4 { try await budget.take() } } >= 0.75)
    }

    @Test func whatCallsCostCounts() async throws {
        let budget = CallBudget([CallBudget.Window(seconds: 0.4, units: 100)])
        #expect(try await Self.seconds { for cost in [60, 40] { try await budget.take(cost: cost) } } < 0.3)
        #expect(try await Self.seconds { try await budget.take(cost: 50) } >= 0.35)
        // More than a window ever holds: alone, when the window is empty.
        #expect(try await Self.seconds { try await budget.take(cost: 500) } >= 0.35)
    }

    @Test func everybodyWaitsWhenTheServiceAsks() async throws {
        let budget = CallBudget([CallBudget.Window(seconds: 60, units: 100)])
        await budget.pause(seconds: 0.3)
        #expect(try await Self.seconds { try await budget.take() } >= 0.29)
    }
}
