import Azure
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

/// Where `externaldata` may connect to: judged after the name was resolved, and kept to.
@Suite struct AddressTests {
    private static let kinds: [(NetworkAddress.Kind, [String])] = [
        (
            .loopback,
            [
                "127.0.0.1", "127.255.0.3", "127.1", "0x7f.1", "0x7f.0.0.0x1", "017700000001", "2130706433",
                "0x7f000001",
                "::1", "[::1]", "::ffff:127.0.0.1", "[::ffff:7f00:1]", "64:ff9b::127.0.0.1", "2002:7f00:1::",
                "127.0.0.1.",
            ]
        ),
        (
            .privateUse,
            [
                "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1", "fec0::1",
                "::ffff:10.1.2.3", "012.1",
            ]
        ),
        (
            .linkLocal,
            [
                "169.254.169.254", "0xa9fea9fe", "fe80::1", "fe80::1%eth0", "febf::1", "::ffff:169.254.1.1",
                "64:ff9b::a9fe:a9fe",
            ]
        ),
        (.shared, ["100.64.0.1", "100.127.255.255"]), (.multicast, ["224.0.0.1", "239.1.1.1", "ff02::1"]),
        (.unspecified, ["0.0.0.0", "0", "0.1.2.3", "::", "::ffff:0.0.0.0"]),
        (.documentation, ["192.0.2.1", "198.51.100.7", "203.0.113.9", "2001:db8::1", "3fff::1"]),
        (
            .reserved,
            ["240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.0.1", "2001:2::1", "::7f00:1", "100::1", "4000::1"]
        ),
        (
            .translated,
            ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:0:53aa::1", "64:ff9b:1::8.8.8.8"]
        ),
        (
            .global,
            [
                "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "223.255.255.255",
                "2606:4700::1", "2a00::1",
            ]
        ),
    ]

    @Test func everyRangeIsKnown() {
        for (kind, texts) in Self.kinds {
            for text in texts {
                let address = NetworkAddress(text)
                #expect(
                    address?.kind == kind,
                    "\(text) is \(address?.description ?? "no address"), \(address?.kind.rawValue ?? "")")
            }
        }
        for name in [
            "example.org", "localhost", "1.example", "0x7f.example", "", ".", "1.2.3.4.5", "256.1.1.1", "face",
        ] {
            #expect(NetworkAddress(name) == nil, "\(name)")
        }
    }

    @Test func hostsAreNamedWithTheirPorts() {
        for text in [
            "example.org", "example.org:8443", "*.example.org", "*", "10.1.2.3:80", "[::1]:8443", "::1", "localhost:80",
            "*:8443",
        ] {
            #expect(AllowedHost(text) != nil, "\(text)")
        }
        for text in [
            "", "https://example.org", "example.org/x", "example.org:", "example.org:0", "example.org:port",
            "exa mple.org", "*.*.org", "a*b.org", ".org", "user@example.org", "example.org:8443:1",
        ] {
            #expect(AllowedHost(text) == nil, "\(text)")
        }
    }

    private func failure(_ hosts: [String], _ address: String, stands names: [String: [String]] = [:]) -> String {
        let downloader = Downloader(hosts: hosts.compactMap { AllowedHost($0) }) { name throws(ResolverProblem) in
            guard let found = names[name] else { throw ResolverProblem(message: "the test does not know it") }
            return found.compactMap { NetworkAddress($0) }
        }
        do {
            _ = try downloader.bytes(of: address) {}
            return "it was fetched"
        } catch { return (error as? Downloader.Problem)?.message ?? "\(error)" }
    }

    /// Nothing of these reaches the network: what must not be connected to is refused before.
    @Test func addressesThatAreNotNamedAreRefused() {
        for (kind, texts) in Self.kinds where kind != .global {
            for text in texts {
                let host =
                    text.contains(":") ? "[\(text.trimmingCharacters(in: ["[", "]"]).prefix { $0 != "%" })]" : text
                let told = failure(["*", "*.example", "example.org"], "https://\(host):443/list.csv")
                #expect(told.contains("is not allowed") || told.contains("not a web address"), "\(text): \(told)")
                let name = failure(["*"], "https://public.example/", stands: ["public.example": [text]])
                #expect(name.contains("public.example stands for") && name.contains(kind.rawValue), "\(text): \(name)")
            }
        }
    }

    @Test func aNameThatIsNamedStandsForNoMachineryOfTheNetwork() {
        for address in ["169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "fe80::1", "203.0.113.1"] {
            let told = failure(["files.example"], "https://files.example/", stands: ["files.example": [address]])
            #expect(told.contains("stands for"), "\(address): \(told)")
        }
        #expect(failure(["*"], "https://nowhere.example/").contains("is not known"))
        #expect(failure(["*"], "https://none.example/", stands: ["none.example": []]).contains("has no address"))
    }

    @Test func portsAreTheSchemesUnlessNamed() {
        let names = ["files.example": ["127.0.0.1"]]
        for port in [1, 22, 80, 8443] {
            let told = failure(["files.example"], "https://files.example:\(port)/", stands: names)
            #expect(told.contains("the port \(port) of files.example is not allowed"), "\(told)")
            #expect(told.contains("files.example:\(port)"))
        }
        #expect(failure(["files.example:8443"], "https://files.example/", stands: names).contains("the port 443"))
        #expect(failure(["files.example"], "http://files.example/").contains("in the clear"))
        #expect(failure(["127.0.0.1"], "http://127.0.0.1:8080/").contains("the port 8080"))
    }

    /// The name is asked for once, and the connection goes where that answer says, whatever the system would say.
    @Test func theConnectionGoesToTheAddressThatWasJudged() async throws {
        try await WireServer.use { _, _ in
            .answer(200, body: "a,b\n")
        } _: { server in
            let asked = Mutex<[String]>([])
            let hosts = ["localhost:\(server.port)"].compactMap { AllowedHost($0) }
            let here = Downloader(hosts: hosts) { name throws(ResolverProblem) in
                asked.withLock { $0.append(name) }
                return [NetworkAddress(bytes: [127, 0, 0, 1])]
            }
            let found = try here.bytes(of: "http://localhost:\(server.port)/list.csv") {}
            #expect(found == Array("a,b\n".utf8))
            #expect(asked.withLock { $0 } == ["localhost"])
            #expect(server.requests.map { $0.header("Host") } == ["localhost:\(server.port)"])
            // Nobody listens at the address that this resolver gives, though the system knows a better one.
            let elsewhere = Downloader(hosts: hosts) { _ throws(ResolverProblem) in
                [NetworkAddress(bytes: [127, 0, 0, 77])]
            }
            #expect(throws: Downloader.Problem.self) {
                try elsewhere.bytes(of: "http://localhost:\(server.port)/list.csv") {}
            }
            #expect(server.requests.count == 1)
        }
    }

    /// Over TLS the name goes to the server, for its certificate, and the connection to the address.
    @Test func theServersNameGoesAlong() async throws {
        let received = Mutex<[UInt8]>([])
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        FirstBytes { bytes in received.withLock { $0 += bytes } })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        let told = failure(
            ["files.example:\(port)"], "https://files.example:\(port)/list.csv",
            stands: ["files.example": ["127.0.0.1"]])
        #expect(!told.contains("allowed") && told != "it was fetched", "\(told)")
        let hello = String(decoding: received.withLock { $0 }, as: UTF8.self)
        #expect(hello.contains("files.example"))
        try await channel.close()
    }

    @Test func aRedirectIsJudgedLikeAnAddress() async throws {
        try await WireServer.use { request, _ in
            .answer(302, headers: [("Location", String(request.target.dropFirst()).removingPercentEncoding ?? "")])
        } _: { server in
            let hosts = ["127.0.0.1:\(server.port)", "*"]
            for (target, words) in [
                ("http://127.0.0.1:1/x", "the port 1 "), ("https://127.0.0.1/x", "the port 443"),
                ("https://169.254.169.254/x", "not allowed"), ("https://inner.example/x", "stands for 10.0.0.1"),
                ("https://public.example:22/x", "the port 22"), ("http://public.example/x", "in the clear"),
                ("https://user@public.example/x", "not a web address"),
            ] {
                let path = target.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                let told = failure(
                    hosts, "\(server.address)/\(path)",
                    stands: ["inner.example": ["10.0.0.1"], "public.example": ["8.8.8.8"]])
                #expect(told.contains(words), "\(target): \(told)")
            }
        }
    }

    @Test func whoGivesUpIsNotKeptWaitingByAName() {
        struct GivenUp: Error {}
        let hosts = ["*"].compactMap { AllowedHost($0) }
        let isAsked = DispatchSemaphore(value: 0)
        let mayAnswer = DispatchSemaphore(value: 0)
        let slow = Downloader(hosts: hosts) { _ throws(ResolverProblem) in
            isAsked.signal()
            mayAnswer.wait()
            return []
        }
        #expect(throws: GivenUp.self) {
            try slow.bytes(of: "https://slow.example/") {
                isAsked.wait()
                throw GivenUp()
            }
        }
        mayAnswer.signal()
    }
}

/// Takes what a client sends first, and ends the connection.
private final class FirstBytes: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let take: @Sendable ([UInt8]) -> Void

    init(_ take: @escaping @Sendable ([UInt8]) -> Void) { self.take = take }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        take(Array(unwrapInboundIn(data).readableBytesView))
        context.close(promise: nil)
    }
}
