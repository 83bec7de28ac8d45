import Azure
import Testing

/// A host that fails again and again is left alone for a while.
@Suite struct CircuitBreakerTests {
    @Test func onlyTheHostThatFailsIsLeftAlone() async {
        let breaker = CircuitBreaker(failuresMax: 3, openSeconds: 600)
        for _ in 0..<2 { await breaker.note("a.example", succeeded: false) }
        #expect(await breaker.closedIn("a.example") == nil)
        await breaker.note("a.example", succeeded: false)
        let wait = await breaker.closedIn("a.example")
        #expect(wait.map { $0 > 500 && $0 <= 600 } == true)
        #expect(await breaker.closedIn("b.example") == nil)
    }

    @Test func aSuccessForgetsTheFailuresBefore() async {
        let breaker = CircuitBreaker(failuresMax: 2, openSeconds: 600)
        await breaker.note("a.example", succeeded: false)
        await breaker.note("a.example", succeeded: true)
        await breaker.note("a.example", succeeded: false)
        #expect(await breaker.closedIn("a.example") == nil)
    }
}
