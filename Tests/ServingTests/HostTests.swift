import Serving
import TestKit
import Testing

/// Which names a server answers to.
@Suite struct HostTests {
    @Test(arguments: [
        "localhost", "LocalHost:80", "127.0.0.1:8321", "[::1]", "[::1]:8321", "a-b.example:1", "xn--bcher-kva.example",
    ])
    func plainNamesAreRead(_ text: String) { #expect(Authority(text) != nil) }

    @Test(arguments: [
        "", " ", ":80", "a b", "[::1", "::1", "[::1]evil", "[::1]evil:80", "[::1]:", "[::1]:80:evil", "[]",
        "[127.0.0.1]",
        "[::1%25lo]", "127.0.0.1:80:evil", "127.0.0.1:", "127.0.0.1:080", "127.0.0.1:0", "127.0.0.1:65536",
        "127.0.0.1:99999999999999999999", "127.0.0.1:+80", "127.0.0.1:8O", "user@127.0.0.1", "user:secret@127.0.0.1:80",
        "127.0.0.1/", "127.0.0.1?", "127.0.0.1#", "127.0.0.1\\evil", "127.0.0.1,evil", "127.0.0.1%00", "bücher.example",
        "１２７.0.0.1", "a\tb", "a\u{0}b",
    ])
    func otherTextsAreNoAuthority(_ text: String) { #expect(Authority(text) == nil) }

    @Test func ownNamesWithTheOwnPortAreServed() async throws {
        try await DoorRig.use { port in
            for host in ["127.0.0.1:\(port)", "localhost:\(port)", "LOCALHOST:\(port)", "[::1]:\(port)"] {
                let answer = try await RawConnection.ask(port: port, request("GET /query", port, host: host))
                #expect(answer.status == 200 && answer.body == "answer", "\(host): \(answer.text)")
            }
        }
    }

    @Test func foreignNamesAreRefused() async throws {
        try await DoorRig.use { port in
            let foreign = [
                "evil.example", "evil.example:\(port)", "localhost", "127.0.0.1", "127.0.0.1:\(port == 80 ? 81 : 80)",
                "[::1]", "localhost.:\(port)", "127.0.0.1.:\(port)", "127.1:\(port)", "0x7f.1:\(port)",
                "2130706433:\(port)",
                "0.0.0.0:\(port)", "127.0.0.2:\(port)", "[::ffff:127.0.0.1]:\(port)", "[::]:\(port)",
                "localhost.evil.example:\(port)", "evil-localhost:\(port)",
            ]
            for host in foreign {
                let answer = try await RawConnection.ask(port: port, request("GET /query", port, host: host))
                #expect(answer.status == 403, "\(host): \(answer.text)")
                #expect(!answer.body.contains(host), "the answer repeats what was sent")
            }
        }
    }

    @Test func oneHostIsNamedOnceAndPlainly() async throws {
        try await DoorRig.use { port in
            let own = "127.0.0.1:\(port)"
            let heads = [
                "GET /query HTTP/1.1\r\n\r\n", "GET /query HTTP/1.0\r\n\r\n", "GET /query HTTP/1.1\r\nHost:\r\n\r\n",
                "GET /query HTTP/1.1\r\nHost: \(own)\r\nHost: \(own)\r\n\r\n",
                "GET /query HTTP/1.1\r\nHost: \(own)\r\nhost: evil.example\r\n\r\n",
                "GET /query HTTP/1.1\r\nHost: evil.example\r\nHost: \(own)\r\n\r\n",
                "GET /query HTTP/1.1\r\nHost: \(own), evil.example\r\n\r\n",
                "GET /query HTTP/1.1\r\nHost: \(own):evil\r\n\r\n", "GET /query HTTP/1.1\r\nHost: [::1]evil\r\n\r\n",
                "GET /query HTTP/1.1\r\nHost: user@\(own)\r\n\r\n",
                "GET http://evil.example/query HTTP/1.1\r\nHost: \(own)\r\n\r\n",
                "GET http://user@\(own)/query HTTP/1.1\r\nHost: \(own)\r\n\r\n",
                "GET https://\(own)/query HTTP/1.1\r\nHost: \(own)\r\n\r\n",
                "GET http:///query HTTP/1.1\r\nHost: \(own)\r\n\r\n", "GET query HTTP/1.1\r\nHost: \(own)\r\n\r\n",
                "GET /query#part HTTP/1.1\r\nHost: \(own)\r\n\r\n", "CONNECT \(own) HTTP/1.1\r\nHost: \(own)\r\n\r\n",
            ]
            for head in heads {
                let connection = try RawConnection(port: port)
                connection.send(head)
                let answer = await connection.read(answers: nil)
                #expect(answer.status == 400 && answer.isClosed, "\(head): \(answer.text)")
            }
            let whole = try await RawConnection.ask(
                port: port, "GET http://\(own)/query HTTP/1.1\r\nHost: \(own)\r\n\r\n")
            #expect(whole.status == 200)
            let absolute = try await RawConnection.ask(
                port: port, "GET http://evil.example/query HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            #expect(absolute.status == 403)
        }
    }

    @Test func namesOfAProxyAreServedAsTheyWereGiven() async throws {
        let proxy = try #require(Authority("vestige.plant.example"))
        let tunnel = try #require(Authority("localhost:9000"))
        try await DoorRig.use(.loopback(and: [proxy, tunnel])) { port in
            for (host, status) in [
                ("vestige.plant.example", 200), ("Vestige.Plant.Example:80", 200), ("vestige.plant.example:8080", 403),
                ("localhost:9000", 200), ("127.0.0.1:9000", 403),
            ] {
                let answer = try await RawConnection.ask(port: port, request("GET /query", port, host: host))
                #expect(answer.status == status, "\(host)")
            }
        }
    }
}
