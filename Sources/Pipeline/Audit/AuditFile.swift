import Foundation
import Tables
import Workspace

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The file in which it stands who asked what: lines of JSON that only grow, each with the hash of the one before it
/// and of itself, so that a line that is changed, left out or put in shows (docs/adr/0029).
package struct AuditFile: Sendable {
    package let path: String
    /// Lines are shorter by far; the end of a file is looked for in so many bytes.
    private static let tailBytes = 256 * 1_024
    private let bytesMax: Int

    /// - Parameter bytesMax: from which size on the file is put aside.
    package init(_ path: String, bytesMax: Int = AuditFile.partBytesMax) {
        self.path = path
        self.bytesMax = bytesMax
    }

    /// Writes entries behind those that are there, and returns when they are on the disk. Programs that write to one
    /// file take turns.
    ///
    /// A last line without its end, left behind by a machine that lost its power, is taken out and stands as the reason
    /// of an entry of its own.
    package func append(_ entries: [AuditEntry]) throws(OperatorError) {
        guard !entries.isEmpty else { return }
        let descriptor = try lockedFile()
        defer { close(descriptor) }
        var (head, torn, length) = try head(of: descriptor)
        if let torn {
            length -= torn.count
            guard ftruncate(descriptor, off_t(length)) == 0 else { throw failure("its torn end stays", errno) }
        }
        var all = entries
        if let torn {
            var entry = AuditEntry(.audit, .failure)
            entry.resource = path
            entry.reason = "the last line had no end: " + String(decoding: torn, as: UTF8.self)
            all.insert(entry, at: 0)
        }
        var bytes: [UInt8] = []
        for entry in all {
            let line = AuditLine(entry, after: head)
            bytes += line.bytes
            head = line.head
        }
        try write(bytes, to: descriptor, at: length)
        if length + bytes.count >= bytesMax { putAside(last: head.sequence) }
    }

    /// The file, open and this program's alone until it is closed.
    private func lockedFile() throws(OperatorError) -> Int32 {
        while true {
            let descriptor: Int32
            do { descriptor = try PrivateFile.open(path) } catch { throw Self.failure(error) }
            while flock(descriptor, LOCK_EX) != 0 {
                let reason = errno
                if reason == EINTR { continue }
                close(descriptor)
                throw failure("locking it failed", reason)
            }
            guard wasPutAside(descriptor) else { return descriptor }
            close(descriptor)
        }
    }

    /// Where the chain stands.
    package struct Head: Sendable, Equatable {
        package var sequence: Int64
        package var hash: String
        package static let origin = Head(sequence: 0, hash: AuditHash.origin)

        package init(sequence: Int64, hash: String) {
            self.sequence = sequence
            self.hash = hash
        }
    }

    /// The last whole line's number and hash, bytes behind it that are no whole line, and the file's length.
    private func head(of descriptor: Int32) throws(OperatorError) -> (Head, torn: [UInt8]?, length: Int) {
        var found = stat()
        guard fstat(descriptor, &found) == 0 else { throw failure("it cannot be read", errno) }
        let length = Int(found.st_size)
        guard length > 0 else { return (try headAside(), nil, 0) }
        var tail = [UInt8](repeating: 0, count: min(length, Self.tailBytes))
        let start = length - tail.count
        var filled = 0
        while filled < tail.count {
            let count = tail.count - filled
            let n = tail[filled...].withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress, count, off_t(start + filled))
            }
            if n < 0, errno == EINTR { continue }
            guard n > 0 else { throw failure("it cannot be read", errno) }
            filled += n
        }
        let newline = UInt8(ascii: "\n")
        guard let end = tail.lastIndex(of: newline) else {
            if start == 0 { return (try headAside(), tail, length) }
            throw OperatorError(
                "the audit file \(path) is not one", got: "its last line is longer than any that is written here",
                safe: "nothing was written", next: "name another file with 'server.audit'")
        }
        let torn = end + 1 < tail.count ? Array(tail[(end + 1)...]) : nil
        let begin = tail[..<end].lastIndex(of: newline).map { $0 + 1 } ?? 0
        guard let line = AuditLine(parsing: tail[begin..<end]) else {
            throw OperatorError(
                "the audit file \(path) cannot be written on",
                got: "its last line is no entry, or its hash is not its own",
                means: "somebody changed it, or it is another file", safe: "nothing was written",
                next: "see what it holds with: vestige audit verify \(path); then move it away, and a new one begins")
        }
        return (line.head, torn, length)
    }

    /// Where the chain stands at the end of the file that was put aside last.
    private func headAside() throws(OperatorError) -> Head {
        guard let (part, _) = aside.last else { return .origin }
        let descriptor = open(part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw failure("\(part) cannot be read", errno) }
        defer { close(descriptor) }
        let (head, torn, _) = try head(of: descriptor)
        guard torn == nil, head != .origin else {
            throw OperatorError(
                "the audit file \(path) cannot be written on", got: "\(part), which it follows, is not whole",
                means: "somebody changed it, or it is another file", safe: "nothing was written",
                next: "see what it holds with: vestige audit verify \(path); then move both away, and a new one begins")
        }
        return head
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int) throws(OperatorError) {
        var written = 0
        while written < bytes.count {
            let n = bytes[written...].withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset + written))
            }
            if n < 0, errno == EINTR { continue }
            guard n > 0 else {
                let reason = errno
                // What was written of these lines is taken back: the next try writes them all.
                _ = ftruncate(descriptor, off_t(offset))
                throw failure("it cannot be written", reason)
            }
            written += n
        }
        guard fsync(descriptor) == 0 else {
            let reason = errno
            _ = ftruncate(descriptor, off_t(offset))
            throw failure("it cannot be stored", reason)
        }
    }

    private func failure(_ what: String, _ code: Int32) -> OperatorError {
        OperatorError(
            "the audit file \(path) cannot be used", got: "\(what): \(String(cString: strerror(code)))",
            means: "who asks what cannot be written down", safe: "entries wait, and are written when that is possible",
            next: "free space on that disk, or correct its permissions")
    }

    private static func failure(_ error: WorkspaceError) -> OperatorError {
        OperatorError(
            error, title: "the audit file cannot be used", safe: "entries wait, and are written when that is possible")
    }
}

/// One line of the file.
package struct AuditLine: Sendable {
    /// With the line's end.
    package let bytes: [UInt8]
    package let head: AuditFile.Head
    package let previous: String
    package let members: JSON

    private static let mark = Array(",\"Hash\":\"".utf8)
    private static let end = Array("\"}".utf8)

    init(_ entry: AuditEntry, after head: AuditFile.Head) {
        let members = JSON.object(entry.members(sequence: head.sequence + 1, previous: head.hash))
        var bytes = members.bytes
        bytes.removeLast()
        let hash = AuditHash.of(bytes)
        self.head = AuditFile.Head(sequence: head.sequence + 1, hash: hash)
        self.members = members
        previous = head.hash
        self.bytes = bytes + Self.mark + Array(hash.utf8) + Self.end + [UInt8(ascii: "\n")]
    }

    /// A line without its end; nil when it is no entry, or its hash is not its own.
    package init?(parsing line: some Collection<UInt8>) {
        let line = Array(line)
        let tail = Self.mark.count + 64 + Self.end.count
        guard line.count > tail, line.suffix(2).elementsEqual(Self.end) else { return nil }
        let body = line[..<(line.count - tail)]
        guard line[body.endIndex...].starts(with: Self.mark) else { return nil }
        let hash = String(decoding: line[(body.endIndex + Self.mark.count)..<(line.count - 2)], as: UTF8.self)
        guard AuditHash.of(body) == hash, let members = try? JSON(parsing: line),
            let sequence = members["Sequence"]?.integer,
            let previous = members["PreviousHash"]?.string
        else { return nil }
        bytes = line + [UInt8(ascii: "\n")]
        head = AuditFile.Head(sequence: sequence, hash: hash)
        self.previous = previous
        self.members = members
    }
}
