import Pipeline

/// An address and a port to listen on.
package struct ListenAddress: Sendable, Equatable {
    /// A name or an address, without brackets.
    package let host: String
    /// 0 for any free one.
    package let port: Int

    /// Reads `HOST:PORT`, with brackets around an address of IPv6.
    ///
    /// - Parameter setting: what the text comes from, for the message.
    package init(_ text: String, setting: String) throws(OperatorError) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { throw Self.refusal(text, setting) }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw Self.refusal(text, setting)
        }
        guard !host.isEmpty, host.allSatisfy({ $0.isASCII && !$0.isWhitespace && $0 != "/" && $0 != "[" && $0 != "]" })
        else { throw Self.refusal(text, setting) }
        self.host = String(host)
        self.port = port
    }

    private static func refusal(_ text: String, _ setting: String) -> OperatorError {
        OperatorError(
            "\(setting) needs HOST:PORT, not \"\(text.prefix(80))\"",
            next: "write it as 127.0.0.1:8321, [::1]:8321 or 0.0.0.0:8443", isConfiguration: true)
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        if ["localhost", "::1"].contains(host.lowercased()) { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil && $0.count <= 3 }
    }

    /// As it stands in an address, with the port that was given out.
    package func authority(port: Int) -> String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}
