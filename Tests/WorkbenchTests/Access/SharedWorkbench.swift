import AsyncHTTPClient
import Crypto
import Foundation
import Logging
import NIOCore
import NIOSSL
import Pipeline
import ServiceLifecycle
import SwiftASN1
import Synchronization
import TestKit
import Workspace
import X509

@testable import Workbench

/// A workbench that people share, over TLS on a free port, for the length of a test.
struct SharedWorkbench: Sendable {
    let base: String
    let folder: String
    let access: ServerAccess
    let clock: ManualClock
    private let client: HTTPClient

    /// A password that is good enough, and a cost that a test can pay.
    static let password = "correct horse battery"
    static let cost = PasswordHash.Cost(rounds: 1 << 4, blockSize: 8, parallelism: 1)

    /// Starts one, runs `body`, and ends it.
    ///
    /// - Parameter users: who has the password above.
    static func use(
        users: [(String, Role)] = [("anna", .analyst)], tokens: [Accounts.Token] = [],
        time: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 },
        configure: (inout Configuration) -> Void = { _ in },
        _ body: @Sendable (SharedWorkbench) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let pair = try TestCertificate.make()
        try pair.write(to: folder)
        var configuration = Configuration()
        configuration.workspace = folder + "/shared.vestige"
        configuration.server.tls = .init(certificate: folder + "/server.pem", key: folder + "/server.key")
        configure(&configuration)
        let entries = try users.map {
            Accounts.User(name: $0, role: $1, password: try PasswordHash(password, cost: cost))
        }
        try AccountFile(configuration.accountsFile).update { accounts in
            accounts.users = entries
            accounts.tokens = tokens
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let clock = ManualClock()
        var parts = ServerAccess.Parts(
            configuration: configuration, listen: try ListenAddress("127.0.0.1:0", setting: "listen"), logger: logger)
        parts.clock = clock.stopwatch
        parts.time = time
        let access = try await ServerAccess(parts)
        let library = Repository.library()
        let workspace = try Workspace(path: configuration.workspace)
        for table in library.tables.values { try workspace.declare(table.name, table.schema) }
        var options = WorkbenchOptions()
        options.port = 0
        let ports = AsyncStream.makeStream(of: Int.self)
        let server = WorkbenchServer(
            options, workspace: workspace, library: library, configuration: configuration, access: access)
        let service = server.service(logger: logger) { ports.continuation.yield($0) }
        let services = access.services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        let group = ServiceGroup(
            configuration: .init(services: services + [.init(service: service)], logger: logger))
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates([try NIOSSLCertificate(bytes: Array(pair.certificate.utf8), format: .pem)])
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: .init(tlsConfiguration: tls, redirectConfiguration: .disallow))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.stream.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            let running = SharedWorkbench(
                base: "https://127.0.0.1:\(port)", folder: folder, access: access, clock: clock, client: client)
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(running)) } catch { outcome = .failure(error) }
            try await client.shutdown()
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try outcome.get()
        }
    }

    struct Reply: Sendable {
        let status: Int
        let headers: [(String, String)]
        let body: String

        subscript(name: String) -> String? { headers.first { $0.0.lowercased() == name.lowercased() }?.1 }

        /// What a browser would send back, by the cookies' names.
        var cookies: [String: String] {
            var found: [String: String] = [:]
            for (name, value) in headers where name.lowercased() == "set-cookie" {
                let pair = value.prefix { $0 != ";" }.split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                found[String(pair[0])] = String(pair[1])
            }
            return found
        }

        /// The token of the first form of the page.
        var formToken: String? { body.firstMatch(of: /name="form" value="([^"]+)"/).map { String($0.1) } }
    }

    func send(
        _ method: String, _ path: String, cookies: [String: String] = [:], headers: [(String, String)] = [],
        form: [(String, String)]? = nil, body: String? = nil
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: path.hasPrefix("http") ? path : base + path)
        request.method = .RAW(value: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if !cookies.isEmpty {
            request.headers.add(
                name: "Cookie", value: cookies.map { "\($0)=\($1)" }.sorted().joined(separator: "; "))
        }
        if let form {
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: FormText.write(form)))
        } else if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await client.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 32 << 20)
        return Reply(
            status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) },
            body: String(buffer: bytes))
    }

    /// Signs in with the form, as a browser does.
    func signIn(
        _ user: String, _ password: String = SharedWorkbench.password, back: String = "/"
    ) async throws -> Reply {
        let page = try await send("GET", "/sign-in")
        return try await send(
            "POST", "/sign-in", cookies: page.cookies,
            form: [("form", page.formToken ?? ""), ("user", user), ("password", password), ("return", back)])
    }

    /// The cookies of somebody who is signed in.
    func session(_ user: String) async throws -> [String: String] {
        let cookies = try await signIn(user).cookies
        return ["__Host-vestige": cookies["__Host-vestige"] ?? "none"]
    }

    func query(
        _ text: String, cookies: [String: String] = [:], headers: [(String, String)] = []
    ) async throws -> Reply {
        try await send(
            "POST", "/v1/rest/query", cookies: cookies, headers: headers,
            body: "{\"db\":\"Vestige\",\"csl\":\"\(text)\"}")
    }
}

/// A clock that a test moves on.
final class ManualClock: Sendable {
    private let seconds = Mutex(0.0)

    var stopwatch: Stopwatch { Stopwatch { [self] in seconds.withLock { $0 } } }

    func advance(_ by: Double) { seconds.withLock { $0 += by } }
}

/// A certificate for this machine, and its key.
struct TestCertificate {
    let certificate: String
    let key: String

    static func make(
        name: String = "server.example", daysLeft: Double = 30
    ) throws -> TestCertificate {
        let key = P256.Signing.PrivateKey()
        let signer = Certificate.PrivateKey(key)
        let subject = try DistinguishedName { CommonName(name) }
        let end = Date().addingTimeInterval(daysLeft * 86_400)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: signer.publicKey,
            notValidBefore: end.addingTimeInterval(-400 * 86_400), notValidAfter: end, issuer: subject,
            subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                SubjectAlternativeNames([
                    .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                ])
            }, issuerPrivateKey: signer)
        return TestCertificate(certificate: try certificate.serializeAsPEM().pemString, key: key.pemRepresentation)
    }

    func write(to folder: String) throws {
        try FolderWriter.write(certificate, to: folder + "/server.pem")
        try FolderWriter.write(key, to: folder + "/server.key")
    }
}
