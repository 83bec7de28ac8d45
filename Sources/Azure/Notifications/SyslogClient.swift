import NIOCore
import NIOPosix
import Tables

/// Sends lines to a syslog server: RFC 5424 over UDP (RFC 5426), over TCP with counted octets (RFC 6587), or over TLS
/// (RFC 5425).
package struct SyslogClient: Sendable {
    package enum Transport: String, Sendable, CaseIterable { case udp, tcp, tls }

    /// An entry of a log.
    package struct Entry: Sendable {
        /// 0 (emergency) to 7 (debug).
        package let severity: Int
        /// When it happened; ticks.
        package let time: Int64
        /// What kind of entry it is.
        package let id: String
        /// Structured data, by name.
        package let parameters: [(name: String, value: String)]
        package let text: String

        package init(
            severity: Int, time: Int64, id: String, parameters: [(name: String, value: String)],
            text: String
        ) {
            self.severity = severity
            self.time = time
            self.id = id
            self.parameters = parameters
            self.text = text
        }
    }

    private let host: String
    private let port: Int
    private let transport: Transport
    private let facility: Int
    private let trust: ServerTrust
    /// Bytes of a datagram: receivers should take so many (RFC 5426, section 3.2).
    static let datagramBytesMax = 2_048
    /// The enterprise number that RFC 5612 reserves for examples: the product has none of its own.
    private static let dataID = "vestige@32473"

    /// - Parameter facility: 0 to 23; 16 is local0.
    package init(host: String, port: Int, transport: Transport, facility: Int, trust: ServerTrust) {
        self.host = host
        self.port = port
        self.transport = transport
        self.facility = facility
        self.trust = trust
    }

    /// Sends entries in their order.
    ///
    /// - Returns: bytes. Syslog has no answers: over UDP nobody knows whether they arrive.
    package func send(_ entries: [Entry]) async throws(ServiceError) -> Int {
        let lines = entries.map(line)
        switch transport {
        case .udp: try await datagrams(lines.map { Self.cut($0, Self.datagramBytesMax) })
        case .tcp, .tls:
            let connection = try await LineConnection.open(
                host, port: port, isEncrypted: transport == .tls, trust: trust)
            do throws(ServiceError) {
                for line in lines { try await connection.send(Array("\(line.count) ".utf8) + line) }
            } catch {
                await connection.close()
                throw error
            }
            await connection.close()
        }
        return lines.reduce(0) { $0 + $1.count }
    }

    /// An entry in the form of RFC 5424.
    func line(_ entry: Entry) -> [UInt8] {
        let time = DateTime.format(entry.time)
        // Six digits of a second at most.
        let stamp = time.hasSuffix("Z") ? time.dropLast(2) + "Z" : time[...]
        let data = entry.parameters.map { " \($0.name)=\"\(Self.escaped($0.value))\"" }.joined()
        let head =
            "<\(facility * 8 + entry.severity)>1 \(stamp) \(MailText.ownName) vestige - \(entry.id) [\(Self.dataID)\(data)]"
        // A mark of byte order says that the text is UTF-8; one that is plain needs none.
        let isPlain = entry.text.allSatisfy(\.isASCII)
        let text = entry.text.map { $0.isNewline ? " " : String($0) }.joined()
        return Array((head + " " + (isPlain ? "" : "\u{feff}") + text).utf8)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("]", with: "\\]")
    }

    /// At most so many bytes, cut between characters.
    private static func cut(_ line: [UInt8], _ bytesMax: Int) -> [UInt8] {
        guard line.count > bytesMax else { return line }
        var end = bytesMax
        while end > 0, line[end] & 0xC0 == 0x80 { end -= 1 }
        return Array(line[..<end])
    }

    private func datagrams(_ lines: [[UInt8]]) async throws(ServiceError) {
        do {
            let address = try SocketAddress.makeAddressResolvingHost(host, port: port)
            let local = address.protocol == .inet6 ? "::" : "0.0.0.0"
            let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: local, port: 0).get()
            do {
                for line in lines {
                    let envelope = AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: line))
                    try await channel.writeAndFlush(envelope).get()
                }
            } catch {
                try? await channel.close().get()
                throw error
            }
            try await channel.close().get()
        } catch {
            throw ServiceError(
                tried: "sending to \(host):\(port) over UDP", got: "\(error)", next: "check host and port",
                isRetryable: true)
        }
    }
}
