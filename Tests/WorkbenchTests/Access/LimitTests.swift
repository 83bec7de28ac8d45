import Foundation
import Pipeline
import Synchronization
import Testing

@testable import Workbench

/// Texts that something told a test.
final class TestNotes: Sendable {
    private let notes = Mutex<[String]>([])
    var all: [String] { notes.withLock { $0 } }
    func add(_ note: String?) { notes.withLock { $0.append(note ?? "nothing") } }
}

/// How often and how long: attempts, calls, sessions.
@Suite struct LimitTests {
    @Test func eachFailureMakesTheNextAttemptWaitLonger() {
        let clock = ManualClock()
        let throttle = SignInThrottle(clock: clock.stopwatch)
        let keys = [SignInThrottle.Key.account("anna"), .address("10.0.0.1")]
        for _ in 0..<4 { #expect(throttle.begin(keys) == nil) }
        var waits: [Double] = []
        for _ in 0..<8 {
            let wait = throttle.begin(keys) ?? 0
            waits.append(wait)
            clock.advance(max(wait, 0) + 0.001)
            #expect(throttle.begin(keys) == nil)
        }
        #expect(waits.map { Int($0.rounded()) } == [1, 2, 4, 8, 16, 32, 60, 60])
        // Another account from another address is free.
        #expect(throttle.begin([.account("rita"), .address("10.0.0.2")]) == nil)
        // From the same address it is not for ever.
        #expect(throttle.begin([.account("olga"), .address("10.0.0.1")]) != nil)
        clock.advance(901)
        #expect(throttle.begin(keys) == nil)
    }

    @Test func attemptsSideBySideGainNothing() {
        let throttle = SignInThrottle(clock: ManualClock().stopwatch)
        let keys = [SignInThrottle.Key.account("anna"), .address("10.0.0.1")]
        let allowed = (0..<100).count { _ in throttle.begin(keys) == nil }
        #expect(allowed == 4)
    }

    @Test func whoSucceedsIsFreeAgain() {
        let throttle = SignInThrottle(clock: ManualClock().stopwatch)
        let keys = [SignInThrottle.Key.account("anna"), .address("10.0.0.1")]
        for _ in 0..<50 {
            #expect(throttle.begin(keys) == nil)
            throttle.succeeded(keys)
        }
    }

    @Test func manyNamesTakeNoMoreMemory() {
        let clock = ManualClock()
        let throttle = SignInThrottle(clock: clock.stopwatch)
        for i in 0..<30_000 { _ = throttle.begin([.account("name\(i)")]) }
        #expect(throttle.count <= 20_001)
    }

    @Test func refusalsAreCountedWhereThereAreManyOfThem() {
        let clock = ManualClock()
        let quota = RefusalQuota(clock: clock.stopwatch)
        let told = (0..<200).compactMap { _ in quota.take("10.0.0.1") }
        #expect(told.count == 60 && told.allSatisfy { $0 == 0 })
        #expect(quota.take("10.0.0.2") == 0)
        clock.advance(60)
        #expect(quota.take("10.0.0.1") == 140)
        #expect(quota.take("10.0.0.1") == 0)
        let many = (0..<20_000).compactMap { quota.take("10.1.\($0 / 256).\($0 % 256)") }
        #expect(many.count < 11_000)
    }

    private func token(calls: Int, concurrent: Int) -> Accounts.Token {
        Accounts.Token.make(
            name: "t", role: .reader, expires: .max, callsPerMinute: calls, concurrent: concurrent
        ).0
    }

    @Test func aTokenHasItsCallsAMinute() {
        let clock = ManualClock()
        let limits = TokenLimits(clock: clock.stopwatch)
        let token = token(calls: 60, concurrent: 100)
        for _ in 0..<60 {
            #expect(limits.begin(token) == nil)
            limits.end(token)
        }
        let wait = limits.begin(token)
        #expect(wait == 1)
        clock.advance(2)
        #expect(limits.begin(token) == nil && limits.begin(token) == nil)
        #expect(limits.begin(token) != nil)
    }

    @Test func aTokenHasItsCallsAtATime() {
        let limits = TokenLimits(clock: ManualClock().stopwatch)
        let token = token(calls: 1_000, concurrent: 2)
        #expect(limits.begin(token) == nil && limits.begin(token) == nil)
        #expect(limits.begin(token) != nil)
        limits.end(token)
        #expect(limits.begin(token) == nil)
    }

    @Test func sessionsEndIdleAndInAnyCase() {
        let clock = ManualClock()
        let sessions = SessionStore(idleMinutes: 60, lifeHours: 2, clock: clock.stopwatch)
        let anna = Identity(name: "anna", id: "anna", role: .reader, method: .password)
        let idle = sessions.begin(anna, proof: "p")
        #expect(idle.utf8.count == 43)
        clock.advance(3_599)
        #expect(sessions.find(idle)?.identity == anna)
        clock.advance(3_601)
        #expect(sessions.find(idle) == nil)
        let busy = sessions.begin(anna, proof: "p")
        for _ in 0..<3 {
            clock.advance(2_000)
            #expect(sessions.find(busy) != nil)
        }
        clock.advance(1_300)
        #expect(sessions.find(busy) == nil, "a session that is used lives for ever")
        let ended = sessions.begin(anna, proof: "p")
        sessions.end(ended)
        #expect(sessions.find(ended) == nil && sessions.find("") == nil)
    }

    @Test func sessionsAreFewAndTheirSecretsDiffer() {
        let sessions = SessionStore(idleMinutes: 60, lifeHours: 2, clock: ManualClock().stopwatch)
        let anna = Identity(name: "anna", id: "anna", role: .reader, method: .password)
        let values = (0..<25).map { _ in sessions.begin(anna, proof: "p") }
        #expect(Set(values).count == 25)
        #expect(values.count { sessions.find($0) != nil } == 20)
        #expect(Set(values.compactMap { sessions.find($0)?.formToken }).count == 20)
    }

    @Test func addressesAreReadExactly() throws {
        for (text, host, port, isLoopback) in [
            ("127.0.0.1:8321", "127.0.0.1", 8_321, true), ("localhost:0", "localhost", 0, true),
            ("[::1]:1", "::1", 1, true), ("127.9.9.9:80", "127.9.9.9", 80, true), ("0.0.0.0:80", "0.0.0.0", 80, false),
            ("[::]:443", "::", 443, false), ("10.0.0.5:8443", "10.0.0.5", 8_443, false),
            ("127.0.0.1.evil.example:80", "127.0.0.1.evil.example", 80, false),
            ("127.0.0.256:80", "127.0.0.256", 80, false),
            ("vestige.example.org:443", "vestige.example.org", 443, false),
        ] {
            let address = try ListenAddress(text, setting: "listen")
            #expect(address.host == host && address.port == port && address.isLoopback == isLoopback, "\(text)")
        }
        for text in [
            "", "8321", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", ":80", "::1:80", "a b:80",
            "a/b:80",
        ] {
            #expect(throws: OperatorError.self, "\(text)") { try ListenAddress(text, setting: "listen") }
        }
    }

    @Test func nobodyIsSentElsewhereAfterSigningIn() {
        for good in ["/", "/workbooks/posture?Tab=health&x=%2F%2Fevil", "/workbooks/a%20b"] {
            #expect(SignInPath.safeReturn(good) == good)
        }
        for bad in [
            nil, "", "//evil.example", "/\\evil.example", "\\/evil", "https://evil.example", "evil",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=y", "/a b", "/\t/evil.example", "/sign-in?return=/", "/é",
            "/" + String(repeating: "a", count: 3_000),
        ] {
            #expect(SignInPath.safeReturn(bad) == "/", "\(bad ?? "nil")")
        }
    }

    @Test func formsAreReadAsTheyWereSent() {
        #expect(FormText.read("a=1&b=x+y%20z&c=&d") == ["a": "1", "b": "x y z", "c": "", "d": ""])
        #expect(FormText.read("a=1&a=2&b=3") == ["b": "3"], "a field that stands twice means nothing")
        #expect(FormText.read("a=%zz&b=1") == ["b": "1"])
        let texts = [("a&b", "c=d"), ("é", "\u{1F512} +")]
        #expect(FormText.read(FormText.write(texts)) == Dictionary(uniqueKeysWithValues: texts))
        #expect(Base64URL.decode("_-8")?.count == 2 && Base64URL.decode("a+b") == nil && Base64URL.decode("a") == nil)
    }
}
