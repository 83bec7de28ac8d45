import Foundation
import KQLEngine
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension Workspace {
    /// What the file is now: it changes with every transaction that anybody commits. Nil when that cannot be told.
    ///
    /// Read are the file's head, which has its change counter (https://sqlite.org/fileformat2.html, section 1.3.8), sizes
    /// and times, and the head of the index of its journal, which holds the newest commit's frame and checksum
    /// (https://sqlite.org/walformat.html, section 2.1).
    package func version() -> DataVersion? {
        var bytes: [UInt8] = []
        guard Self.append(path, headCount: 100, withTime: true, to: &bytes),
            Self.append(path + "-wal", headCount: 32, withTime: true, to: &bytes),
            Self.append(path + "-shm", headCount: 96, withTime: false, to: &bytes)
        else { return nil }
        return DataVersion(bytes)
    }

    /// Appends what tells whether a file changed; false when it is there and cannot be read.
    private static func append(
        _ path: String, headCount: Int, withTime: Bool, to bytes: inout [UInt8]
    ) -> Bool {
        var facts = stat()
        guard stat(path, &facts) == 0 else {
            bytes.append(0)
            return errno == ENOENT
        }
        #if canImport(Darwin)
            let time = facts.st_mtimespec
        #else
            let time = facts.st_mtim
        #endif
        // Readers write into the journal's index too, behind its head: its time says nothing.
        let times = withTime ? [Int64(time.tv_sec), Int64(time.tv_nsec)] : []
        for number in [Int64(facts.st_ino), Int64(facts.st_size)] + times {
            withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
        }
        guard let file = KeptFiles.shared.handle(of: path, inode: UInt64(facts.st_ino)) else { return false }
        var head = [UInt8](repeating: 0, count: headCount)
        guard pread(file, &head, headCount, 0) >= 0 else { return false }
        bytes += head
        return true
    }
}

/// Handles of files that SQLite has open too. They stay open: closing one would take away the locks that the process
/// holds through the others (https://sqlite.org/howtocorrupt.html, section 2.2).
private final class KeptFiles: Sendable {
    static let shared = KeptFiles()

    private struct Kept {
        let handle: CInt
        let inode: UInt64
    }

    /// The newest last.
    private let files: Mutex<[String: [Kept]]> = Mutex([:])
    /// A file that was replaced so many times since is open nowhere else.
    private static let generations = 4

    func handle(of path: String, inode: UInt64) -> CInt? {
        files.withLock { files in
            var kept = files[path] ?? []
            if let known = kept.last(where: { $0.inode == inode }) { return known.handle }
            let handle = open(path, O_RDONLY | O_CLOEXEC)
            guard handle >= 0 else { return nil }
            kept.append(Kept(handle: handle, inode: inode))
            if kept.count > Self.generations { close(kept.removeFirst().handle) }
            files[path] = kept
            return handle
        }
    }
}
