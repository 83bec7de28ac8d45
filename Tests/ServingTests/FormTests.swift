import TestKit
import Testing

/// Methods, framing, and what stands on every answer.
@Suite struct FormTests {
    @Test func headIsGetWithoutABody() async throws {
        try await DoorRig.use { port in
            let connection = try RawConnection(port: port)
            connection.send(request("HEAD /query", port) + request("GET /query", port))
            let answers = await connection.read(answers: 2, hasBody: false)
            #expect(answers.header("Content-Length") == "6")
            #expect(answers.body.hasPrefix("HTTP/1.1 200 OK\r\n"), "a body came with the head: \(answers.text)")
        }
    }

    @Test func otherMethodsAreToldWhatIsAllowed() async throws {
        try await DoorRig.use { port in
            for (line, status, allow) in [
                ("PUT /query", 405, "GET, HEAD, OPTIONS, POST"), ("DELETE /page", 405, "GET, HEAD, OPTIONS"),
                ("POST /page", 405, "GET, HEAD, OPTIONS"), ("PATCH /page/7", 405, "GET, HEAD, OPTIONS"),
                ("TRACE /page", 405, "GET, HEAD, OPTIONS"), ("OPTIONS /query", 204, "GET, HEAD, OPTIONS, POST"),
                ("OPTIONS *", 204, "GET, HEAD, OPTIONS, POST"), ("PUT /nowhere", 404, nil),
                ("GET /query/more", 404, nil),
                ("MERGE /query", 501, nil), ("FETCH /query", 501, nil),
            ] {
                let answer = try await RawConnection.ask(port: port, request(line, port, ["Content-Length: 0"]))
                #expect(answer.status == status, "\(line): \(answer.text)")
                #expect(answer.header("Allow") == allow, "\(line): \(answer.text)")
            }
        }
    }

    @Test func aFramingThatIsNotKnownIsSaidSo() async throws {
        try await DoorRig.use { port in
            for (fields, status) in [
                (["Transfer-Encoding: foo"], 501), (["Transfer-Encoding: gzip, chunked"], 501),
                (["Transfer-Encoding: identity"], 501), (["Transfer-Encoding: xchunked"], 501),
                (["Transfer-Encoding: chunked, gzip"], 400), (["Transfer-Encoding: chunked, chunked"], 400),
                (["Transfer-Encoding: chunked", "Transfer-Encoding: gzip"], 400), (["Transfer-Encoding:"], 400),
                (["Transfer-Encoding: chunked", "Content-Length: 5"], 400),
                (["Content-Length: 5", "Content-Length: 5"], 400),
                (["Content-Length: 5, 5"], 400), (["Content-Length: +5"], 400), (["Content-Length: 0x5"], 400),
                (["Content-Length: 5e0"], 400), (["Content-Length:"], 400),
                (["Content-Length: 99999999999999999999"], 400),
                (["Content-Length: 17000000"], 413), (["Expect: something"], 417), ([" Content-Length: 5"], 400),
                (["Content-Length : 5"], 400),
            ] {
                let connection = try RawConnection(port: port)
                connection.send(request("POST /query", port, fields, body: "0\r\n\r\n"))
                let answer = await connection.read(answers: nil)
                let isOne = answer.text.ranges(of: "HTTP/1.1 ").count == 1
                #expect(answer.status == status && isOne && answer.isClosed, "\(fields): \(answer.text)")
            }
            let chunked = try await RawConnection.ask(
                port: port,
                request("POST /query", port, ["Transfer-Encoding: Chunked"], body: "3\r\nabc\r\n0\r\n\r\n"))
            #expect(chunked.body == "3")
        }
    }

    @Test func versionsAndHeadsHaveBounds() async throws {
        try await DoorRig.use { port in
            for (text, status) in [
                ("GET /query HTTP/2.0\r\nHost: 127.0.0.1:\(port)\r\n\r\n", 505), ("GET /query\r\n\r\n", 505),
                (request("GET /query", port, ["X: " + String(repeating: "a", count: 1 << 20)]), 431),
                (request("GET /query?" + String(repeating: "a", count: 1 << 20), port), 431),
                (request("GET /query", port, (0..<300).map { "X\($0): 1" }), 431), ("\u{16}\u{3}\u{1}\u{0}binary", 501),
            ] {
                let connection = try RawConnection(port: port)
                connection.send(text)
                let answer = await connection.read(answers: nil)
                #expect(answer.status == status && answer.isClosed, "\(text.prefix(40)): \(answer.text)")
            }
        }
    }

    /// Whatever is answered, and by whatever part of the server, tells browsers the same.
    @Test func everyAnswerCarriesThePolicies() async throws {
        try await DoorRig.use { port in
            for text in [
                request("GET /query", port), request("GET /nowhere", port),
                request("PUT /query", port, ["Content-Length: 0"]),
                request("OPTIONS /query", port), request("GET /fails", port),
                request("GET /query", port, ["Origin: null"]),
                request("GET /query", port, host: "evil.example"), "GET /query HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n",
                request("POST /query", port, ["Transfer-Encoding: foo"]), request("FETCH /query", port),
                request("POST /query", port, ["Content-Length: 17000000"]),
            ] {
                let answer = try await RawConnection.ask(port: port, text)
                for (name, value) in [
                    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"),
                    ("X-Frame-Options", "DENY"),
                    ("Cross-Origin-Resource-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
                ] {
                    #expect(answer.header(name) == value, "\(name) of \(answer.text)")
                }
                #expect(answer.header("Content-Security-Policy")?.hasPrefix("default-src 'none'") == true)
                #expect(
                    answer.header("Permissions-Policy") != nil && answer.header("Access-Control-Allow-Origin") == nil)
            }
        }
    }

    @Test func whatFailsInsideIsNotToldOutside() async throws {
        try await DoorRig.use { port in
            let answer = try await RawConnection.ask(port: port, request("GET /fails", port))
            #expect(answer.status == 500 && answer.body == "the server failed to answer; its log says why\n")
        }
    }

    @Test func answersArePackedForWhoTakesThem() async throws {
        try await DoorRig.use { port in
            for (path, fields, isPacked) in [
                ("/long", ["Accept-Encoding: gzip"], true),
                ("/long", ["Accept-Encoding: deflate, GZIP;q=0.5, br"], true),
                ("/long", ["Accept-Encoding: *"], true), ("/long", ["Accept-Encoding: br"], false),
                ("/long", [], false),
                ("/long", ["Accept-Encoding: gzip;q=0"], false), ("/long", ["Accept-Encoding: *, gzip;q=0.0"], false),
                ("/query", ["Accept-Encoding: gzip"], false),
                ("/long", ["Accept-Encoding: gzip", "Cookie: session=1"], false),
            ] {
                let answer = try await RawConnection.ask(port: port, request("GET \(path)", port, fields))
                #expect((answer.header("Content-Encoding") == "gzip") == isPacked, "\(path) \(fields)")
                #expect(answer.header("Vary") == "Accept-Encoding")
            }
        }
    }
}
