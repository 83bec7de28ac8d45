import Foundation
import NIOCore
import NIOSSL
import Pipeline
import ServiceLifecycle
import Synchronization

/// The server's certificate and its key, read again when their files change. Connections that are open stay as they
/// are; the next handshake shows the new certificate. A pair that does not fit changes nothing and is told.
package final class ServerCertificate: Service {
    private let files: ServeConfiguration.TLS
    private let say: @Sendable (String) -> Void
    private let warn: @Sendable (OperatorError) -> Void
    private let state: Mutex<State>
    /// How often the files are looked at.
    private static let interval = Duration.seconds(5)

    private struct State {
        var pair: Pair
        /// What the files looked like when they were read last.
        var mark: Mark
        /// Whether that reading failed once already: certificate and key are seldom written in one instant.
        var isDoubted = false
    }

    private struct Mark: Equatable {
        let certificate: FileMark?
        let key: FileMark?

        init(_ files: ServeConfiguration.TLS) {
            certificate = FileMark(files.certificate)
            key = FileMark(files.key)
        }
    }

    private struct Pair {
        let chain: [NIOSSLCertificate]
        let key: NIOSSLPrivateKey
    }

    /// - Throws: when the files cannot be used.
    package init(
        _ files: ServeConfiguration.TLS, say: @escaping @Sendable (String) -> Void,
        warn: @escaping @Sendable (OperatorError) -> Void
    ) throws(OperatorError) {
        self.files = files
        self.say = say
        self.warn = warn
        let mark = Mark(files)
        state = Mutex(State(pair: try Self.read(files), mark: mark))
    }

    /// What a listener needs: TLS 1.2 or later, and at each handshake the pair that counts then.
    package var configuration: TLSConfiguration {
        let pair = state.withLock { $0.pair }
        var configuration = Self.configuration(pair)
        configuration.sslContextCallback = { [self] _, promise in
            let pair = state.withLock { $0.pair }
            var override = NIOSSLContextConfigurationOverride()
            override.certificateChain = pair.chain.map { .certificate($0) }
            override.privateKey = .privateKey(pair.key)
            promise.succeed(override)
        }
        return configuration
    }

    private static func configuration(_ pair: Pair) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: pair.chain.map { .certificate($0) }, privateKey: .privateKey(pair.key))
        configuration.minimumTLSVersion = .tlsv12
        return configuration
    }

    /// Looks at the files from time to time.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                do { try await Task.sleep(for: Self.interval) } catch { return }
                reloadIfChanged()
            }
        }
    }

    /// Reads the files again when they are others than before.
    func reloadIfChanged() {
        let (isOther, isDoubted) = state.withLock { ($0.mark != Mark(files), $0.isDoubted) }
        if isOther || isDoubted { load(isPatient: !isDoubted) }
    }

    /// Reads the files again, as on SIGHUP.
    package func reload() { load(isPatient: false) }

    /// - Parameter isPatient: whether a pair that does not fit may become one by itself before anybody is told.
    private func load(isPatient: Bool) {
        let mark = Mark(files)
        do throws(OperatorError) {
            let pair = try Self.read(files)
            state.withLock { $0 = State(pair: pair, mark: mark) }
            say("the certificate was read again: \(Self.shown(pair))")
        } catch {
            state.withLock { state in
                state.mark = mark
                state.isDoubted = isPatient
            }
            guard !isPatient else { return }
            var error = error
            error.title = "the new certificate is not used"
            error.safe = "the server goes on with the one that it has"
            warn(error)
        }
    }

    private static func read(_ files: ServeConfiguration.TLS) throws(OperatorError) -> Pair {
        func trouble(_ got: String, means: String? = nil, next: String) -> OperatorError {
            OperatorError(
                "the server's certificate cannot be used", got: got, means: means, next: next, isConfiguration: true)
        }
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: files.key).resolvingSymlinksInPath().path)
        if let mode = attributes?[.posixPermissions] as? Int, mode & 0o007 != 0 {
            throw trouble(
                "anybody on this machine may read the key \(files.key) (mode \(String(mode & 0o777, radix: 8)))",
                means: "whoever has it can pass for this server", next: "chmod 640 \(files.key), and have it renewed")
        }
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(files.certificate) } catch {
            throw trouble(
                "no certificates can be read from \(files.certificate)",
                next: "'server.tls.certificate' is a PEM file: the server's certificate, then those above it")
        }
        guard let leaf = chain.first else {
            throw trouble(
                "\(files.certificate) holds no certificate", next: "put the server's certificate into it, as PEM")
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: files.key, format: .pem) } catch {
            throw trouble(
                "no private key can be read from \(files.key)",
                next: "'server.tls.key' is a PEM file with a key that no password protects")
        }
        let pair = Pair(chain: chain, key: key)
        do { _ = try NIOSSLContext(configuration: configuration(pair)) } catch {
            throw trouble(
                "the key \(files.key) is not that of the first certificate in \(files.certificate)",
                next: "put the server's own certificate first, and its key into the other file")
        }
        guard leaf.notValidAfter > time_t(Date().timeIntervalSince1970) else {
            throw trouble(
                "the certificate in \(files.certificate) ended on \(day(leaf.notValidAfter))", next: "have it renewed")
        }
        return pair
    }

    private static func day(_ time: time_t) -> String {
        String(Date(timeIntervalSince1970: Double(time)).ISO8601Format().prefix(10))
    }

    private static func shown(_ pair: Pair) -> String {
        pair.chain.first.map { "it ends on \(day($0.notValidAfter))" } ?? "it is empty"
    }
}
