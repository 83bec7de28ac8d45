import Foundation
import KQLEngine
import Pipeline
import Tables
import TestKit
import Testing

@testable import Workbench

/// Passwords and the file that they are kept in.
@Suite struct PasswordTests {
    private static let cost = SharedWorkbench.cost

    @Test func onlyThePasswordMatches() throws {
        let hash = try PasswordHash("correct horse battery", cost: Self.cost)
        #expect(hash.matches("correct horse battery"))
        for wrong in [
            "", "correct horse batter", "correct horse batteryy", "Correct horse battery", "\0correct horse battery",
        ] {
            #expect(!hash.matches(wrong), "\(wrong)")
        }
        let other = try PasswordHash("correct horse battery", cost: Self.cost)
        #expect(other != hash, "two hashes of one password share their salt")
        // The same letters, composed in another way.
        let composed = try PasswordHash("caf\u{E9} am Ring 12", cost: Self.cost)
        #expect(composed.matches("cafe\u{301} am Ring 12"))
        #expect(PasswordHash.Cost.standard.rounds * 8 * 128 == 32 << 20)
    }

    @Test func aHashComesBackFromItsFile() throws {
        let hash = try PasswordHash("correct horse battery", cost: Self.cost)
        let again = try #require(PasswordHash(hash.json))
        #expect(again == hash && again.matches("correct horse battery"))
        for (member, value) in [
            ("kdf", JSON.string("md5")), ("rounds", 15), ("rounds", 1), ("rounds", 1_099_511_627_776), ("blockSize", 0),
            ("blockSize", 4_096), ("parallelism", 0), ("salt", "AAAA"), ("key", "AAAA"), ("key", "?"), ("rounds", nil),
        ] as [(String, JSON)] {
            var members = try #require(hash.json.members)
            members[member] = value
            #expect(PasswordHash(.object(members)) == nil, "\(member) \(value)")
        }
    }

    @Test func weakPasswordsAndOddNamesAreNotTaken() {
        for weak in [
            "", "short", "aaaaaaaaaaaaaaaa", "ababababababab", "anna12345678", String(repeating: "abcde", count: 300),
        ] {
            #expect(Accounts.weakness(of: weak, user: "anna") != nil, "\(weak)")
        }
        #expect(Accounts.weakness(of: "four words of mine", user: "anna") == nil)
        for name in ["anna", "Änne", "a.b-c_d@plant.example", "7"] { #expect(Accounts.isName(name), "\(name)") }
        for name in ["", "a b", "a\nb", "<b>", "a/b", "a:b", "\u{1B}[31m", String(repeating: "a", count: 65)] {
            #expect(!Accounts.isName(name), "\(name)")
        }
    }

    private func user(_ name: String) throws -> Accounts.User {
        Accounts.User(name: name, role: .reader, password: try PasswordHash("correct horse battery", cost: Self.cost))
    }

    @Test func theFileIsItsOwnersAndReplacedAsAWhole() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AccountFile(folder + "/x.accounts")
        #expect(try file.read().isEmpty)
        try file.update { $0.users.append(try user("anna")) }
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(try file.read().users.map(\.name) == ["anna"])
        #expect(try file.read().user("ANNA") != nil)
        // A change that fails changes nothing.
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try file.update { accounts in
                accounts.users = []
                throw Stop()
            }
        }
        #expect(try file.read().users.count == 1)
        let text = try String(contentsOfFile: file.path, encoding: .utf8)
        #expect(!text.contains("correct horse"))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["x.accounts", "x.accounts-lock"])
    }

    @Test func changesAtTheSameTimeAreAllKept() async throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AccountFile(folder + "/x.accounts")
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for i in 0..<8 { tasks.addTask { try file.update { $0.users.append(try user("u\(i)")) } } }
            try await tasks.waitForAll()
        }
        #expect(try file.read().users.count == 8)
    }

    @Test func aFileThatOthersMayReadOrThatIsDamagedLetsNobodyIn() throws {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        let file = AccountFile(folder + "/x.accounts")
        let (token, secret) = Accounts.Token.make(
            name: "t", role: .reader, expires: SystemClock.now() + DateTime.ticksPerDay, callsPerMinute: 1,
            concurrent: 1)
        try file.update { $0.tokens.append(token) }
        let told = TestNotes()
        let book = try AccountBook(file) { told.add($0.got) }
        #expect(book.current.token(secret)?.id == token.id)
        #expect(book.current.token(secret + "x") == nil && book.current.token(token.id) == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
        #expect(book.current.isEmpty && book.current.isEmpty)
        #expect(told.all.count == 1 && told.all[0].contains("others on this machine"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
        #expect(book.current.token(secret) != nil)
        for damage in [
            "", "{}", "[]", "{\"version\":2,\"users\":[],\"tokens\":[]}",
            "{\"version\":1,\"users\":[{}],\"tokens\":[]}",
        ] {
            try FolderWriter.write(damage, to: file.path)
            #expect(book.current.isEmpty, "\(damage)")
            #expect(throws: OperatorError.self) { try file.update { $0.users = [] } }
        }
        try file.read(replacing: token)
        #expect(book.current.token(secret) != nil)
        try file.update { $0.tokens = [] }
        #expect(book.current.token(secret) == nil, "a revoked token is still taken")
    }
}

extension AccountFile {
    /// Puts a whole file in the place of a damaged one.
    fileprivate func read(replacing token: Accounts.Token) throws {
        var accounts = Accounts()
        accounts.tokens = [token]
        try FolderWriter.write(accounts.json.text, to: path)
    }
}
