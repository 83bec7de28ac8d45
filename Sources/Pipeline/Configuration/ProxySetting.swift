import Azure
import Content
import Foundation
import Logging
import Tables

/// How services are reached: what `proxy` says, for everything, for a tenant or for a sensor.
package enum ProxySetting: Sendable {
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    case environment
    /// Directly, whatever the environment says.
    case direct
    case server(ProxyConfiguration)

    /// Reads `proxy: http://host:3128`, `none`, `environment`, or a mapping; nil where the key is missing.
    ///
    /// - Throws: `ContentProblem`.
    static func read(_ yaml: Fields) throws -> ProxySetting? {
        guard let text = try? yaml.optionalString("proxy") else {
            guard let part = try yaml.optionalFields("proxy") else { return nil }
            return .server(try ProxyConfiguration(part))
        }
        switch text {
        case "none", "direct": return .direct
        case "environment": return .environment
        default: return .server(ProxyConfiguration(proxy: try ProxyConfiguration.address(text, yaml)))
        }
    }
}

/// A proxy, with the secret that signs in to it kept elsewhere.
package struct ProxyConfiguration: Sendable {
    package var proxy: Proxy
    package var password: SecretReference?
    /// Hosts that are called directly.
    package var exceptions: [ProxyException] = []
    /// Whether calls to this machine go through the proxy too.
    package var includesLoopback = false

    package init(proxy: Proxy) { self.proxy = proxy }

    init(_ yaml: Fields) throws {
        try yaml.only(["address", "user", "password", "except", "loopback"])
        proxy = try Self.address(try yaml.string("address"), yaml)
        proxy.user = try yaml.optionalString("user")
        if let text = try yaml.optionalString("password") {
            guard let reference = SecretReference(text) else {
                // The text itself may be the secret: it is not repeated.
                throw yaml.fail(
                    "'password' must say where the secret is kept, env:NAME, file:PATH or keyvault:…, not the secret itself"
                )
            }
            guard proxy.user != nil else { throw yaml.fail("'password' goes with 'user'") }
            password = reference
        }
        exceptions = try yaml.strings("except").flatMap { ProxyException.list($0) }
        includesLoopback = try yaml.optionalBool("loopback") ?? false
    }

    fileprivate static func address(_ text: String, _ yaml: Fields) throws -> Proxy {
        let proxy: Proxy
        do { proxy = try Proxy(text) } catch { throw yaml.fail("'proxy': \(error.message)") }
        guard proxy.password == nil else {
            throw yaml.fail(
                "'proxy' must not hold a password; write proxy: {address: http://host:port, user: …, password: env:NAME}"
            )
        }
        return proxy
    }
}

/// Makes the clients that call services, each through the proxy that its setting names.
package struct Network: Sendable {
    private let standard: ProxySetting
    private let environment: [String: String]
    private let cloud: NationalCloud
    private let retry: ServiceClient.RetryPolicy
    private let logger: Logger

    package init(
        _ configuration: Configuration, environment: [String: String], retry: ServiceClient.RetryPolicy, logger: Logger
    ) {
        standard = configuration.proxy
        self.environment = environment
        cloud = configuration.tenant?.cloud ?? .global
        self.retry = retry
        self.logger = logger
    }

    /// A client for a tenant or a sensor with a setting of its own, or for everything else.
    ///
    /// - Throws: `OperatorError` when the proxy's secret cannot be had, or what the environment says is no proxy.
    package func client(trust: ServerTrust = .system, proxy: ProxySetting? = nil) async throws -> ServiceClient {
        try ServiceClient(trust: trust, proxies: try await rules(proxy ?? standard), retry: retry, logger: logger)
    }

    private func rules(_ setting: ProxySetting) async throws -> ProxyRules {
        switch setting {
        case .direct: return ProxyRules()
        case .environment:
            do { return try ProxyRules(environment: environment) } catch {
                var error = OperatorError(error, title: "services cannot be called")
                error.isConfiguration = true
                throw error
            }
        case .server(let server):
            var proxy = server.proxy
            if let reference = server.password {
                let client = try ServiceClient(retry: retry, logger: logger)
                let secrets = SecretResolver(environment: environment, client: client, cloud: cloud)
                let outcome: Result<Secret, any Error>
                do { outcome = .success(try await secrets.resolve(reference, "proxy.password")) } catch {
                    outcome = .failure(error)
                }
                await client.shutdown()
                proxy.password = try outcome.get()
            }
            return ProxyRules(
                proxy, exceptions: server.exceptions, includesLoopback: server.includesLoopback)
        }
    }
}
