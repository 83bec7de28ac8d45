import AsyncHTTPClient
import Foundation
import NIOCore
import NIOSSL

/// Turns what the network library reports into advice.
enum NetworkTrouble {
    /// - Parameter proxy: through which the call went.
    static func explain(
        _ error: any Error, _ request: ServiceRequest, _ trust: ServerTrust, proxy: Proxy? = nil
    ) -> ServiceError {
        if let proxy { return explain(error, request, trust, through: proxy) }
        let host = URLComponents(string: request.url)?.host ?? request.url
        let port = URLComponents(string: request.url)?.port ?? 443
        var text = String(describing: error)
        if let known = error as? HTTPClientError { text = known.description }
        if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("certificate") || error is NIOSSLExtraError
            || error is NIOSSLError
        {
            return ServiceError(
                tried: request.shown, got: "the certificate of \(host) is not trusted (\(reason(text)))",
                means: trust == .system
                    ? "a sensor comes with a self-signed certificate that no authority vouches for"
                    : "the server shows another certificate than the configured file",
                next:
                    "save it with: openssl s_client -connect \(host):\(port) </dev/null | openssl x509 > sensor.pem, compare its fingerprint with the sensor's, then set 'certificate: sensor.pem' (and 'checkHost: false' when it names no host)"
            )
        }
        if text.contains("invalidURL") || text.contains("emptyScheme") || text.contains("emptyHost")
            || text.contains("unsupportedScheme")
        {
            return ServiceError(
                tried: request.shown, got: "this is not a web address",
                next: "correct the address in the configuration; it starts with https://")
        }
        if text.lowercased().contains("timeout") || text.contains("deadlineExceeded") {
            return ServiceError(
                tried: request.shown, got: "no answer in time from \(host):\(port)",
                means: "the host is down, a firewall drops the traffic, or the service is slow",
                next: "check with: curl -v \(request.url.prefix { $0 != "?" })", isRetryable: true)
        }
        let isUnknownHost =
            text.contains("getaddrinfo") || text.contains("SocketAddressError") || text.contains("unknown host")
        return ServiceError(
            tried: request.shown,
            got: isUnknownHost ? "the name \(host) is not known" : "no connection to \(host):\(port) (\(reason(text)))",
            means: isUnknownHost
                ? "the address is misspelt, or name resolution does not work here"
                : "nothing listens there, or a firewall refuses",
            next:
                "check the address in the configuration, and the way to it with: curl -v \(request.url.prefix { $0 != "?" })",
            isRetryable: !isUnknownHost)
    }

    /// What went wrong on the way through a proxy, which an operator has to look at first.
    private static func explain(
        _ error: any Error, _ request: ServiceRequest, _ trust: ServerTrust, through proxy: Proxy
    ) -> ServiceError {
        let target = URLComponents(string: request.url)
        let place = "\(target?.host ?? "?"):\(target?.port ?? 443)"
        switch error as? HTTPClientError {
        case .proxyAuthenticationRequired?:
            return ServiceError(
                tried: "\(request.shown), through the proxy \(proxy.shown)", got: "the proxy asks for a sign-in (407)",
                means: proxy.user == nil ? "it lets nobody through without one" : "it does not take the one it got",
                next: "set 'proxy: {address: …, user: …, password: env:NAME}' in the configuration", status: 407)
        case .invalidProxyResponse?:
            return ServiceError(
                tried: "\(request.shown), through the proxy \(proxy.shown)",
                got: "the proxy does not connect to \(place)",
                means: "its rules do not allow the host, or it cannot reach it",
                next: "allow \(place) on the proxy, or name the host in NO_PROXY or 'proxy: {except: [...]}'",
                isRetryable: true)
        default:
            var trouble = explain(error, request, trust)
            trouble.tried += ", through the proxy \(proxy.shown)"
            let text = (error as? HTTPClientError)?.description ?? String(describing: error)
            if text.contains("CERTIFICATE_VERIFY_FAILED") || text.contains("certificate") {
                trouble.means =
                    "the proxy \(proxy.shown) opens the connection, or the server's certificate is not trusted"
                trouble.next =
                    "add the proxy's authority to this machine's trust store, or let it pass \(place) unopened"
            } else if text.contains("getaddrinfo") || text.contains("SocketAddressError") {
                trouble.got = "the name of the proxy \(proxy.shown) is not known"
                trouble.next = "correct HTTPS_PROXY, or 'proxy' in the configuration"
            } else if isRefusal(text) {
                trouble.got = "no connection to the proxy \(proxy.shown) (\(reason(text)))"
                trouble.means = "the proxy does not run there, or a firewall refuses"
                trouble.next = "check HTTPS_PROXY, or 'proxy' in the configuration"
            } else if trouble.got.hasPrefix("no answer in time") {
                trouble.got += " or from the proxy"
            }
            return trouble
        }
    }

    private static func isRefusal(_ text: String) -> Bool {
        text.contains("refused") || text.contains("errno: 111") || text.contains("NIOConnectionError")
    }

    private static func reason(_ text: String) -> String {
        for (sign, words) in [
            ("CERTIFICATE_VERIFY_FAILED", "verification failed"), ("Connection refused", "connection refused"),
            ("errno: 111", "connection refused"),
            ("Connection reset", "connection reset"), ("remoteConnectionClosed", "connection closed"),
            ("unableToValidateCertificate", "wrong host name"),
            ("HostnameMismatch", "wrong host name"),
        ] where text.contains(sign) { return words }
        return String(text.prefix(120))
    }
}
