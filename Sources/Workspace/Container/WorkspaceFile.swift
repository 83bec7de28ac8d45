import Foundation
import GRDB
import KQLEngine
import Tables

/// The embedded store: one SQLite file that holds extents of columns, the state of each source, and what is still to be
/// sent.
///
/// It is opened for writing by what collects and imports, and for reading by everything else; see
/// docs/concepts/storage.md.
package final class Workspace: Sendable {
    private enum Store: Sendable {
        case writing(DatabasePool)
        case reading(ReadingDatabase)
    }

    package let path: String
    private let store: Store
    /// The format of the file that this program writes.
    package static var format: Int { WorkspaceFormat.current }
    /// Rows of a run that is under way are filed under this and their source's name.
    static let stagingPrefix = "~"
    /// The secret that rows' digests are made with.
    package let digestKey: DigestKey

    /// Opens a workspace for writing; makes it, and its folder, when there is none, and brings an older one to this
    /// program's format.
    ///
    /// - Parameters:
    ///   - digestKey: the key of a workspace that is created now; nil for a random one.
    ///   - mapsPages: whether pages are read where the system's cache has them: fast, but they count as the program's
    ///   memory.
    package init(path: String, digestKey: DigestKey? = nil, mapsPages: Bool = true) throws(WorkspaceError) {
        self.path = path
        do {
            let opened = try WritingDatabase.open(path, digestKey ?? .random(), mapsPages: mapsPages)
            store = .writing(opened.pool)
            self.digestKey = opened.key
        } catch { throw WorkspaceError.wrap(error, path: path) }
    }

    /// Opens a workspace for questions: nothing is made, declared, brought to another format, or written. Where there
    /// is no file, it is a
    /// workspace without tables until somebody makes one.
    package init(reading path: String, mapsPages: Bool = true) throws(WorkspaceError) {
        self.path = path
        do {
            let reading = try ReadingDatabase(path, mapsPages: mapsPages)
            store = .reading(reading)
            digestKey = try reading.read { try WritingDatabase.storedKey($0) } ?? .random()
        } catch { throw WorkspaceError.wrap(error, path: path, .reading) }
    }

    /// Whether there is a file of that name, and something in it. It is not opened.
    package static func exists(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { return false }
        if isFolder.boolValue { return true }
        let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
        return size.map { $0 > 0 } ?? true
    }

    private var access: WorkspaceError.Access {
        if case .reading = store { .reading } else { .writing }
    }

    /// One view of the file for all that `body` asks.
    func read<T>(_ body: (Database) throws -> T) throws(WorkspaceError) -> T {
        do {
            switch store {
            case .writing(let pool): return try pool.read(body)
            case .reading(let reading): return try reading.read(body)
            }
        } catch { throw WorkspaceError.wrap(error, path: path, access) }
    }

    /// A single statement, which needs no transaction.
    func readOnce<T>(_ body: (Database) throws -> T) throws(WorkspaceError) -> T {
        do {
            switch store {
            case .writing(let pool): return try pool.unsafeRead(body)
            case .reading(let reading): return try reading.readOnce(body)
            }
        } catch { throw WorkspaceError.wrap(error, path: path, access) }
    }

    func write<T>(_ body: (Database) throws -> T) throws(WorkspaceError) -> T {
        do {
            guard case .writing(let pool) = store else {
                throw WorkspaceError(
                    "\(path) was opened for reading, and nothing is written to it",
                    next: "report this: a question tried to change the workspace")
            }
            return try pool.write(body)
        } catch { throw WorkspaceError.wrap(error, path: path) }
    }

    /// What is no transaction, or more than one.
    func writeAlone<T>(_ body: (Database) throws -> T) throws(WorkspaceError) -> T {
        do {
            guard case .writing(let pool) = store else {
                throw WorkspaceError(
                    "\(path) was opened for reading, and nothing is written to it",
                    next: "report this: a question tried to change the workspace")
            }
            return try pool.writeWithoutTransaction(body)
        } catch { throw WorkspaceError.wrap(error, path: path) }
    }

    /// Bytes of the file and its journal.
    package var sizeBytes: Int {
        [path, path + "-wal"].reduce(0) { sum, p in
            sum + ((try? FileManager.default.attributesOfItem(atPath: p)[.size] as? Int) ?? 0)
        }
    }
}
