import Serving
import Synchronization
import TestKit
import Testing

/// Whoever writes down what is asked of a server hears of what its door did not let in.
@Suite struct RefusalTests {
    private final class Heard: Sendable {
        private let all = Mutex<[DoorRefusal]>([])
        func note(_ refusal: DoorRefusal) { all.withLock { $0.append(refusal) } }
        var last: DoorRefusal? { all.withLock { $0.last } }
        var count: Int { all.withLock { $0.count } }
    }

    @Test func everyRefusalIsHeardOnce() async throws {
        let heard = Heard()
        var limits = DoorLimits()
        limits.bodyBytesMax = 100
        limits.headerCountMax = 20
        limits.headSeconds = 0.3
        try await DoorRig.use(limits: limits, onRefusal: { heard.note($0) }) { port in
            let cases: [(String, Int, String, String)] = [
                (request("GET /query?secret=1", port, host: "evil.example"), 403, "GET", "/query"),
                (request("GET /query?secret=1", port, ["Origin: http://evil.example"]), 403, "GET", "/query"),
                (request("DELETE /query", port), 405, "DELETE", "/query"),
                (request("BREW /query", port), 501, "", ""),
                (request("POST /query", port, ["Content-Length: 500"]), 413, "POST", "/query"),
                (request("POST /query", port, ["Content-Length: x"]), 400, "", ""),
                (request("GET /query", port, (0..<30).map { "X-\($0): x" }), 431, "GET", "/query"),
                ("GET / HTTP/1.1\r\n\r\n", 400, "GET", "/"),
                ("nonsense\r\n\r\n", 501, "", ""), ("GET / HT", 408, "", ""),
            ]
            for (i, (text, status, method, path)) in cases.enumerated() {
                let answer = try await RawConnection.ask(port: port, text)
                #expect(answer.status == status, "\(text.prefix(60)): \(answer.text)")
                let told = try #require(heard.last)
                #expect(heard.count == i + 1, "\(text.prefix(60)): \(told)")
                #expect(told.status == answer.status && !told.reason.isEmpty)
                // Behind the router's door this rig's context knows no address; `SharingTests` has one that does.
                #expect(told.peer == "127.0.0.1" || told.peer.isEmpty && [403, 405].contains(status))
                #expect(told.method == method && told.path == path, "\(text.prefix(60)): \(told)")
            }
            // What is let in is nobody's business here, whatever its answer.
            for line in ["GET /query", "GET /nowhere", "HEAD /page"] {
                _ = try await RawConnection.ask(port: port, request(line, port), hasBody: !line.hasPrefix("HEAD"))
            }
            #expect(heard.count == cases.count)
        }
    }

    @Test func whereARequestCameByIsTold() async throws {
        let heard = Heard()
        try await DoorRig.use(onRefusal: { heard.note($0) }) { port in
            let fields = ["X-Forwarded-For: 1.2.3.4", "X-Forwarded-For: 5.6.7.8"]
            for extra in [["Origin: null"], []] {
                let host = extra.isEmpty ? "evil.example" : nil
                _ = try await RawConnection.ask(port: port, request("GET /query", port, host: host, fields + extra))
                #expect(heard.last?.forwardedFor == ["1.2.3.4", "5.6.7.8"])
            }
        }
    }
}
