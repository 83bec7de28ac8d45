import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// How a server's certificate is judged.
package enum ServerTrust: Sendable, Equatable {
    /// The machine's trust store.
    case system
    /// A certificate file (PEM) is the only anchor; the host name may be left unchecked, since factory certificates
    /// carry none.
    case certificate(file: String, checksHost: Bool)
    /// Any certificate. Said aloud at every start.
    case any
}

/// A request, before authorization is added.
package struct ServiceRequest: Sendable {
    package var method: String
    package var url: String
    package var headers: [(String, String)]
    package var body: [UInt8]?
    /// Seconds until the whole answer must be there.
    package var timeoutSeconds: Int
    /// Whether an answer that names another address is handed back rather than an error.
    package var takesRedirects = false
    /// What the call carries of secrets: whatever the answer repeats of them is replaced.
    package var secrets: [Secret] = []

    package init(
        _ method: String = "GET", _ url: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        timeoutSeconds: Int = 240, secrets: [Secret] = []
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutSeconds = timeoutSeconds
        self.secrets = secrets
    }

    /// Method, host and path; the query is left out since it may hold tokens.
    var shown: String { "\(method) \(url.prefix { $0 != "?" })" }
}

/// One HTTP client: bounded retries with the server's own waiting times, bounded answers, and no redirects but for
/// public
/// documents.
package final class ServiceClient: Sendable {
    /// How often and how long calls are repeated.
    package struct RetryPolicy: Sendable {
        package var attempts = 5
        /// Seconds before the second try; doubles each time.
        package var firstDelay = 1.0
        /// Seconds; a server that asks for more is believed up to ten minutes.
        package var delayMax = 60.0
        /// Whether calls keep to the documented limits of their service.
        package var isPaced = true

        package init() {}
    }

    private let direct: HTTPClient
    /// By the scheme of the address that is called.
    private let proxied: [String: HTTPClient]
    private let proxies: ProxyRules
    private let retry: RetryPolicy
    private let logger: Logger
    private let trust: ServerTrust
    private let breaker: CircuitBreaker
    private static let answerBytesMax = 1 << 30

    package init(
        trust: ServerTrust = .system, proxies: ProxyRules = ProxyRules(), retry: RetryPolicy = RetryPolicy(),
        breaker: CircuitBreaker = CircuitBreaker(), logger: Logger
    ) throws(ServiceError) {
        var tls = TLSConfiguration.makeClientConfiguration()
        switch trust {
        case .system: break
        case .certificate(let file, let checksHost):
            guard FileManager.default.isReadableFile(atPath: file) else {
                throw ServiceError(
                    tried: "reading the certificate \(file)", got: "the file cannot be read",
                    next: "save the server's certificate there, or correct 'certificate' in the configuration")
            }
            tls.trustRoots = .file(file)
            tls.certificateVerification = checksHost ? .fullVerification : .noHostnameVerification
        case .any: tls.certificateVerification = .none
        }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(10))
        configuration.decompression = .enabled(limit: .size(Self.answerBytesMax))
        configuration.httpVersion = .http1Only
        // Tries are counted here, not inside the library.
        configuration.connectionPool.retryConnectionEstablishment = false
        direct = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        var proxied: [String: HTTPClient] = [:]
        for (scheme, proxy) in [("https", proxies.https), ("http", proxies.http)] {
            guard let proxy else { continue }
            configuration.proxy = proxy.setting
            proxied[scheme] = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        }
        self.proxied = proxied
        self.proxies = proxies
        self.retry = retry
        self.logger = logger
        self.trust = trust
        self.breaker = breaker
    }

    // Whoever gives up between making a client and using it need not end it.
    deinit { for client in clients { client.shutdown { _ in } } }

    /// Ends the client's connections.
    package func shutdown() async { for client in clients { try? await client.shutdown() } }

    private var clients: [HTTPClient] { [direct] + proxied.values }

    /// Sends until there is an answer that another try would not change.
    ///
    /// - Parameter budget: what the call is counted against; nil where the service sets no limit.
    /// - Returns: any answer but 408, 429 and 5xx; redirects, and web pages in an answer's place, count as errors.
    package func send(_ request: ServiceRequest, budget: CallBudget? = nil) async throws -> ServiceResponse {
        let host = URLComponents(string: request.url)?.host ?? ""
        if let seconds = await breaker.closedIn(host) {
            throw ServiceError(
                tried: request.shown,
                got:
                    "\(host) failed again and again; it is left alone for another \(String(format: "%.0f", seconds)) s",
                means: "the service is down, or the way to it is",
                next: "look at the first error of this host; the source goes on by itself", isRetryable: true
            )
        }
        do {
            let response = try await attempts(request, budget)
            await breaker.note(host, succeeded: true)
            return response
        } catch let error as ServiceError {
            // That a service limits calls does not mean that it is down.
            if error.isRetryable, error.status != 429 { await breaker.note(host, succeeded: false) }
            throw error
        }
    }

    private func attempts(_ request: ServiceRequest, _ budget: CallBudget?) async throws -> ServiceResponse {
        var delay = retry.firstDelay
        for attempt in 1... {
            let outcome: Result<ServiceResponse, ServiceError>
            try await budget?.take()
            do { outcome = .success(try await once(request)) } catch let error as ServiceError {
                outcome = .failure(error)
            }
            var failure: ServiceError
            var asked: Int?
            switch outcome {
            case .success(let response)
            where response.status == 429 || response.status == 408 || response.status >= 500:
                asked = response.retryAfterSeconds ?? Self.secondsOfQuota(response)
                failure = ServiceError(
                    tried: request.shown, got: response.summary,
                    means: response.status == 429
                        ? "the service limits how often it may be called" : "the service has trouble of its own",
                    next: "run the command again later; the source goes on from its checkpoint", isRetryable: true,
                    status: response.status)
            case .success(let response) where response.isRedirect && !request.takesRedirects:
                throw Redirect.refusal(of: response, to: request)
            case .success(let response) where response.isWebPage:
                failure = ServiceError(
                    tried: request.shown, got: "\(response.status) with a web page where data should be",
                    means:
                        "something on the way answers in the service's place: a proxy, a sign-in page, a maintenance page",
                    next: "look at the page with: curl -v \(request.url.prefix { $0 != "?" })", isRetryable: true,
                    status: response.status)
            case .success(let response): return response
            case .failure(let error):
                if !error.isRetryable { throw error }
                failure = error
            }
            let wait = min(asked.map(Double.init) ?? min(delay * Double.random(in: 0.75...1.25), retry.delayMax), 900)
            guard attempt < retry.attempts else {
                failure.tried += ", \(attempt) attempts"
                throw failure
            }
            logger.notice(
                "\(failure.got); waiting \(String(format: "%.0f", wait)) s\(asked == nil ? "" : ", asked by the server")",
                metadata: ["call": "\(request.shown)", "attempt": "\(attempt)"])
            if asked != nil { await budget?.pause(seconds: wait) }
            try await Task.sleep(for: .seconds(wait))
            delay *= 2
        }
        throw CancellationError()
    }

    /// What a tenant may compute is counted by quarters of an hour: when it is used up, there is more at the next.
    private static func secondsOfQuota(_ response: ServiceResponse) -> Int? {
        guard response.status == 429, response.vendorError?.message.contains("processing resources") == true else {
            return nil
        }
        let quarter = 900.0
        return Int(quarter - Date().timeIntervalSince1970.truncatingRemainder(dividingBy: quarter)) + 1
    }

    private func once(_ request: ServiceRequest) async throws -> ServiceResponse {
        let proxy = proxies.proxy(for: request.url)
        let scheme = request.url.prefix { $0 != ":" }.lowercased()
        let client = proxy == nil ? direct : proxied[scheme] ?? direct
        var message = HTTPClientRequest(url: request.url)
        message.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers { message.headers.add(name: name, value: value) }
        message.headers.replaceOrAdd(name: "User-Agent", value: "Vestige")
        message.headers.replaceOrAdd(name: "Accept", value: "application/json")
        if let body = request.body { message.body = .bytes(ByteBuffer(bytes: body)) }
        do {
            let response = try await client.execute(message, timeout: .seconds(Int64(request.timeoutSeconds)))
            var headers: [String: String] = [:]
            for (name, value) in response.headers { headers[name.lowercased()] = value }
            return ServiceResponse(
                status: Int(response.status.code), headers: headers, body: try await body(of: response, request)
            ).withoutSecrets(carried: request.secrets)
        } catch is CancellationError { throw CancellationError() } catch let error as ServiceError { throw error } catch
        {
            throw NetworkTrouble.explain(error, request, trust, proxy: proxy)
        }
    }
}

extension ServiceClient {
    /// The answer's whole body, put together in one place.
    private func body(of response: HTTPClientResponse, _ request: ServiceRequest) async throws -> [UInt8] {
        var body: [UInt8] = []
        if let length = response.headers.first(name: "Content-Length").flatMap({ Int($0) }),
            (1...Self.answerBytesMax).contains(length)
        {
            body.reserveCapacity(length)
        }
        for try await part in response.body {
            part.withUnsafeReadableBytes { body.append(contentsOf: $0) }
            guard body.count <= Self.answerBytesMax else {
                throw ServiceError(
                    tried: request.shown, got: "an answer of more than \(Self.answerBytesMax >> 20) MB",
                    next: "ask for smaller pages: 'pageSize' of the source"
                )
            }
        }
        return body
    }
}
