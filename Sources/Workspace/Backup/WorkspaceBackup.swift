import Crypto
import Foundation
import GRDB
import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A copy of a workspace that is whole in itself, whatever was written to it meanwhile.
package struct BackupReceipt: Sendable, Equatable {
    package let path: String
    package let bytes: Int
    /// SHA-256 of the file, in hexadecimal.
    package let sum: String
    /// What the copy was found to hold when it was read back.
    package let rows: Int
    package let tables: Int
}

extension Workspace {
    /// Beside a backup stands its sum, in the form that `sha256sum --check` reads.
    package static func sumFile(of backup: String) -> String { backup + ".sha256" }

    /// Copies the workspace into a new file, as it is at one instant, while others go on writing to it
    /// (https://www.sqlite.org/backup.html). The copy is read back and compared with its checksums before it gets its
    /// name.
    ///
    /// - Throws: also when there is a file of that name, or when the copy, and so the workspace, is damaged.
    package func backup(to path: String) throws(WorkspaceError) -> BackupReceipt {
        let receipt = try copy(to: path, acceptsDamage: false)
        let name = (path as NSString).lastPathComponent
        do throws(WorkspaceError) {
            guard try PrivateFile.create(Self.sumFile(of: path), Array("\(receipt.sum)  \(name)\n".utf8)) else {
                throw WorkspaceError(
                    "there is a file \(Self.sumFile(of: path)) already; nothing was changed",
                    next: "name another file for the backup")
            }
        } catch {
            unlink(path)
            throw error
        }
        return receipt
    }

    /// Makes a workspace of a backup.
    ///
    /// - Parameter acceptsDamage: whether a backup that is damaged is restored as far as it can be read.
    /// - Throws: when there is a workspace at `path`, when the backup has another sum than stands beside it, or when it
    ///   is damaged.
    package static func restore(_ backup: String, to path: String, acceptsDamage: Bool) throws(WorkspaceError)
        -> BackupReceipt
    {
        guard exists(backup) else {
            throw WorkspaceError("there is no backup \(backup)", next: "correct the path")
        }
        for name in [path, path + "-wal", path + "-shm", path + "-journal"] where Self.isThere(name) {
            throw WorkspaceError(
                "there is a file \(name) already; nothing was changed",
                next: "restore to another path, or move that file away first")
        }
        if !acceptsDamage, let stated = try statedSum(of: backup) {
            let found = try sum(of: backup).hex
            guard stated == found else {
                throw WorkspaceError(
                    "\(backup) is not as it was written: its SHA-256 is \(found.prefix(16))…, and "
                        + "\(stated.prefix(16))… stands beside it; nothing was restored",
                    next: "take another copy of the backup; to restore what can be read of this one, add --damaged")
            }
        }
        return try Workspace(reading: backup).copy(to: path, acceptsDamage: acceptsDamage)
    }

    private static func isThere(_ path: String) -> Bool {
        var found = stat()
        return lstat(path, &found) == 0
    }

    /// The sum that stands beside a backup; nil when there is none.
    private static func statedSum(of backup: String) throws(WorkspaceError) -> String? {
        guard let bytes = try PrivateFile.contents(sumFile(of: backup)) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }.first.map { $0.lowercased() }
        guard let text, text.count == 64, text.allSatisfy(\.isHexDigit) else {
            throw WorkspaceError(
                "\(sumFile(of: backup)) holds no SHA-256; nothing was restored",
                next: "take another copy of it, or remove it to restore without it")
        }
        return text
    }

    private func copy(to path: String, acceptsDamage: Bool) throws(WorkspaceError) -> BackupReceipt {
        guard !Self.isThere(path) else {
            throw WorkspaceError(
                "there is a file \(path) already; nothing was changed", next: "name another file")
        }
        let part = "\(path)-new-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        defer { for name in [part, part + "-journal", part + "-wal", part + "-shm"] { unlink(name) } }
        _ = try PrivateFile.create(part)
        do {
            let copy = try DatabaseQueue(path: WorkspaceFiles(part).path)
            try read { source in
                // Pages as they are in one view of the file; the copy needs no journal beside it.
                try copy.writeWithoutTransaction { try source.backup(to: $0) }
            }
            try copy.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            try copy.close()
        } catch { throw WorkspaceError.wrap(error, path: part) }
        let report = try Workspace(reading: part, mapsPages: false).verify()
        if let damage = report.damage.first, !acceptsDamage {
            throw WorkspaceError(
                "\(self.path) is damaged: \(damage.what)"
                    + (report.damage.count > 1 ? ", and \(report.damage.count - 1) places more" : ""),
                next: "see how far it goes with: vestige workspace verify --workspace \(self.path); no copy was kept")
        }
        let (hex, bytes) = try Self.sum(of: part)
        try PrivateFile.publish(part, as: path)
        return BackupReceipt(path: path, bytes: bytes, sum: hex, rows: report.rows, tables: report.tables)
    }

    /// The SHA-256 of a file, read once.
    private static func sum(of path: String) throws(WorkspaceError) -> (hex: String, bytes: Int) {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            var hash = SHA256()
            var bytes = 0
            while let part = try file.read(upToCount: 1 << 20), !part.isEmpty {
                hash.update(data: part)
                bytes += part.count
            }
            return (Hex.string(hash.finalize()), bytes)
        } catch {
            throw WorkspaceError(
                "\(path) cannot be read: \(error.localizedDescription)", next: "check the disk and the permissions")
        }
    }
}
