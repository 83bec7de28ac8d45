import Foundation
import Pipeline
import Synchronization
import Tables
import Workspace

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The file of accounts: readable by its owner only, replaced as a whole, so that whoever reads it sees all of a change
/// or none. It stands beside the workspace and not in it: evidence is opened to read, and who may read it changes.
package struct AccountFile: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// What the file holds; nobody when there is none.
    package func read() throws(OperatorError) -> Accounts {
        let bytes: [UInt8]?
        do { bytes = try PrivateFile.contents(path) } catch {
            throw OperatorError(error, title: "the file of accounts cannot be read")
        }
        guard let bytes else { return Accounts() }
        let mode = (try? FileManager.default.attributesOfItem(atPath: path))?[.posixPermissions] as? Int
        guard let mode, mode & 0o077 == 0 else {
            throw OperatorError(
                "the file of accounts is not used", got: "others on this machine may read or change \(path)",
                means: "they could let themselves in", next: "chmod 600 \(path), and look at: vestige user list",
                isConfiguration: true)
        }
        guard let json = try? JSON(parsing: bytes), let accounts = Accounts(json) else {
            throw OperatorError(
                "the file of accounts cannot be used", got: "\(path) is damaged, or of a newer vestige",
                safe: "nothing was changed", next: "restore it from a backup, or remove it and add the accounts again",
                isConfiguration: true)
        }
        return accounts
    }

    /// Changes the file. Programs that do so at the same time take turns.
    package func update<T>(_ change: (inout Accounts) throws -> T) throws -> T {
        do {
            return try PrivateFile.exclusively(for: path) {
                var accounts = try read()
                let result = try change(&accounts)
                try PrivateFile.replace(path, accounts.json.bytes + [UInt8(ascii: "\n")])
                return result
            }
        } catch let error as WorkspaceError {
            throw OperatorError(error, title: "the file of accounts cannot be written", safe: "it is as it was")
        }
    }
}

/// The accounts as the server sees them: the file is looked at with every question, and read again when it is another,
/// so that a token that was revoked is refused at once.
final class AccountBook: Sendable {
    private let file: AccountFile
    private let state: Mutex<State>
    private let warn: @Sendable (OperatorError) -> Void

    private struct State {
        var mark: FileMark?
        var accounts: Accounts
        var isBroken = false
    }

    init(_ file: AccountFile, warn: @escaping @Sendable (OperatorError) -> Void) throws(OperatorError) {
        self.file = file
        self.warn = warn
        state = Mutex(State(mark: FileMark(file.path), accounts: try file.read()))
    }

    /// Who may sign in now. A file that cannot be read lets in nobody.
    var current: Accounts {
        let mark = FileMark(file.path)
        let (accounts, trouble) = state.withLock { state -> (Accounts, OperatorError?) in
            guard mark != state.mark || state.isBroken else { return (state.accounts, nil) }
            do throws(OperatorError) {
                state.accounts = try file.read()
                state.mark = mark
                state.isBroken = false
                return (state.accounts, nil)
            } catch {
                let isNew = !state.isBroken || mark != state.mark
                state.accounts = Accounts()
                state.mark = mark
                state.isBroken = true
                return (state.accounts, isNew ? error : nil)
            }
        }
        if let trouble { warn(trouble) }
        return accounts
    }
}

/// By what a file is known to be the one that was read: another one in its place has another number, and a change
/// another time or size.
struct FileMark: Equatable, Sendable {
    private let device: UInt64
    private let number: UInt64
    private let size: Int64
    private let seconds: Int64
    private let nanoseconds: Int64

    /// Nil when there is none. Links are followed, as certificates of orchestrators are links.
    init?(_ path: String) {
        var found = stat()
        guard stat(path, &found) == 0 else { return nil }
        device = UInt64(truncatingIfNeeded: found.st_dev)
        number = UInt64(truncatingIfNeeded: found.st_ino)
        size = Int64(found.st_size)
        #if canImport(Glibc)
            (seconds, nanoseconds) = (Int64(found.st_ctim.tv_sec), Int64(found.st_ctim.tv_nsec))
        #else
            (seconds, nanoseconds) = (Int64(found.st_ctimespec.tv_sec), Int64(found.st_ctimespec.tv_nsec))
        #endif
    }
}
