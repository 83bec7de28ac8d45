import Foundation
import Tables
import Workspace

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that is full is put aside under the number of its last entry, and the chain goes on in a new one: the files
/// of a chain are its parts.
extension AuditFile {
    /// Bytes at which a file is put aside: some hundred thousand entries.
    package static let partBytesMax = 64 << 20
    private static let digits = 12

    /// The files that were put aside, oldest first, each with the number of its last entry.
    var aside: [(path: String, last: Int64)] {
        let folder = (path as NSString).deletingLastPathComponent
        let prefix = (path as NSString).lastPathComponent + "."
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        return names.compactMap { name -> (String, Int64)? in
            guard name.hasPrefix(prefix), let last = Self.number(name.dropFirst(prefix.count)) else { return nil }
            return (folder.isEmpty ? name : (folder as NSString).appendingPathComponent(name), last)
        }.sorted { $0.1 < $1.1 }
    }

    /// Whether the path is one that was put aside, and is read by itself: what stands before it is not here.
    var isAside: Bool {
        guard let dot = path.lastIndex(of: ".") else { return false }
        return Self.number(path[path.index(after: dot)...]) != nil
    }

    private static func number(_ text: Substring) -> Int64? {
        guard text.utf8.count == digits, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }

    /// The parts that hold entries behind one, oldest first: the last is the file that is written, if there is one.
    func parts(after sequence: Int64) -> [String] {
        let full = aside.filter { $0.last > sequence }.map(\.path)
        return FileManager.default.fileExists(atPath: path) ? full + [path] : full
    }

    /// Whether there is anything: a file, or one that was put aside.
    package var exists: Bool { !parts(after: 0).isEmpty }

    /// Puts a full file aside; whoever writes next makes a new one. A file that cannot be moved is written on.
    ///
    /// - Parameter last: the number of its last entry.
    func putAside(last: Int64) {
        let number = String(last)
        let target = path + "." + String(repeating: "0", count: max(0, Self.digits - number.utf8.count)) + number
        var found = stat()
        guard lstat(target, &found) != 0, errno == ENOENT else { return }
        _ = rename(path, target)
    }

    /// Whether an open file is no longer the one at the path: another program put it aside meanwhile.
    func wasPutAside(_ descriptor: Int32) -> Bool {
        var (open, named) = (stat(), stat())
        guard fstat(descriptor, &open) == 0 else { return false }
        return lstat(path, &named) != 0 || open.st_ino != named.st_ino || open.st_dev != named.st_dev
    }

    /// The number of a file's first entry; nil when it has none.
    func firstSequence(of part: String) throws(OperatorError) -> Int64? {
        guard let (bytes, isWhole) = try AuditLines(path: part).next(), isWhole else { return nil }
        return AuditLine(parsing: bytes)?.head.sequence
    }
}
