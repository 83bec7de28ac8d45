import Azure
import Forensics
import Foundation
import KQLEngine
import Pipeline
import Tables

/// Time stamps of cases and exports, by the authority that the configuration names.
struct EvidenceStamp {
    private let client: TimeStampClient
    private let address: String

    /// - Returns: nil when the configuration names no authority.
    init?(_ configuration: Configuration, console: Console) async throws {
        guard let address = configuration.evidence.stampAddress else { return nil }
        let network = Network(
            configuration, environment: ProcessInfo.processInfo.environment, retry: ServiceClient.RetryPolicy(),
            logger: Logs.make(console, level: .warning))
        client = TimeStampClient(client: try await network.client(), address: address)
        self.address = address
    }

    /// A stamp that answers a request.
    func stamp(_ request: TimeStampRequest) async throws -> TimeStamp {
        let bytes: [UInt8]
        do { bytes = try await client.answer(to: request.encoded()) } catch {
            throw OperatorError(error, title: "the time-stamping authority gave no stamp", safe: "nothing was changed")
        }
        do {
            let stamp = try TimeStamp(response: bytes)
            guard stamp.answers(request) else { throw TimeStamp.Fault(text: "it answers another request") }
            return stamp
        } catch let fault as TimeStamp.Fault {
            throw OperatorError(
                "the time-stamping authority gave no stamp that holds", tried: address, got: fault.text,
                safe: "nothing was changed", next: "check 'evidence.timestamp.url'")
        }
    }

    /// The stamp of a case's ledger as it is now, kept in the case.
    func stamp(_ name: String, in cases: CaseStore, actor: String) async throws -> TimeStamp {
        let request = try cases.read(name).stampRequest()
        let stamp = try await stamp(request)
        try cases.update(name) { file in
            do throws(TimeStamp.Fault) { try file.add(stamp: stamp, now: SystemClock.now(), actor: actor) } catch {
                throw OperatorError(
                    "the case \(name) was changed while it was stamped", got: error.text, safe: "the case has no stamp",
                    next: "stamp it again")
            }
        }
        return stamp
    }

    /// Where the stamp of an exported file stands.
    static func path(of file: String) -> String { file + ".tsr" }

    /// The stamp of a file's bytes, beside it.
    func stamp(file: String) async throws -> TimeStamp {
        let bytes = try CaseStore.bytes(file)
        let stamp = try await stamp(TimeStampRequest(digest: Digest.bytes(bytes)))
        try Data(stamp.response).write(to: URL(fileURLWithPath: Self.path(of: file)), options: .withoutOverwriting)
        return stamp
    }

    /// What is said of stamps whose signatures fit.
    ///
    /// - Parameter authority: a PEM file of those that are believed; nil where nobody says.
    static func told(_ stamps: [TimeStamp], authority: String?) async throws -> [String] {
        let roots = try authority.map { String(decoding: try CaseStore.bytes($0), as: UTF8.self) }
        var lines: [String] = []
        for stamp in stamps {
            var line = "stamped \(TextReport.time(stamp.time)) UTC by \(stamp.authority)"
            if let roots {
                let isTrusted: Bool
                do { isTrusted = try await stamp.isTrusted(by: roots) } catch {
                    throw OperatorError(
                        "the authorities cannot be read", tried: authority, got: "\(error)",
                        next: "name a PEM file of certificates", isConfiguration: true)
                }
                guard isTrusted else {
                    throw OperatorError(
                        "a time stamp is of an authority that is not believed", got: stamp.authority,
                        means: "somebody else than the authorities of \(authority ?? "the file") gave it",
                        next: "name the right authority, or do without the stamp")
                }
                line += ", whom \(authority ?? "the file") vouches for"
            } else {
                line += "; who that is was not asked (--authority FILE)"
            }
            lines.append(line)
        }
        return lines
    }
}
