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

    /// The setting `proxy`, wherever it stands: `http://host:3128`, `none`, `environment`, or a mapping.
    static func setting(standard: String = "`environment`", _ meaning: String) -> Setting<ProxySetting> {
        Setting("proxy", standard: standard, meaning: meaning) { yaml, name in
            guard yaml.isText(name) else {
                guard let part = try yaml.optionalFields(name) else { throw yaml.fail("'\(name)' is missing") }
                return .server(try ProxyConfiguration(part))
            }
            switch try yaml.string(name) {
            case "none", "direct": return .direct
            case "environment": return .environment
            case let text: return .server(ProxyConfiguration(proxy: try ProxyConfiguration.address(text, yaml, name)))
            }
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

    enum Settings {
        static let address = Setting.text(
            "address", standard: "`proxy` itself",
            "its address, `http://host:3128`; `proxy: none` calls directly, `proxy: environment` goes by "
                + "`HTTPS_PROXY` and `NO_PROXY`")
        static let user = Setting.text("user", "who signs in to it")
        static let password = Setting.secret("password", "where the password is kept")
        static let except = Setting.texts("except", "hosts that are called directly")
        static let loopback = Setting.flag(
            "loopback", standard: "`false`", "whether calls to this machine go through it too")
        static let all: [any SettingDeclaration] = [address, user, password, except, loopback]
    }

    init(_ yaml: Fields) throws {
        try yaml.only(Settings.all)
        proxy = try Self.address(try yaml.required(Settings.address), yaml, Settings.address.name)
        proxy.user = try yaml.optional(Settings.user)
        password = try yaml.optional(Settings.password)
        if password != nil, proxy.user == nil {
            throw yaml.fail("'password' goes with 'user'", at: Settings.password.name)
        }
        exceptions = (try yaml.optional(Settings.except) ?? []).flatMap { ProxyException.list($0) }
        includesLoopback = try yaml.optional(Settings.loopback) ?? false
    }

    fileprivate static func address(_ text: String, _ yaml: Fields, _ name: String) throws -> Proxy {
        let proxy: Proxy
        do { proxy = try Proxy(text) } catch { throw yaml.fail("'proxy': \(error.message)", at: name) }
        guard proxy.password == nil else {
            throw yaml.fail(
                "'proxy' must not hold a password; write proxy: {address: http://host:port, user: …, password: env:NAME}",
                at: name)
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
