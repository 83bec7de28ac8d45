import AsyncHTTPClient
import Dispatch
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Fetches public files from hosts that the operator allows, without signing in: what `externaldata` names.
///
/// Redirects are followed, but only from one allowed host to another. A name is resolved once, what it stands for is
/// judged, and the
/// connection goes to that very address: so a query cannot make this machine ask services that only it can reach,
/// whatever a name
/// stands for a moment later.
package final class Downloader: Sendable {
    /// What a name stands for. It may wait.
    package typealias Resolver = @Sendable (String) throws(ResolverProblem) -> [NetworkAddress]

    private let hosts: [AllowedHost]
    private let resolve: Resolver
    private static let redirectCountMax = 5
    private static let secondsMax: Int64 = 120
    /// Addresses of one name that are tried.
    private static let addressesMax = 3
    package static let bytesMax = 256 << 20

    /// Why nothing was fetched.
    package struct Problem: Error, Sendable {
        package let message: String
    }

    /// - Parameter resolve: the system's resolver, or one of a test.
    package init(
        hosts: [AllowedHost], resolve: @escaping Resolver = { name throws(ResolverProblem) in try .resolved(name) }
    ) {
        self.hosts = hosts
        self.resolve = resolve
    }

    /// The file's bytes. Waits on the calling thread, which must not be one of the network's.
    ///
    /// - Parameter check: asked while waiting; throws to give up.
    package func bytes(of address: String, check: () throws -> Void) throws -> [UInt8] {
        var address = address
        for _ in 0...Self.redirectCountMax {
            let origin = try allowedOrigin(of: address)
            let response = try fetch(address, origin, check)
            switch response.status.code {
            case 200: return response.body.map { Array($0.readableBytesView) } ?? []
            case 301, 302, 303, 307, 308:
                guard let target = response.headers.first(name: "Location"),
                    let url = URL(string: target, relativeTo: URL(string: address))
                else {
                    throw Problem(
                        message: "\(origin.host) answered \(response.status.code) without saying where the file is")
                }
                address = url.absoluteString
            default:
                throw Problem(message: "\(origin.host) answered \(response.status.code) for \(Self.shown(address))")
            }
        }
        throw Problem(message: "\(Self.shown(address)) was redirected more than \(Self.redirectCountMax) times")
    }

    private func allowedOrigin(of address: String) throws -> Origin {
        guard let origin = Origin(address) else {
            throw Problem(message: "\(Self.shown(address)) is not a web address")
        }
        guard origin.scheme == "https" || origin.isLoopback else {
            throw Problem(message: "\(Self.shown(address)) is not fetched in the clear; use https://")
        }
        if hosts.contains(where: { $0.allows(origin) }) { return origin }
        let place = origin.host.contains(":") ? "'[\(origin.host)]:\(origin.port)'" : "\(origin.host):\(origin.port)"
        guard !hosts.contains(where: { $0.names(origin.host) }) else {
            throw Problem(
                message: "the port \(origin.port) of \(origin.host) is not allowed; allow it with "
                    + "'externaldata: {hosts: [\(place)]}' in the configuration")
        }
        throw Problem(
            message: "the host \(origin.host) is not allowed; allow it with "
                + "'externaldata: {hosts: [\(origin.port == 443 ? origin.host : place)]}' in the configuration")
    }

    /// What the host's name stands for, as far as a connection may go there.
    private func allowedAddresses(of origin: Origin, _ check: () throws -> Void) throws -> [NetworkAddress] {
        let rules = hosts.filter { $0.allows(origin) }
        let all: [NetworkAddress]
        if let literal = NetworkAddress(origin.host) {
            all = [literal]
        } else {
            let (host, resolve) = (origin.host, resolve)
            all = try Self.wait(check) { done in
                DispatchQueue.global().async {
                    do throws(ResolverProblem) { done(.success(try resolve(host))) } catch {
                        done(.failure(Problem(message: "the name \(host) is not known: \(error.message)")))
                    }
                }
                return {}
            }.get()
        }
        let allowed = all.filter { address in rules.contains { $0.allows(address) } }
        guard allowed.isEmpty else { return allowed }
        guard let first = all.first else { throw Problem(message: "the name \(origin.host) has no address") }
        throw Problem(
            message:
                "\(origin.host) stands for \(first), which is a \(first.kind.rawValue) address; where that is "
                + "meant, name the address itself with 'externaldata: {hosts: [...]}' in the configuration")
    }

    private func fetch(_ address: String, _ origin: Origin, _ check: () throws -> Void) throws -> HTTPClient.Response {
        var failure: any Error = HTTPClientError.connectTimeout
        for place in try allowedAddresses(of: origin, check).prefix(Self.addressesMax) {
            switch try fetch(address, origin, at: place, check) {
            case .success(let response): return response
            case .failure(let error):
                failure = error
                if error is ResponseAccumulator.ResponseTooBigError {
                    throw Problem(message: "\(Self.shown(address)) has more than \(Self.bytesMax >> 20) MB")
                }
            }
            // Where nobody answers, another address of the name may.
            let isUnreached = (failure as? HTTPClientError).map { $0 == .connectTimeout } ?? !(failure is NIOSSLError)
            guard isUnreached else { break }
        }
        let trouble = NetworkTrouble.explain(failure, ServiceRequest("GET", address), .system)
        throw Problem(message: "\(trouble.tried): \(trouble.got)")
    }

    /// One try, at one address.
    private func fetch(
        _ address: String, _ origin: Origin, at place: NetworkAddress, _ check: () throws -> Void
    ) throws -> Result<HTTPClient.Response, any Error> {
        var parts = URLComponents(string: address)
        let isLiteral = NetworkAddress(origin.host) != nil
        // In figures the address stands in the place of the host, so that nobody reads it in another way.
        parts?.host = isLiteral ? (place.bytes.count == 16 ? "[\(place)]" : "\(place)") : origin.host
        guard let url = parts?.string,
            let request = try? HTTPClient.Request(url: url, headers: ["User-Agent": "Vestige"])
        else { throw Problem(message: "\(Self.shown(address)) is not a web address") }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(30))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        // The certificate is asked for by the name, and judged by it; the connection goes to the address that was
        // judged.
        if !isLiteral { configuration.dnsOverride = [origin.host: place.description] }
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        defer { client.shutdown { _ in } }
        return try Self.wait(check) { done in
            let task = client.execute(
                request: request, delegate: ResponseAccumulator(request: request, maxBodySize: Self.bytesMax),
                deadline: .now() + .seconds(Self.secondsMax))
            task.futureResult.whenComplete(done)
            return { task.cancel() }
        }
    }

    /// Waits for what goes on elsewhere, whose failure is a result; it throws only what `check` throws.
    ///
    /// - Parameter begin: starts it, and returns how to stop it.
    private static func wait<T: Sendable>(
        _ check: () throws -> Void,
        _ begin: (@escaping @Sendable (Result<T, any Error>) -> Void) -> () -> Void
    ) throws -> Result<T, any Error> {
        let done = DispatchSemaphore(value: 0)
        let answer = AnswerBox<T>()
        let stop = begin { result in
            answer.set(result)
            done.signal()
        }
        while done.wait(timeout: .now() + .milliseconds(10)) == .timedOut {
            do { try check() } catch {
                stop()
                throw error
            }
        }
        return answer.get()
    }

    /// Without the query, which may hold a signature.
    private static func shown(_ address: String) -> String { String(address.prefix { $0 != "?" }.prefix(160)) }
}

/// An answer on its way from one thread to another.
private final class AnswerBox<T: Sendable>: Sendable {
    private let value = Mutex<Result<T, any Error>?>(nil)

    func set(_ result: Result<T, any Error>) { value.withLock { $0 = result } }

    func get() -> Result<T, any Error> {
        guard let result = value.withLock({ $0 }) else { preconditionFailure("it is signalled when it is there") }
        return result
    }
}

extension [NetworkAddress] {
    fileprivate static func resolved(_ name: String) throws(ResolverProblem) -> [NetworkAddress] {
        try NetworkAddress.resolved(name)
    }
}
