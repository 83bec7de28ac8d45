import AsyncHTTPClient
import Dispatch
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Fetches public files from hosts that the operator allows, without signing in: what `externaldata` names.
///
/// Redirects are followed, but only from one allowed host to another, so that a query cannot make this machine ask
/// services that only it can reach.
package final class Downloader: Sendable {
    /// `name`, `*.suffix` or `*`, in small letters.
    private let hosts: [String]
    private let client: HTTPClient
    private static let redirectCountMax = 5
    private static let secondsMax: Int64 = 120
    package static let bytesMax = 256 << 20

    /// Why nothing was fetched.
    package struct Problem: Error, Sendable {
        package let message: String
    }

    package init(hosts: [String]) {
        self.hosts = hosts.map { $0.lowercased() }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(30))
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit { client.shutdown { _ in } }

    /// The file's bytes. Waits on the calling thread, which must not be one of the network's.
    ///
    /// - Parameter check: asked while waiting; throws to give up.
    package func bytes(of address: String, check: () throws -> Void) throws -> [UInt8] {
        var address = address
        for _ in 0...Self.redirectCountMax {
            let host = try allowedHost(of: address)
            let response = try fetch(address, host, check)
            switch response.status.code {
            case 200: return response.body.map { Array($0.readableBytesView) } ?? []
            case 301, 302, 303, 307, 308:
                guard let target = response.headers.first(name: "Location"),
                    let url = URL(string: target, relativeTo: URL(string: address))
                else {
                    throw Problem(message: "\(host) answered \(response.status.code) without saying where the file is")
                }
                address = url.absoluteString
            default: throw Problem(message: "\(host) answered \(response.status.code) for \(Self.shown(address))")
            }
        }
        throw Problem(message: "\(Self.shown(address)) was redirected more than \(Self.redirectCountMax) times")
    }

    private func allowedHost(of address: String) throws -> String {
        guard let parts = URLComponents(string: address), let host = parts.host?.lowercased(), !host.isEmpty else {
            throw Problem(message: "\(Self.shown(address)) is not a web address")
        }
        let isLoopback = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host)
        guard parts.scheme == "https" || isLoopback else {
            throw Problem(message: "\(Self.shown(address)) is not fetched in the clear; use https://")
        }
        // A wildcard stands for public names only: addresses in figures and this machine must be named.
        let isName = host.contains { $0.isLetter } && host.contains(".") && !host.contains(":")
        let isAllowed = hosts.contains { pattern in
            pattern == host
                || isName && !isLoopback
                    && (pattern == "*" || pattern.hasPrefix("*.") && host.hasSuffix(pattern.dropFirst()))
        }
        guard isAllowed else {
            throw Problem(
                message:
                    "the host \(host) is not allowed; allow it with 'externaldata: {hosts: [\(host)]}' in the configuration"
            )
        }
        return host
    }

    private func fetch(_ address: String, _ host: String, _ check: () throws -> Void) throws -> HTTPClient.Response {
        let request: HTTPClient.Request
        do { request = try HTTPClient.Request(url: address, headers: ["User-Agent": "Vestige"]) } catch {
            throw Problem(message: "\(Self.shown(address)) is not a web address")
        }
        let task = client.execute(
            request: request, delegate: ResponseAccumulator(request: request, maxBodySize: Self.bytesMax),
            deadline: .now() + .seconds(Self.secondsMax))
        let done = DispatchSemaphore(value: 0)
        let answer = Mutex<Result<HTTPClient.Response, any Error>?>(nil)
        task.futureResult.whenComplete { result in
            answer.withLock { $0 = result }
            done.signal()
        }
        while done.wait(timeout: .now() + .milliseconds(50)) == .timedOut {
            do { try check() } catch {
                task.cancel()
                throw error
            }
        }
        do {
            guard let response = try answer.withLock({ $0 })?.get() else {
                throw Problem(message: "no answer from \(host)")
            }
            return response
        } catch let problem as Problem { throw problem } catch is ResponseAccumulator.ResponseTooBigError {
            throw Problem(message: "\(Self.shown(address)) has more than \(Self.bytesMax >> 20) MB")
        } catch {
            let trouble = NetworkTrouble.explain(error, ServiceRequest("GET", address), .system)
            throw Problem(message: "\(trouble.tried): \(trouble.got)")
        }
    }

    /// Without the query, which may hold a signature.
    private static func shown(_ address: String) -> String { String(address.prefix { $0 != "?" }.prefix(160)) }
}
