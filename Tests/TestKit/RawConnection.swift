import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A connection to a port of this machine on which a test writes bytes as no HTTP client would.
package final class RawConnection: Sendable {
    /// What a server answered.
    package struct Answer: Sendable {
        package let bytes: [UInt8]
        /// Whether the server ended the connection.
        package let isClosed: Bool

        package var text: String { String(decoding: bytes, as: UTF8.self) }
        /// nil when nothing came.
        package var status: Int? { text.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
        package var body: String { text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? "" }

        /// The first field of a name; nil when there is none.
        package func header(_ name: String) -> String? {
            for line in text.prefix(upTo: text.firstRange(of: "\r\n\r\n")?.lowerBound ?? text.endIndex).split(
                separator: "\r\n")
            {
                let parts = line.split(separator: ":", maxSplits: 1)
                if parts.count == 2, parts[0].lowercased() == name.lowercased() {
                    return parts[1].trimmingCharacters(in: .whitespaces)
                }
            }
            return nil
        }
    }

    /// The system refused.
    package struct Refused: Error { package let number: Int32 }

    private let socket: Int32

    /// Connects to 127.0.0.1.
    package init(port: Int) throws {
        #if canImport(Glibc)
            socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            socket = Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Refused(number: errno) }
        _ = signal(SIGPIPE, SIG_IGN)
    }

    deinit { close(socket) }

    /// Writes bytes; what a server that has gone does not take is left.
    package func send(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let n = bytes[sent...].withUnsafeBytes { write(socket, $0.baseAddress, $0.count) }
            guard n > 0 else { return }
            sent += n
        }
    }

    /// Reads until the server ends the connection, or until what came holds the wanted number of whole answers.
    ///
    /// - Parameters:
    ///   - answers: nil to wait for the end.
    ///   - seconds: how long nothing may come; a test that meets it sees an answer that is not closed.
    package func read(answers: Int? = 1, hasBody: Bool = true, seconds: Int = 20) async -> Answer {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var limit = timeval(tv_sec: seconds, tv_usec: 0)
                setsockopt(
                    self.socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let n = recv(self.socket, &chunk, chunk.count, 0)
                    if n <= 0 {
                        continuation.resume(returning: Answer(bytes: bytes, isClosed: n == 0 || errno == ECONNRESET))
                        return
                    }
                    bytes += chunk[..<n]
                    if let answers, Self.count(bytes, hasBody: hasBody) >= answers {
                        continuation.resume(returning: Answer(bytes: bytes, isClosed: false))
                        return
                    }
                }
            }
        }
    }

    /// Sends a text and reads one answer.
    package static func ask(port: Int, _ text: String, hasBody: Bool = true) async throws -> Answer {
        let connection = try RawConnection(port: port)
        connection.send(text)
        // A machine that runs hundreds of tests at once may take its time.
        return await connection.read(hasBody: hasBody, seconds: 90)
    }

    /// Whole answers in what came.
    private static func count(_ bytes: [UInt8], hasBody: Bool) -> Int {
        var rest = String(decoding: bytes, as: UTF8.self)[...]
        var count = 0
        while let end = rest.firstRange(of: "\r\n\r\n") {
            let head = rest[..<end.lowerBound].lowercased()
            let length = head.firstRange(of: "\r\ncontent-length: ").flatMap {
                Int(head[$0.upperBound...].prefix { $0.isNumber })
            }
            let wanted = hasBody ? length ?? 0 : 0
            let body = rest[end.upperBound...]
            guard body.utf8.count >= wanted else { break }
            count += 1
            rest = Substring(body.utf8.dropFirst(wanted))
        }
        return count
    }
}
