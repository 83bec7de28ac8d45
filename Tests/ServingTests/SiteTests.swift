import TestKit
import Testing

/// What a browser may ask for which site.
@Suite struct SiteTests {
    private static let link = ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]

    @Test func programsAndOwnPagesMayAsk() async throws {
        try await DoorRig.use { port in
            let own = "http://127.0.0.1:\(port)"
            for fields in [
                [], ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"],
                ["Sec-Fetch-Site: none"] + Self.link, ["Origin: \(own)"],
                ["Origin: \(own)", "Sec-Fetch-Site: same-origin"],
                ["Referer: \(own)/page?x=1"], ["Referer: \(own)"], ["Authorization: Bearer x"],
            ] {
                let answer = try await RawConnection.ask(port: port, request("GET /query", port, fields))
                #expect(answer.status == 200, "\(fields): \(answer.text)")
            }
            let form = ["Origin: \(own)", "Sec-Fetch-Site: same-origin", "Content-Length: 3"] + Self.link
            let posted = try await RawConnection.ask(port: port, request("POST /query", port, form, body: "abc"))
            #expect(posted.body == "3")
        }
    }

    /// None of these reaches the router, whatever is asked for, and by whatever method.
    @Test func otherSitesMayNot() async throws {
        try await DoorRig.use { port in
            let own = "http://127.0.0.1:\(port)"
            let foreign = [
                ["Origin: http://127.0.0.1:9"], ["Origin: http://127.0.0.1"], ["Origin: http://localhost:\(port)"],
                ["Origin: https://127.0.0.1:\(port)"], ["Origin: null"], ["Origin:"], ["Origin: evil"],
                ["Origin: chrome-extension://127.0.0.1:\(port)"], ["Origin: \(own).evil.example"],
                ["Origin: \(own)@evil.example"], ["Origin: \(own)/"], ["Origin: \(own) http://evil.example"],
                ["Origin: \(own)", "Origin: http://evil.example"], ["Origin: http://user@127.0.0.1:\(port)"],
                ["Origin: \(own)", "Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: cross-site"],
                ["Sec-Fetch-Site: same-site"], ["Sec-Fetch-Site: something"], ["Sec-Fetch-Site:"],
                ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
                ["Sec-Fetch-Site: same-origin, cross-site"],
                ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"],
                ["Sec-Fetch-Site: cross-site"] + Self.link, ["Sec-Fetch-Site: same-origin"] + Self.link,
                ["Referer: http://evil.example/"], ["Referer: http://127.0.0.1:9/page"],
                ["Referer: \(own).evil.example/"], ["Referer: http://localhost:\(port)/"], ["Referer: x"],
            ]
            for fields in foreign {
                for line in ["GET /query", "HEAD /query", "GET /nowhere"] {
                    let answer = try await RawConnection.ask(
                        port: port, request(line, port, fields), hasBody: !line.hasPrefix("HEAD"))
                    #expect(answer.status == 403, "\(line) \(fields): \(answer.text)")
                }
            }
            for fields in [
                ["Origin: http://evil.example"], ["Sec-Fetch-Site: cross-site"], ["Origin: null"] + Self.link,
            ] {
                let posted = try await RawConnection.ask(
                    port: port, request("POST /query", port, fields + ["Content-Length: 3"], body: "abc"))
                #expect(posted.status == 403)
                let asked = try await RawConnection.ask(
                    port: port, request("OPTIONS /query", port, fields + ["Access-Control-Request-Method: POST"]))
                #expect(asked.status == 403)
                #expect(asked.header("Access-Control-Allow-Origin") == nil)
            }
        }
    }

    /// A link in a mail or a ticket leads to a page; a frame, an image or a form does not.
    @Test func linksFromElsewhereLeadToPagesOnly() async throws {
        try await DoorRig.use { port in
            for site in ["cross-site", "same-site", "none", "same-origin"] {
                for path in ["/page", "/page/7?filter=a"] {
                    let answer = try await RawConnection.ask(
                        port: port, request("GET \(path)", port, ["Sec-Fetch-Site: \(site)"] + Self.link))
                    #expect(answer.status == 200, "\(site) \(path)")
                }
            }
            for fields in [
                ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"], ["Sec-Fetch-Mode: navigate"],
                ["Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"], ["Sec-Fetch-Dest: document"], [],
                Self.link + ["Origin: http://evil.example"],
            ] {
                let answer = try await RawConnection.ask(
                    port: port, request("GET /page", port, ["Sec-Fetch-Site: cross-site"] + fields))
                #expect(answer.status == 403, "\(fields)")
            }
            let old = try await RawConnection.ask(
                port: port, request("GET /page", port, ["Referer: http://evil.example/"]))
            #expect(old.status == 200)
        }
    }
}
