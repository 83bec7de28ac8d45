import Forensics
import Foundation
import Tables
import TestKit
import Testing

/// Time stamps of an authority that OpenSSL is (`openssl ts`), verified here, and here asked for.
@Suite struct TimeStampTests {
    /// An authority in a folder of its own: a root, and a certificate for time-stamping below it.
    struct Authority {
        let folder: String

        init(key: [String] = ["-newkey", "rsa:2048"]) throws {
            folder = try TemporaryFolder.make()
            try FolderWriter.write(
                """
                [tsa]
                dir = \(folder)
                serial = \(folder)/serial
                crypto_device = builtin
                signer_digest = sha256
                default_policy = 1.2.3.4.1
                digests = sha256
                ess_cert_id_alg = sha256
                [stamp]
                extendedKeyUsage = critical,timeStamping
                basicConstraints = CA:FALSE
                """, to: folder + "/tsa.cnf")
            try FolderWriter.write("01\n", to: folder + "/serial")
            try run(
                [
                    "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=Root", "-keyout", "root.key", "-out",
                    "root.pem",
                ]
                    + key)
            try run(["req", "-nodes", "-subj", "/CN=Stamper", "-keyout", "tsa.key", "-out", "tsa.csr"] + key)
            try run([
                "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days",
                "2", "-extfile", "tsa.cnf", "-extensions", "stamp", "-out", "tsa.pem",
            ])
        }

        func run(_ arguments: [String]) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = arguments
            process.currentDirectoryURL = URL(fileURLWithPath: folder)
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
        }

        func answer(_ request: [UInt8]) throws -> [UInt8] {
            try Data(request).write(to: URL(fileURLWithPath: folder + "/q.tsq"))
            try run([
                "ts", "-reply", "-queryfile", "q.tsq", "-config", "tsa.cnf", "-section", "tsa", "-signer", "tsa.pem",
                "-inkey", "tsa.key", "-chain", "root.pem", "-out", "a.tsr",
            ])
            return Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/a.tsr")))
        }

        var root: String {
            get throws { try String(contentsOfFile: folder + "/root.pem", encoding: .utf8) }
        }

        func remove() { TemporaryFolder.remove(folder) }
    }

    private static let digest = Array(UInt8(0)..<32)

    @Test(arguments: [["-newkey", "rsa:2048"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]])
    func aStampIsVerified(_ key: [String]) async throws {
        let authority = try Authority(key: key)
        defer { authority.remove() }
        let request = TimeStampRequest(digest: Self.digest)
        let stamp = try TimeStamp(response: authority.answer(request.encoded()))
        #expect(stamp.digest == Self.digest && stamp.answers(request))
        #expect(!stamp.answers(TimeStampRequest(digest: Self.digest)), "another nonce")
        let age = DateTime.unixEpoch + Int64(Date().timeIntervalSince1970 * 1e7) - stamp.time
        #expect(abs(age) < Span.hour && stamp.authority.contains("Stamper"))
        #expect(try await stamp.isTrusted(by: authority.root))
        let other = try Authority(key: key)
        defer { other.remove() }
        #expect(try await stamp.isTrusted(by: other.root) == false)
        // OpenSSL finds the request and the answer right, too.
        try authority.run(["ts", "-verify", "-queryfile", "q.tsq", "-in", "a.tsr", "-CAfile", "root.pem"])
    }

    /// Whatever byte is changed, what is left of the stamp does not say the same as before.
    @Test func aChangedStampIsNoStamp() throws {
        let authority = try Authority()
        defer { authority.remove() }
        let answer = try authority.answer(TimeStampRequest(digest: Self.digest).encoded())
        let stamp = try TimeStamp(response: answer)
        var refused = 0
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var changed = answer
            let place = Int.random(in: 0..<answer.count, using: &random)
            changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            guard let other = try? TimeStamp(response: changed) else {
                refused += 1
                continue
            }
            // The other certificates of the answer are not signed: a change there changes nothing that is said.
            #expect(other.digest == stamp.digest && other.time == stamp.time && other.signer == stamp.signer)
        }
        #expect(refused > 100)
        #expect(throws: TimeStamp.Fault.self) { try TimeStamp(response: [1, 2, 3]) }
        #expect(throws: TimeStamp.Fault.self) { try TimeStamp(response: []) }
    }

    /// A case keeps the stamp of its ledger's head; a stamp of another head is damage.
    @Test func aCaseKeepsItsStamp() throws {
        let authority = try Authority()
        defer { authority.remove() }
        var file = try CaseTests.bill.get()
        let stamped = file.root
        let request = file.stampRequest()
        try file.add(stamp: TimeStamp(response: authority.answer(request.encoded())), now: 5, actor: "wren")
        file.note("later", now: 6, actor: "wren")
        #expect(CaseVerifier.verify(file.encoded()) == [])
        let kept = try #require(file.stamps.first)
        #expect(kept.root == stamped && file.stamps.count == 1)
        var other = CaseFile(id: "other", opened: 0)
        other.note("x", now: 1, actor: "wren")
        #expect(throws: TimeStamp.Fault.self) {
            try other.add(stamp: TimeStamp(response: authority.answer(request.encoded())), now: 5, actor: "wren")
        }
        // Somebody writes the stamp of another case into theirs, with a ledger that fits.
        let body: JSON = [
            "root": .string(other.root), "time": .string(DateTime.format(kept.stamp.time)),
            "response": .string(Data(kept.stamp.response).base64EncodedString()),
        ]
        other.add(
            .stamp, id: "forged", body: body, now: 5, actor: "mallory", action: "stamp")
        #expect(CaseVerifier.verify(other.encoded()).map(\.object) == ["stamp forged"])
    }
}
