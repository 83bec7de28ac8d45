import Serving
import Synchronization
import TestKit
import Testing

/// What a client may take of a server's time, connections and memory.
@Suite struct LimitTests {
    private func limits(_ change: (inout DoorLimits) -> Void) -> DoorLimits {
        var limits = DoorLimits()
        change(&limits)
        return limits
    }

    @Test func whoDoesNotFinishAHeadIsTold() async throws {
        let limits = limits {
            $0.headSeconds = 0.3
            $0.idleSeconds = 0.3
        }
        try await DoorRig.use(limits: limits) { port in
            for part in ["G", "GET /query HT", "GET /query HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nX: "] {
                let connection = try RawConnection(port: port)
                connection.send(part)
                let answer = await connection.read(answers: nil)
                #expect(answer.status == 408 && answer.isClosed, "\(part): \(answer.text)")
            }
            // Also of the second request.
            let connection = try RawConnection(port: port)
            connection.send(request("GET /query", port) + "GET /query HTTP/1.1\r\n")
            let answers = await connection.read(answers: nil)
            #expect(answers.status == 200 && answers.isClosed)
        }
    }

    @Test func whoDoesNotFinishABodyIsTold() async throws {
        try await DoorRig.use(limits: limits { $0.bodySeconds = 0.3 }) { port in
            let connection = try RawConnection(port: port)
            connection.send(request("POST /query", port, ["Content-Length: 100"], body: "half"))
            let answer = await connection.read(answers: nil)
            #expect(answer.status == 408 && answer.isClosed, "\(answer.text)")
            let chunked = try RawConnection(port: port)
            chunked.send(request("POST /query", port, ["Transfer-Encoding: chunked"], body: "5\r\nab"))
            let other = await chunked.read(answers: nil)
            #expect(other.status == 408 && other.isClosed)
        }
    }

    /// Much that came at once does not buy time for the rest.
    @Test func whoStopsInALargeBodyIsTold() async throws {
        try await DoorRig.use(limits: limits { $0.bodySeconds = 0.3 }) { port in
            let connection = try RawConnection(port: port)
            let most = String(repeating: "a", count: 2 << 20)
            connection.send(request("POST /query", port, ["Content-Length: \(most.utf8.count + 1)"], body: most))
            let answer = await connection.read(answers: nil)
            #expect(answer.status == 408 && answer.isClosed)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aServerThatEndsDoesNotWaitForBodies() async throws {
        let halves = HalfBodies()
        try await DoorRig.use(limits: limits { $0.bodySeconds = 600 }) { port in
            for _ in 0..<8 {
                let connection = try RawConnection(port: port)
                connection.send(request("POST /query", port, ["Content-Length: 100"], body: "half"))
                halves.keep(connection)
            }
            // A whole answer after them: they were taken in.
            let answer = try await RawConnection.ask(port: port, request("GET /query", port))
            #expect(answer.status == 200)
        }
        // The server has ended, long before the time that it would give a body.
        for connection in halves.all {
            let answer = await connection.read(answers: nil)
            #expect(answer.isClosed)
        }
    }

    private final class HalfBodies: Sendable {
        private let kept = Mutex<[RawConnection]>([])
        var all: [RawConnection] { kept.withLock { $0 } }

        func keep(_ connection: RawConnection) { kept.withLock { $0.append(connection) } }
    }

    @Test func whoAsksNothingIsLeft() async throws {
        try await DoorRig.use(limits: limits { $0.idleSeconds = 0.3 }) { port in
            let silent = try RawConnection(port: port)
            let nothing = await silent.read(answers: nil)
            #expect(nothing.isClosed && nothing.bytes.isEmpty)
            let asked = try RawConnection(port: port)
            asked.send(request("GET /query", port))
            let answer = await asked.read(answers: nil)
            #expect(answer.status == 200 && answer.body == "answer" && answer.isClosed)
        }
    }

    @Test func whoDoesNotReadIsLeft() async throws {
        let latch = DoorRig.Latch()
        try await DoorRig.use(
            limits: limits {
                $0.unreadSeconds = 0.3; $0.connectionsMax = 1
            }, latch: latch
        ) { port in
            let lazy = try RawConnection(port: port)
            lazy.send(request("GET /huge", port))
            // The only connection there may be is free again without the lazy one reading a byte.
            var status: Int?
            for _ in 0..<200 where status != 200 {
                status = try await RawConnection.ask(port: port, request("GET /query", port)).status
            }
            #expect(status == 200)
            withExtendedLifetime(lazy) {}
        }
    }

    @Test func halfHeadsPushOnlyEachOtherOut() async throws {
        try await DoorRig.use(limits: limits { $0.connectionsMax = 4 }) { port in
            let halves = try (0..<40).map { _ in
                let connection = try RawConnection(port: port)
                connection.send("GET /query HTTP/1.1\r\n")
                return connection
            }
            let answer = try await RawConnection.ask(port: port, request("GET /query", port))
            #expect(answer.status == 200)
            let first = await halves[0].read(answers: nil)
            #expect(first.isClosed)
        }
    }

    @Test func aFullServerSaysSo() async throws {
        let latch = DoorRig.Latch()
        try await DoorRig.use(limits: limits { $0.connectionsMax = 1 }, latch: latch) { port in
            let busy = try RawConnection(port: port)
            busy.send(request("GET /held", port))
            await latch.untilEntered()
            let other = try RawConnection(port: port)
            other.send(request("GET /query", port))
            let refused = await other.read(answers: nil)
            #expect(refused.status == 503 && refused.header("Retry-After") == "2" && refused.isClosed)
            latch.open()
            let answer = await busy.read()
            #expect(answer.status == 200 && answer.body == "late")
        }
    }

    @Test func bodiesThatAreHeldHaveABound() async throws {
        let latch = DoorRig.Latch()
        try await DoorRig.use(limits: limits { $0.bodyBytesHeldMax = 1_000 }, latch: latch) { port in
            func post(_ path: String, _ size: Int) throws -> RawConnection {
                let connection = try RawConnection(port: port)
                let body = String(repeating: "a", count: size)
                connection.send(request("POST \(path)", port, ["Content-Length: \(size)"], body: body))
                return connection
            }
            let holder = try post("/held", 700)
            await latch.untilEntered()
            let refused = await (try post("/query", 700)).read(answers: nil)
            #expect(refused.status == 503 && refused.header("Retry-After") == "2" && refused.isClosed)
            let small = await (try post("/query", 200)).read()
            #expect(small.body == "200")
            latch.open()
            let answer = await holder.read()
            #expect(answer.body == "late 700")
            // What was held is free again.
            for _ in 0..<3 {
                let taken = await (try post("/query", 700)).read()
                #expect(taken.body == "700")
            }
        }
    }

    @Test func aBodyThatGrowsBeyondTheLimitEnds() async throws {
        try await DoorRig.use(limits: limits { $0.bodyBytesMax = 1_000 }) { port in
            let connection = try RawConnection(port: port)
            connection.send(
                request(
                    "POST /query", port, ["Transfer-Encoding: chunked"],
                    body: "800\r\n" + String(repeating: "a", count: 2_048) + "\r\n"))
            let answer = await connection.read(answers: nil)
            #expect(answer.status == 413 && answer.isClosed)
        }
    }

    @Test func answersBeforeARefusalComeFirst() async throws {
        let latch = DoorRig.Latch()
        try await DoorRig.use(latch: latch) { port in
            let connection = try RawConnection(port: port)
            connection.send(request("GET /held", port))
            await latch.untilEntered()
            connection.send(request("GET /query", port, host: "evil.example"))
            latch.open()
            let answers = await connection.read(answers: nil)
            let late = answers.text.firstRange(of: "late")
            let refusal = answers.text.firstRange(of: "403")
            #expect(answers.status == 200 && late != nil && refusal != nil && answers.isClosed, "\(answers.text)")
            if let late, let refusal { #expect(late.upperBound <= refusal.lowerBound) }
        }
    }
}
