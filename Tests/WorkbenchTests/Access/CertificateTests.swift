import AsyncHTTPClient
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Pipeline
import TestKit
import Testing

@testable import Workbench

/// The listener's certificate: read, refused, and exchanged while people are connected.
@Suite struct CertificateTests {
    private func open(_ folder: String, _ told: TestNotes = TestNotes(), _ warned: TestNotes = TestNotes()) throws
        -> ServerCertificate
    {
        try ServerCertificate(
            .init(certificate: folder + "/server.pem", key: folder + "/server.key"), say: { told.add($0) },
            warn: { warned.add("\($0.title): \($0.got ?? "")") })
    }

    @Test func aPairThatDoesNotFitIsRefusedWithItsReason() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let (one, two) = (try TestCertificate.make(), try TestCertificate.make())
        func reason(_ certificate: String?, _ key: String?, mode: Int = 0o600) throws -> String {
            for (text, name) in [(certificate, "/server.pem"), (key, "/server.key")] {
                try? FileManager.default.removeItem(atPath: folder + name)
                if let text { try FolderWriter.write(text, to: folder + name) }
            }
            if key != nil {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: folder + "/server.key")
            }
            do { _ = try open(folder) } catch let error as OperatorError { return error.got ?? "?" }
            return "taken"
        }
        #expect(try reason(one.certificate, one.key) == "taken")
        #expect(try reason(one.certificate, one.key, mode: 0o640) == "taken")
        #expect(try reason(one.certificate, one.key, mode: 0o644).contains("anybody"))
        #expect(try reason(one.certificate, two.key).contains("is not that of"))
        #expect(try reason(two.certificate + "\n" + one.certificate, one.key).contains("is not that of"))
        #expect(try reason(nil, one.key).contains("no certificates"))
        #expect(try reason(one.certificate, nil).contains("no private key"))
        #expect(try reason("", one.key).contains("certificate"))
        #expect(try reason(one.key, one.key).contains("certificate"))
        #expect(try reason(TestCertificate.make(daysLeft: -1).certificate, one.key) != "taken")
        let old = try TestCertificate.make(daysLeft: -1)
        #expect(try reason(old.certificate, old.key).contains("ended on"))
    }

    @Test func aWrongPairKeepsTheOldOneAndSaysSoOnce() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let (one, two) = (try TestCertificate.make(), try TestCertificate.make(daysLeft: 60))
        try one.write(to: folder)
        let (told, warned) = (TestNotes(), TestNotes())
        let certificate = try open(folder, told, warned)
        certificate.reloadIfChanged()
        #expect(told.all.isEmpty && warned.all.isEmpty)
        // Certificate and key are written one after the other: between them nobody need be told.
        try FolderWriter.write(two.certificate, to: folder + "/server.pem")
        certificate.reloadIfChanged()
        #expect(told.all.isEmpty && warned.all.isEmpty)
        try FolderWriter.write(two.key, to: folder + "/server.key")
        certificate.reloadIfChanged()
        #expect(told.all.count == 1 && warned.all.isEmpty)
        // What stays wrong is told, once.
        try FolderWriter.write(one.key, to: folder + "/server.key")
        for _ in 0..<4 { certificate.reloadIfChanged() }
        #expect(warned.all.count == 1 && warned.all[0].contains("the new certificate is not used"))
        // Who asks by SIGHUP is answered at once.
        certificate.reload()
        #expect(warned.all.count == 2)
        try FolderWriter.write(two.key, to: folder + "/server.key")
        certificate.reload()
        #expect(told.all.count == 2)
    }

    /// The leaf that a listener shows.
    private func shown(_ base: String) async throws -> String {
        let port = try #require(base.split(separator: ":").last.flatMap { Int($0) })
        let seen = TestNotes()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelInitializer {
            channel in
            channel.eventLoop.makeCompletedFuture {
                var tls = TLSConfiguration.makeClientConfiguration()
                tls.certificateVerification = .noHostnameVerification
                let handler = try NIOSSLClientHandler(
                    context: NIOSSLContext(configuration: tls), serverHostname: nil,
                    customVerificationCallback: { chain, promise in
                        seen.add(chain.first.map { "\($0.notValidAfter)" })
                        promise.succeed(.certificateVerified)
                    })
                try channel.pipeline.syncOperations.addHandler(handler)
            }
        }.connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(
            ByteBuffer(string: "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
        try await channel.closeFuture.get()
        return try #require(seen.all.first)
    }

    /// Who is connected stays so; who comes next sees the new certificate.
    @Test func aNewCertificateIsShownWithoutDroppingAnybody() async throws {
        try await SharedWorkbench.use { shared async throws in
            let first = try await shown(shared.base)
            #expect(try await shared.send("GET", "/healthz").status == 200)
            try TestCertificate.make(daysLeft: 90).write(to: shared.folder)
            shared.access.certificate?.reload()
            let second = try await shown(shared.base)
            #expect(first != second)
            // The pooled connection goes on: its client trusts the first certificate only.
            #expect(try await shared.send("GET", "/healthz").status == 200)
        }
    }

    @Test func oldProtocolsGetNoAnswer() async throws {
        try await SharedWorkbench.use { shared async throws in
            for (version, answers) in [(TLSVersion.tlsv1, false), (.tlsv11, false), (.tlsv12, true), (.tlsv13, true)] {
                var tls = TLSConfiguration.makeClientConfiguration()
                tls.certificateVerification = .none
                (tls.minimumTLSVersion, tls.maximumTLSVersion) = (version, version)
                let client = HTTPClient(
                    eventLoopGroupProvider: .singleton, configuration: .init(tlsConfiguration: tls))
                let status = try? await client.execute(
                    HTTPClientRequest(url: shared.base + "/healthz"), timeout: .seconds(60)
                ).status.code
                try await client.shutdown()
                #expect((status == 200) == answers, "\(version)")
            }
            // In the clear there is nothing to hear.
            let plain = shared.base.replacing("https", with: "http")
            let status = try? await HTTPClient.shared.execute(
                HTTPClientRequest(url: plain + "/healthz"), timeout: .seconds(60)
            ).status.code
            #expect(status == nil || status == 400)
        }
    }
}
