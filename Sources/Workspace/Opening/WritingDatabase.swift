import Foundation
import GRDB

/// A workspace's file as those see it who write to it.
enum WritingDatabase {
    /// Opens the file, or makes it. It is looked at before anything is written: a file of another program stays as it
    /// is.
    ///
    /// - Parameter key: the digest key of a file that has none.
    static func open(_ path: String, _ key: DigestKey, mapsPages: Bool) throws -> (pool: DatabasePool, key: DigestKey) {
        let files = WorkspaceFiles(path)
        let folder = (path as NSString).deletingLastPathComponent
        if !folder.isEmpty { try PrivateFile.makeFolder(folder) }
        let turn = FolderTurn(folder)
        defer { withExtendedLifetime(turn) {} }
        try files.refuseLinks()
        if let stamp = try files.stamp() {
            if stamp.size > 0 { try look(files, stamp) }
        } else {
            _ = try PrivateFile.create(path)
        }
        let pool = try DatabasePool(path: files.path, configuration: configuration(mapsPages))
        // The storage library sets another level when it opens the file; an acknowledged batch must survive a power
        // cut.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        let stored = try pool.read { db in
            try FileShape(db, path: path).format == WorkspaceFormat.current ? try storedKey(db) : nil
        }
        if let stored { return (pool, stored) }
        let made = try pool.writeWithoutTransaction { db in
            var made = key
            try db.inTransaction(.immediate) {
                try WorkspaceFormat.migrate(db)
                if let stored = try storedKey(db) {
                    made = stored
                } else {
                    try db.execute(
                        sql: RowChecksums.meta.insertion("OR REPLACE"), arguments: ["digest-key", key.data])
                }
                return .commit
            }
            return made
        }
        return (pool, made)
    }

    /// The secret that the file's digests are made with.
    static func storedKey(_ db: Database) throws -> DigestKey? {
        try Data.fetchOne(db, sql: "SELECT value FROM meta WHERE name = 'digest-key'").flatMap { DigestKey($0) }
    }

    /// Refuses a file that is not a workspace of this program, without touching it.
    private static func look(_ files: WorkspaceFiles, _ stamp: WorkspaceFiles.Stamp) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        let database = try DatabaseQueue(
            path: stamp.hasJournal ? files.path : files.stillAddress, configuration: configuration)
        _ = try database.read { try FileShape($0, path: files.path) }
    }

    private static func configuration(_ mapsPages: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(30)
        configuration.maximumReaderCount = 8
        configuration.prepareDatabase { db in
            Checksum.addFunction(to: db)
            // Values are of some hundred kilobytes; this counts when the file is made.
            try db.execute(sql: "PRAGMA page_size = 16384")
            // A journal that was long once is cut when it is empty.
            try db.execute(sql: "PRAGMA journal_size_limit = \(64 << 20)")
            try db.execute(sql: "PRAGMA synchronous = FULL")
            // Segments are read where the system's cache has them, without a call and a copy for each page.
            try db.execute(sql: "PRAGMA mmap_size = \(mapsPages ? 64 << 30 : 0)")
        }
        return configuration
    }
}
