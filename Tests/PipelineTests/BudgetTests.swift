import Azure
import Synchronization
import Testing

/// Calls that wait for their turn, by a clock that only moves when somebody waits.
@Suite struct BudgetTests {
    /// A clock on which a wait is over at once, and which tells how long it was.
    private final class TestClock: Sendable {
        private let elapsed = Mutex(Duration.zero)

        var now: Duration { elapsed.withLock { $0 } }
        func advance(_ duration: Duration) { elapsed.withLock { $0 += duration } }

        var waiting: WaitingClock { WaitingClock(now: { self.now }, sleep: { self.advance($0) }) }
    }

    @Test func callsWaitUntilTheWindowHasRoom() async throws {
        let clock = TestClock()
        let budget = CallBudget([CallBudget.Window(seconds: 60, units: 3)], clock: clock.waiting)
        var waits: [Double] = []
        for _ in 0..<7 {
            waits.append(try await budget.take())
            clock.advance(.seconds(5))
        }
        // The fourth waits for the first to be old, the fifth for the second, and so on.
        #expect(waits.map { ($0 * 10).rounded() / 10 } == [0, 0, 0, 45, 0, 0, 45])
    }

    @Test func whatCallsCostCounts() async throws {
        let clock = TestClock()
        let budget = CallBudget([CallBudget.Window(seconds: 60, units: 100)], clock: clock.waiting)
        for cost in [60, 40] { #expect(try await budget.take(cost: cost) == 0) }
        #expect(try await budget.take(cost: 50) == 60)
        // More than a window ever holds: alone, when the window is empty.
        #expect(try await budget.take(cost: 500) == 60)
    }

    @Test func theNarrowestWindowDecides() async throws {
        let clock = TestClock()
        let windows = [CallBudget.Window(seconds: 1, units: 2), CallBudget.Window(seconds: 60, units: 3)]
        let budget = CallBudget(windows, clock: clock.waiting)
        var waits: [Double] = []
        for _ in 0..<4 { waits.append(try await budget.take()) }
        #expect(waits == [0, 0, 1, 59])
    }

    @Test func everybodyWaitsWhenTheServiceAsks() async throws {
        let clock = TestClock()
        let budget = CallBudget([CallBudget.Window(seconds: 60, units: 100)], clock: clock.waiting)
        await budget.pause(seconds: 30)
        // A shorter pause does not end a longer one.
        await budget.pause(seconds: 10)
        #expect(try await budget.take() == 30)
        #expect(try await budget.take() == 0)
    }
}
