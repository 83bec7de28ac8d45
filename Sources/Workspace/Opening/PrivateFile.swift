import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The one way in which files are made beside or as a workspace: only their owner may read them, and no link is
/// followed, so that nobody
/// who may write to the folder can make this program write, or trust, a file elsewhere.
package enum PrivateFile {
    private static let mode: mode_t = 0o600

    /// Opens a file for reading and writing, and makes it when there is none. The caller closes the descriptor.
    ///
    /// - Throws: also when it is a link, has several names, or is no ordinary file.
    package static func open(_ path: String) throws(WorkspaceError) -> Int32 {
        let descriptor = openFile(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, errno) }
        try refuseOddFile(descriptor, path)
        return descriptor
    }

    /// The bytes of a file; nil when there is none.
    package static func contents(_ path: String) throws(WorkspaceError) -> [UInt8]? {
        let descriptor = openFile(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(path, errno)
        }
        defer { close(descriptor) }
        try refuseOddFile(descriptor, path)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let n = read(descriptor, &buffer, buffer.count)
            if n < 0, errno == EINTR { continue }
            guard n >= 0 else { throw failure(path, errno) }
            if n == 0 { return bytes }
            bytes += buffer[..<n]
        }
    }

    /// Makes a file with its whole content, or none: whoever sees it sees all of it.
    ///
    /// - Returns: false when there is one already, which is left as it is.
    package static func create(_ path: String, _ bytes: [UInt8] = []) throws(WorkspaceError) -> Bool {
        // Without content there is nothing that could be seen half.
        let target = bytes.isEmpty ? path : "\(path)-new-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let descriptor = openFile(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == EEXIST { return false }
            throw failure(path, errno)
        }
        if bytes.isEmpty {
            close(descriptor)
            return true
        }
        defer { unlink(target) }
        var written = 0
        while written < bytes.count {
            let n = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if n < 0, errno == EINTR { continue }
            guard n >= 0 else {
                let reason = errno
                close(descriptor)
                throw failure(path, reason)
            }
            written += n
        }
        let isStored = fsync(descriptor) == 0
        close(descriptor)
        guard isStored else { throw failure(path, EIO) }
        if link(target, path) == 0 { return true }
        if errno == EEXIST { return false }
        // Some file systems know no second name for a file.
        guard rename(target, path) == 0 else { throw failure(path, errno) }
        return true
    }

    /// Gives a file its name when it is whole and on the disk; one that is there is never replaced.
    package static func publish(_ part: String, as path: String) throws(WorkspaceError) {
        let descriptor = openFile(part, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(part, errno) }
        let isStored = fsync(descriptor) == 0
        close(descriptor)
        guard isStored else { throw failure(part, EIO) }
        guard link(part, path) == 0 else {
            if errno == EEXIST {
                throw WorkspaceError("there is a file \(path) already; nothing was changed", next: "name another file")
            }
            throw failure(path, errno)
        }
        unlink(part)
    }

    /// Puts a file in the place of what is there; whoever sees it sees all of it.
    package static func replace(_ path: String, _ bytes: [UInt8]) throws(WorkspaceError) {
        let part = "\(path)-new-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        guard try create(part, bytes) else { throw failure(path, EEXIST) }
        guard rename(part, path) == 0 else {
            let reason = errno
            unlink(part)
            throw failure(path, reason)
        }
    }

    /// Does `body` while no other program, and no other thread of this one, does the same for this file. Beside the
    /// file stands another, `-lock`, which nothing is written to.
    ///
    /// - Throws: what `body` throws, and `WorkspaceError` when the lock cannot be made.
    package static func exclusively<T>(for path: String, _ body: () throws -> T) throws -> T {
        let lock = try open(path + "-lock")
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            let reason = errno
            guard reason == EINTR else { throw failure(path + "-lock", reason) }
        }
        return try body()
    }

    /// Opens a file to write behind its end, and makes it when there is none.
    ///
    /// - Throws: also when it is a link, has several names, or is no ordinary file.
    package static func append(to path: String) throws(WorkspaceError) -> FileHandle {
        FileHandle(fileDescriptor: try open(path), closeOnDealloc: true)
    }

    /// Makes a folder, and those above it, for its owner only; folders that are there stay as they are.
    package static func makeFolder(_ path: String) throws(WorkspaceError) {
        var place = path.hasPrefix("/") ? "/" : ""
        for name in path.split(separator: "/") {
            place += (place.isEmpty || place == "/" ? "" : "/") + name
            var found = stat()
            if stat(place, &found) == 0, found.st_mode & S_IFMT == S_IFDIR { continue }
            if mkdir(place, 0o700) == 0 { continue }
            // Another program may have been first.
            let reason = errno
            if reason == EEXIST, stat(place, &found) == 0, found.st_mode & S_IFMT == S_IFDIR { continue }
            throw WorkspaceError(
                "the folder \(path) cannot be made: \(String(cString: strerror(reason)))",
                next: "check the path and its permissions")
        }
    }

    private static func openFile(_ path: String, _ flags: Int32) -> Int32 {
        #if canImport(Glibc)
            Glibc.open(path, flags, mode)
        #else
            Darwin.open(path, flags, mode)
        #endif
    }

    private static func refuseOddFile(_ descriptor: Int32, _ path: String) throws(WorkspaceError) {
        var found = stat()
        guard fstat(descriptor, &found) == 0, found.st_mode & S_IFMT == S_IFREG, found.st_nlink <= 1 else {
            close(descriptor)
            throw WorkspaceError(
                "\(path) is not a file of its own: it has several names, or is no ordinary file; nothing was changed",
                next: "look who made it, then remove it and run the command again")
        }
    }

    private static func failure(_ path: String, _ code: Int32) -> WorkspaceError {
        if code == ELOOP {
            return WorkspaceError(
                "\(path) is a link, which is not followed; nothing was changed",
                next: "look who made it, then remove it and run the command again")
        }
        return WorkspaceError(
            "the file \(path) cannot be opened: \(String(cString: strerror(code)))",
            next: "check that the folder exists and that you may write there")
    }
}
