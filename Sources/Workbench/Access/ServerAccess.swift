import Azure
import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOPosix
import NIOSSL
import Pipeline
import ServiceLifecycle

/// Who may ask the server what, how it is proved, and where it is written down: everything that a server for one person
/// on one machine does not need.
package final class ServerAccess: Sendable {
    /// Whether somebody must sign in.
    package let isShared: Bool
    /// Whether browsers reach the server over TLS, its own or a proxy's.
    let isSecure: Bool
    let isBehindProxy: Bool
    /// The certificate of the listener; nil where it speaks plain HTTP.
    package let certificate: ServerCertificate?
    /// Without a slash at its end; nil for the address that is listened on.
    let address: String?
    /// Hosts, with ports where they have one, that browsers may name besides those of this machine.
    let authorities: Set<String>
    let accounts: AccountBook?
    let entra: EntraSignIn?
    /// The tenant and what Kusto's clients need to know to sign in to it.
    let entraSettings: ServeConfiguration.Entra?
    let sessions: SessionStore
    /// Seconds since 1970.
    let time: @Sendable () -> Double
    let throttle: SignInThrottle
    let limits: TokenLimits
    let refusals: RefusalQuota
    let audit: AuditWriter?
    let accessLog: (@Sendable (String) -> Void)?
    /// Signs what a browser brings back from the sign-in form.
    let formKey = SecretText.random()
    /// Passwords are checked by two threads: each check takes 32 MiB.
    private static let passwordThreads = NIOThreadPool(numberOfThreads: 2)
    private static let started: Void = passwordThreads.start()

    /// What it is made of.
    package struct Parts: Sendable {
        package var configuration: Configuration
        package var listen: ListenAddress
        package var environment: [String: String]
        package var hasAccessLog: Bool
        /// Talk for whoever started the server.
        package var say: @Sendable (String) -> Void
        package var warn: @Sendable (OperatorError) -> Void
        /// Takes a line of the access log.
        package var log: @Sendable (String) -> Void = { _ in }
        package var clock = Stopwatch.machine
        /// Seconds since 1970.
        package var time: @Sendable () -> Double = { Date().timeIntervalSince1970 }
        package var logger: Logger

        package init(
            configuration: Configuration, listen: ListenAddress, environment: [String: String] = [:],
            hasAccessLog: Bool = false, logger: Logger, say: @escaping @Sendable (String) -> Void = { _ in },
            warn: @escaping @Sendable (OperatorError) -> Void = { _ in }
        ) {
            self.configuration = configuration
            self.listen = listen
            self.environment = environment
            self.hasAccessLog = hasAccessLog
            self.logger = logger
            self.say = say
            self.warn = warn
        }
    }

    /// Opens what the configuration asks for.
    ///
    /// - Throws: `OperatorError`, also when others could reach the server without TLS, or without anybody being asked
    ///   who they are.
    package init(_ parts: Parts) async throws {
        let server = parts.configuration.server
        isShared = !parts.listen.isLoopback || server.tls != nil || server.address != nil
        address = server.address
        isBehindProxy = server.address != nil && server.tls == nil && parts.listen.isLoopback
        isSecure = server.tls != nil || server.address?.hasPrefix("https://") == true
        try Self.refuseOpenDoor(parts.listen, server)
        certificate = try server.tls.map { try ServerCertificate($0, say: parts.say, warn: parts.warn) }
        authorities = Self.names(parts.listen, server)
        let isShared = isShared
        let file = AccountFile(parts.configuration.accountsFile)
        let accounts = try isShared ? AccountBook(file, warn: parts.warn) : nil
        self.accounts = accounts
        entraSettings = isShared ? server.entra : nil
        let entra = try await isShared ? Self.signIn(server, parts) : nil
        self.entra = entra
        if isShared, entra == nil, accounts?.current.isEmpty != false {
            throw OperatorError(
                "nobody could sign in", got: "there is neither 'server.entra' nor an account in \(file.path)",
                means: "others can reach the address, so everybody has to say who they are",
                next: "add somebody first: vestige user add NAME --role administrator; or see docs/team.md for Entra",
                isConfiguration: true)
        }
        sessions = SessionStore(
            idleMinutes: server.idleMinutes, lifeHours: server.sessionHours, clock: parts.clock)
        time = parts.time
        throttle = SignInThrottle(clock: parts.clock)
        limits = TokenLimits(clock: parts.clock)
        refusals = RefusalQuota(clock: parts.clock)
        let writer =
            isShared || server.audit != nil
            ? AuditWriter(AuditFile(parts.configuration.auditFile), warn: parts.warn) : nil
        audit = writer
        let hasLog = server.hasAccessLog || parts.hasAccessLog
        accessLog = hasLog ? parts.log : nil
        if writer != nil {
            // An audit that cannot be written is found now, not with the first question.
            var entry = AuditEntry(.audit, .success)
            (entry.actor, entry.method) = (NSUserName(), Identity.Method.terminal.rawValue)
            entry.resource = "serve"
            entry.reason = "the server starts"
            try AuditFile(parts.configuration.auditFile).append([entry])
        }
    }

    /// What runs beside the server, in the order in which it starts; it ends in the other.
    package var services: [any Service] {
        var services: [any Service] = []
        if let audit { services.append(audit) }
        if let certificate { services.append(certificate) }
        return services
    }

    /// The channels of a server, over TLS where there is a certificate.
    func secured(_ channels: HTTPServerBuilder) -> HTTPServerBuilder {
        guard let certificate else { return channels }
        do { return try .tls(channels, tlsConfiguration: certificate.configuration) } catch {
            preconditionFailure("the certificate was tried when it was read: \(error)")
        }
    }

    /// Whoever can reach the server must be asked who they are, and nobody on the way may listen.
    private static func refuseOpenDoor(_ listen: ListenAddress, _ server: ServeConfiguration) throws(OperatorError) {
        if !listen.isLoopback, server.tls == nil {
            throw OperatorError(
                "the address \(listen.host) is not served without TLS", got: "an address that others can reach",
                means: "passwords and evidence would cross the network in the clear",
                next: "set 'server.tls' (docs/team.md); or serve on 127.0.0.1 and reach it through a tunnel: "
                    + "ssh -L 8321:127.0.0.1:8321 HOST",
                isConfiguration: true)
        }
        if ["0.0.0.0", "::"].contains(listen.host), server.address == nil {
            throw OperatorError(
                "'server.address' is missing", got: "\(listen.host) stands for every address of this machine",
                means: "requests for other names are refused, so the server has to know its own",
                next: "set 'server.address' to what browsers use, such as https://vestige.example.org:8443",
                isConfiguration: true)
        }
        if let address = server.address, !address.hasPrefix("https://") {
            throw OperatorError(
                "'server.address' must begin with https://", got: address,
                means: "browsers keep the cookies of signing in for TLS only",
                next: "give the address at which the proxy serves TLS, or leave it out", isConfiguration: true)
        }
    }

    private static func names(_ listen: ListenAddress, _ server: ServeConfiguration) -> Set<String> {
        var found: Set<String> = []
        if let address = server.address, let parts = URLComponents(string: address), let host = parts.host {
            found.insert(host.lowercased() + (parts.port.map { ":\($0)" } ?? ""))
        }
        if !listen.isLoopback, server.address == nil {
            let authority = listen.authority(port: listen.port).lowercased()
            found.insert(authority)
            // A browser leaves out the port that is TLS's own.
            if listen.port == 443 { found.insert(String(authority.dropLast(4))) }
        }
        return found
    }

    private static func signIn(_ server: ServeConfiguration, _ parts: Parts) async throws -> EntraSignIn? {
        guard let settings = server.entra else { return nil }
        let registration = settings.registration
        var retry = ServiceClient.RetryPolicy()
        retry.attempts = 1
        let clients = Network(
            parts.configuration, environment: parts.environment, retry: retry, logger: parts.logger)
        let client = try await clients.client(proxy: registration.proxy)
        let credential = try await registration.credential(
            client: client, environment: parts.environment, setting: "server.entra")
        let directory = EntraDirectory(
            client: client, login: registration.loginHost, tenant: registration.tenantID, clock: parts.clock)
        let check = EntraTokenCheck(
            directory: directory, tenant: registration.tenantID.lowercased(), client: registration.clientID,
            audience: settings.audience ?? "api://\(registration.clientID)", scope: settings.scope, time: parts.time)
        return EntraSignIn(
            directory: directory, grant: AuthorizationCodeGrant(client: client, credential: credential), check: check,
            clock: parts.clock)
    }

    /// Whether a password is somebody's. It takes as long for a name that nobody has.
    ///
    /// - Returns: nil when it is not.
    func user(_ name: String, password: String) async -> Accounts.User? {
        guard let accounts, password.utf8.count <= 1_024 else { return nil }
        _ = Self.started
        let known = accounts.current.user(name)
        let user = try? await Self.passwordThreads.runIfActive { () -> Accounts.User? in
            guard let known else {
                _ = try PasswordHash(password)
                return nil
            }
            return known.password.matches(password) ? known : nil
        }
        return user ?? nil
    }

    /// What a session of a user stands for: another password or role ends it.
    static func proof(of user: Accounts.User) -> String {
        SecretText.digest("\(user.name)\n\(user.role.rawValue)\n\(user.password.json.text)")
    }
}
