import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A workspace's file and those that SQLite keeps beside it.
struct WorkspaceFiles: Sendable {
    /// For SQLite, which takes a name that begins with `file:` for an address.
    let path: String
    var journal: String { path + "-wal" }
    private var rollback: String { path + "-journal" }
    private var index: String { path + "-shm" }

    init(_ path: String) { self.path = path.hasPrefix("file:") ? "./" + path : path }

    /// The address by which SQLite opens the file as one that nobody changes: it makes no files beside it and takes no locks
    /// (https://www.sqlite.org/c3ref/open.html, "immutable").
    var stillAddress: String {
        var allowed = CharacterSet.urlPathAllowed
        allowed.remove(charactersIn: "?#%;")
        guard let encoded = path.addingPercentEncoding(withAllowedCharacters: allowed) else {
            preconditionFailure("a path that is no text")
        }
        return "file:\(encoded)?immutable=1"
    }

    /// What a file is as the system tells it, without opening it: to open and close a file that SQLite has open in this process would
    /// take its locks away (https://www.sqlite.org/howtocorrupt.html, 2.2).
    struct Stamp: Sendable, Equatable {
        var inode: UInt64 = 0
        var size: Int64 = 0
        var seconds = 0
        var nanoseconds = 0
        /// Whether there is a journal: somebody has the file open for writing, or did when it last ended.
        var hasJournal = false
        /// Bytes of the journal.
        var journalSize: Int64 = 0
    }

    /// - Returns: nil when there is no file.
    /// - Throws: when it is no ordinary file, or may not be looked at.
    func stamp() throws(WorkspaceError) -> Stamp? {
        guard let file = Self.status(path) else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw WorkspaceError(
                    "the workspace \(path) cannot be opened: \(String(cString: strerror(errno)))",
                    next: "check the path and its permissions")
            }
            return nil
        }
        switch file.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR:
            throw WorkspaceError("\(path) is a folder, not a workspace", next: "name a file in it with --workspace")
        default:
            throw WorkspaceError("\(path) is not a workspace: it is no ordinary file", next: "name another file")
        }
        var stamp = Stamp()
        (stamp.inode, stamp.size) = (UInt64(file.st_ino), Int64(file.st_size))
        #if canImport(Darwin)
            (stamp.seconds, stamp.nanoseconds) = (file.st_mtimespec.tv_sec, file.st_mtimespec.tv_nsec)
        #else
            (stamp.seconds, stamp.nanoseconds) = (file.st_mtim.tv_sec, file.st_mtim.tv_nsec)
        #endif
        let journal = Self.status(journal)
        stamp.hasJournal = journal != nil || Self.status(rollback) != nil
        stamp.journalSize = Int64(journal?.st_size ?? 0)
        return stamp
    }

    /// Refuses links where SQLite would write its journal, and one that leads nowhere in the file's own place.
    func refuseLinks() throws(WorkspaceError) {
        for name in [journal, rollback, index] + (Self.status(path) == nil ? [path] : []) {
            var found = stat()
            if lstat(name, &found) == 0, found.st_mode & S_IFMT == S_IFLNK {
                throw WorkspaceError(
                    "\(name) is a link, which is not followed; nothing was changed",
                    next: "look who made it, then remove it and run the command again")
            }
        }
    }

    private static func status(_ path: String) -> stat? {
        var found = stat()
        return stat(path, &found) == 0 ? found : nil
    }
}

/// Lets one program at a time open workspaces of a folder for writing, so that two that make the same one do not meet half-way.
/// It locks the folder, and leaves nothing behind.
final class FolderTurn {
    private let descriptor: Int32
    /// A program that keeps a folder locked for reasons of its own must not stop this one: SQLite's own locks decide in the end.
    private static let patience = Duration.seconds(10)

    init(_ folder: String) {
        descriptor = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        let end = ContinuousClock.now + Self.patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR,
            ContinuousClock.now < end
        {
            usleep(5_000)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
