import Foundation
import GRDB
import Synchronization

/// A workspace's file as questions see it: nothing is written to it, made beside it, or locked for longer than a question takes.
///
/// A file that nobody has open is read as one that does not change; should somebody begin to write, that is noticed after each read, and
/// the read is done again beside the writer. So no file is left behind, and a file on read-only media is read like any other.
/// Where there is no file yet, there are no tables, until somebody makes it.
final class ReadingDatabase: Sendable {
    private enum Mode { case absent, still, shared }

    private struct Opened: Sendable {
        let reader: any DatabaseReader
        let mode: Mode
        let stamp: WorkspaceFiles.Stamp?
    }

    private let files: WorkspaceFiles
    private let mapsPages: Bool
    private let current: Mutex<Opened>
    /// How long a question waits for a program that keeps the file to itself; beside an ordinary writer it does not wait at all.
    private static let patience = 2.0
    private static let attempts = 3

    init(_ path: String, mapsPages: Bool) throws {
        files = WorkspaceFiles(path)
        self.mapsPages = mapsPages
        current = Mutex(try Self.open(files, mapsPages))
    }

    /// One view of the file for all that `body` asks.
    func read<T>(_ body: (Database) throws -> T) throws -> T { try use { try $0.read(body) } }

    /// A single statement, which needs no transaction.
    func readOnce<T>(_ body: (Database) throws -> T) throws -> T { try use { try $0.unsafeRead(body) } }

    private func use<T>(_ body: (any DatabaseReader) throws -> T) throws -> T {
        for _ in 0..<Self.attempts {
            let opened = try upToDate()
            let result: Result<T, any Error>
            do { result = .success(try body(opened.reader)) } catch { result = .failure(error) }
            // What was read while somebody wrote may be half of one and half of the other.
            let holds = try opened.mode != .still || files.stamp() == opened.stamp
            if holds { return try result.get() }
        }
        throw WorkspaceError(
            "\(files.path) changes faster than it can be read", next: "run the command again when fewer programs write")
    }

    private func upToDate() throws -> Opened {
        try current.withLock { opened in
            let stamp = try files.stamp()
            let holds =
                switch opened.mode {
                case .absent: stamp == opened.stamp && stamp?.hasJournal != true
                case .still: stamp == opened.stamp
                // Another file of this name, such as one that was restored.
                case .shared: stamp == nil || stamp?.inode == opened.stamp?.inode
                }
            if !holds { opened = try Self.open(files, mapsPages) }
            return opened
        }
    }

    private static func open(_ files: WorkspaceFiles, _ mapsPages: Bool) throws -> Opened {
        for _ in 1..<attempts {
            let stamp = try files.stamp()
            do { return try open(files, at: stamp, mapsPages: mapsPages) } catch {
                // Somebody is making the file, or has just ended.
                if try files.stamp() == stamp { throw error }
            }
        }
        return try open(files, at: try files.stamp(), mapsPages: mapsPages)
    }

    private static func open(_ files: WorkspaceFiles, at stamp: WorkspaceFiles.Stamp?, mapsPages: Bool) throws
        -> Opened
    {
        guard let stamp, stamp.size > 0 else { return try absent(stamp) }
        if !stamp.hasJournal { return try opened(files, as: .still, at: stamp, mapsPages: mapsPages) }
        do { return try opened(files, as: .shared, at: stamp, mapsPages: mapsPages) } catch let error as DatabaseError {
            guard error.resultCode == .SQLITE_CANTOPEN || error.resultCode == .SQLITE_READONLY else { throw error }
            // Beside a journal that is empty, the file is whole in itself.
            if stamp.journalSize == 0 { return try opened(files, as: .still, at: stamp, mapsPages: mapsPages) }
            throw WorkspaceError(
                "\(files.path) cannot be read as a whole: its journal \(files.journal) holds what was written last, and the "
                    + "folder may not be written to",
                next: "copy both files to a folder that may be written to, and name the copy with --workspace")
        }
    }

    private static func opened(
        _ files: WorkspaceFiles, as mode: Mode, at stamp: WorkspaceFiles.Stamp, mapsPages: Bool
    ) throws -> Opened {
        let address = mode == .still ? files.stillAddress : files.path
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(patience)
        configuration.maximumReaderCount = 8
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA mmap_size = \(mapsPages ? 64 << 30 : 0)")
            Checksum.addFunction(to: db)
            try FileShape(db, path: files.path).overlay(db)
        }
        let pool = try DatabasePool(path: address, configuration: configuration)
        if try pool.read({ try FileShape($0, path: files.path).isBlank }) { return try absent(stamp) }
        return Opened(reader: pool, mode: mode, stamp: stamp)
    }

    /// Tables without rows, in memory.
    private static func absent(_ stamp: WorkspaceFiles.Stamp?) throws -> Opened {
        let empty = try DatabaseQueue()
        try empty.write { db in
            Checksum.addFunction(to: db)
            try WorkspaceFormat.migrate(db)
        }
        return Opened(reader: empty, mode: .absent, stamp: stamp)
    }
}
