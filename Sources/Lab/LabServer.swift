import Crypto
import Foundation
import Hummingbird
import HummingbirdTLS
import Logging
import NIOSSL
import ServiceLifecycle
import Serving
import SwiftASN1
import Tables
import X509

/// Settings of a lab.
package struct LabOptions: Sendable {
    package var devices = 2_000
    package var otDevices = 300
    package var seed: UInt64 = 1
    package var host = "127.0.0.1"
    /// The simulated cloud's port; 0 for any free one.
    package var port = 8_331
    /// The simulated sensor's port (TLS); 0 for any free one.
    package var sensorPort = 8_332
    /// A second port of the simulated cloud, over TLS with the sensor's certificate, for clients that ask for it; nil for none.
    package var tlsPort: Int?
    package var startDaysAgo = 0
    /// Ticks at which the lab's clock stands still between two advances; nil for a clock that goes on.
    package var standing: Int64?
    package var tokenLifetimeSeconds = 3_599
    /// Events of a device in one hunting table on one day.
    package var eventsPerDay = 24
    /// What a hunting answer holds at most.
    package var hunting = HuntingLimits()
    /// How Graph writes the cells of hunting answers.
    package var huntingForm = HuntingForm.captured
    /// Rows of one file of an export.
    package var exportFileRows = 20_000
    package var identity = LabIdentity()
    /// What happens in the tenant and the plant; where any is played, all else is an ordinary day.
    package var scenarios: [Scenario] = []

    package init() {}
}

/// What an answer of advanced hunting holds at most
/// (https://learn.microsoft.com/graph/api/security-security-runhuntingquery).
package struct HuntingLimits: Sendable {
    package var rowsMax = 100_000
    package var bytesMax = 50_000_000
    /// Whether rows above the limit are left out without a word, as some report, rather than the query refused.
    package var cuts = false

    package init() {}
}

/// A simulated tenant over HTTP and a simulated OT sensor over HTTPS.
package struct Lab: Sendable {
    package let options: LabOptions
    package let clock: LabClock
    /// The sensor's self-signed certificate, PEM.
    package let sensorCertificate: String
    private let sensorKey: String
    private let state: LabState

    package init(_ options: LabOptions) async throws {
        self.options = options
        clock = LabClock(startDaysAgo: options.startDaysAgo, standing: options.standing)
        let world = World(options, clock: clock)
        state = LabState(
            world: world, identity: options.identity, issuer: await TokenIssuer(clock: clock),
            tokenLifetimeSeconds: options.tokenLifetimeSeconds,
            exportFileRows: options.exportFileRows, hunting: options.hunting,
            huntingForm: options.huntingForm)
        (sensorCertificate, sensorKey) = try Self.selfSigned()
    }

    /// The two servers. `onRunning` gets their ports, each once it listens.
    package func services(
        logger: Logger, onCloud: @escaping @Sendable (Int) async -> Void = { _ in },
        onSensor: @escaping @Sendable (Int) async -> Void = { _ in },
        onTLS: @escaping @Sendable (Int) async -> Void = { _ in }
    ) throws -> [any Service] {
        let sensor = Router(context: BasicRequestContext.self, options: .caseInsensitive)
        sensor.add(middleware: FaultMiddleware(lab: state))
        SensorRoutes(lab: state).add(to: sensor)
        ManagerRoutes(lab: state).add(to: sensor)
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(sensorCertificate.utf8)).map {
            NIOSSLCertificateSource.certificate($0)
        }
        let key = try NIOSSLPrivateKey(bytes: Array(sensorKey.utf8), format: .pem)
        let tls = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
        func door(isSecure: Bool) -> Door {
            Door(names: .any, limits: .wide, isSecure: isSecure, ignoresCase: true, packs: false)
        }
        let (plain, secure) = (door(isSecure: false), door(isSecure: true))
        var services: [any Service] = [
            plain.service(
                cloud("http"), host: options.host, port: options.port, logger: logger, onRunning: onCloud),
            secure.service(
                sensor, over: try .tls(secure.channels, tlsConfiguration: tls), host: options.host,
                port: options.sensorPort, logger: logger, onRunning: onSensor),
        ]
        if let port = options.tlsPort {
            services.append(
                secure.service(
                    cloud("https"), over: try .tls(secure.channels, tlsConfiguration: tls), host: options.host,
                    port: port, logger: logger, onRunning: onTLS))
        }
        return services
    }

    /// The simulated cloud's routes, whose answers hold addresses of this scheme.
    private func cloud(_ scheme: String) -> Router<BasicRequestContext> {
        let cloud = Router(context: BasicRequestContext.self, options: .caseInsensitive)
        cloud.add(middleware: FaultMiddleware(lab: state))
        LabControlRoutes(lab: state).add(to: cloud)
        EntraRoutes(lab: state, scheme: scheme).add(to: cloud)
        AuthorizeRoutes(lab: state, scheme: scheme).add(to: cloud)
        ManagedIdentityRoutes(lab: state).add(to: cloud)
        DefenderRoutes(lab: state, scheme: scheme).add(to: cloud)
        IngestionRoutes(lab: state).add(to: cloud)
        KustoIngestRoutes(lab: state).add(to: cloud)
        KustoIngestRoutes(lab: state).addQueue(to: cloud, scheme: scheme)
        FeedRoutes(lab: state).add(to: cloud)
        ResourceGraphRoutes(lab: state).add(to: cloud)
        DataCollectorRoutes(lab: state).add(to: cloud)
        return cloud
    }

    /// What became of the faults that were asked for, those that were cleared among them.
    package var faults: [FaultTally] { state.faultTallies }

    /// What becomes of the public lists.
    var feeds: FeedStore { state.feeds }

    /// Makes a data collection rule, or adds streams to one, as its deployment in Azure would.
    ///
    /// - Parameters:
    ///   - rule: its name in Azure Resource Manager.
    ///   - id: its immutable id; one that is free when nil.
    ///   - streams: each column's type, by the stream's name.
    /// - Returns: the rule's immutable id.
    @discardableResult
    package func declare(rule: String, id: String? = nil, streams: [String: [String: String]])
        throws(CollectionRule.Refusal) -> String
    {
        try state.declare(rule: rule, id: id, streams)
    }

    /// Adds streams to the rule whose id the lab's identity names.
    package func declare(streams: [String: [String: String]]) throws(CollectionRule.Refusal) {
        _ = try state.declare(rule: CollectionRule.mainName, id: options.identity.dataCollectionRule, streams)
    }

    /// Makes tables of the simulated Kusto database.
    package func declare(clusterTables: Set<String>) { state.declare(clusterTables: clusterTables) }

    /// Method, path and query of the requests that came in, in their order.
    package var requests: [String] { state.requests }

    /// Makes a certificate for the application, uploads it to its registration, and gives it with its key, PEM.
    package func makeClientCertificate(uploads: Bool = true) async throws -> String {
        let (certificate, pem) = try AssertionCheck.make()
        if uploads { try await state.assertions.upload(certificate) }
        return pem
    }

    /// A token of the issuer that the application federates with, as a cluster projects it into a file.
    package func federatedToken(audience: String = "api://AzureADTokenExchange") async throws -> String {
        let now = state.issuer.now
        return try await state.issuer.issue(
            TokenClaims(
                aud: audience, iss: AssertionCheck.federatedIssuer, tid: "",
                appid: "system:serviceaccount:vestige:vestige", roles: nil, iat: now, nbf: now,
                exp: now + 3_600))
    }

    /// Addresses to which the web application lets people be sent back.
    package func register(redirects: Set<String>) { state.web.change { $0.redirects = redirects } }

    /// Which version of access tokens the web application's API asks for: 1 or 2.
    package func set(tokenVersion: Int) { state.web.change { $0.tokenVersion = tokenVersion } }

    /// A token with claims of a test's own, signed by the directory's key.
    ///
    /// - Parameter keyID: signs with a key that the directory does not publish, under this name.
    package func sign(_ claims: JSON, keyID: String? = nil) async throws -> String {
        try await state.keys.sign(claims, keyID: keyID)
    }

    /// The name of the directory's key, and its public part, PEM.
    package func signingKey() async throws -> (id: String, pem: String) {
        (try await state.keys.currentID(), try await state.keys.publicPEM())
    }

    /// Signs with a new key from now on.
    package func rotateSigningKey() async throws { try await state.keys.rotate() }

    /// Starts an Arc agent whose callers prove themselves with this file.
    package func startArcAgent(keyFile: String) { state.set(arcKeyFile: keyFile) }

    /// A certificate as a sensor makes one for itself on first start.
    private static func selfSigned() throws -> (certificate: String, key: String) {
        let key = P256.Signing.PrivateKey()
        let signer = Certificate.PrivateKey(key)
        let name = try DistinguishedName { CommonName("sensor.lab.example") }
        let now = Date()
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: signer.publicKey,
            notValidBefore: now.addingTimeInterval(-86_400),
            notValidAfter: now.addingTimeInterval(10 * 365 * 86_400), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                SubjectAlternativeNames([
                    .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                ])
            }, issuerPrivateKey: signer)
        return (try certificate.serializeAsPEM().pemString, key.pemRepresentation)
    }
}
