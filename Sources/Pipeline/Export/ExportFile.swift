import Foundation
import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that has its name only when it is whole.
final class ExportFile {
    private let descriptor: Int32
    private let temporary: String
    private let target: String
    private let packs: Bool
    private var isFinished = false
    /// Written so far, as they are on the disk.
    private(set) var bytes = 0

    static func path(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    static func problem(_ path: String, _ got: String) -> OperatorError {
        OperatorError(
            "the export stopped", tried: "writing \(path)", got: got,
            safe: "the workspace is as it was, and no file is half written",
            next: "free space on that disk, or check the folder's permissions")
    }

    /// - Parameter packs: whether the bytes are packed with gzip, each call's in a member of its own.
    init(folder: String, name: String, packs: Bool) throws(OperatorError) {
        target = Self.path(folder, name)
        temporary = Self.path(folder, ".\(name).\(getpid()).part")
        self.packs = packs
        unlink(temporary)
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.problem(target, String(cString: strerror(errno))) }
    }

    deinit {
        close(descriptor)
        if !isFinished { unlink(temporary) }
    }

    func write(_ plain: [UInt8]) throws(OperatorError) {
        if plain.isEmpty { return }
        var out = plain
        if packs {
            guard let packed = Deflate.compress(plain) else {
                throw Self.problem(target, "there is no memory to pack it")
            }
            out = packed
        }
        var at = 0
        while at < out.count {
            let count = out.withUnsafeBytes { buffer in
                #if canImport(Glibc)
                    Glibc.write(descriptor, buffer.baseAddress.map { $0 + at }, buffer.count - at)
                #else
                    Darwin.write(descriptor, buffer.baseAddress.map { $0 + at }, buffer.count - at)
                #endif
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.problem(target, String(cString: strerror(errno))) }
            at += count
        }
        bytes += out.count
    }

    /// Waits until the disk has the file, and gives it its name.
    func finish() throws(OperatorError) {
        if packs, bytes == 0 {
            // A packed file of nothing has a header all the same.
            try write([10])
        }
        guard fsync(descriptor) == 0, rename(temporary, target) == 0 else {
            throw Self.problem(target, String(cString: strerror(errno)))
        }
        isFinished = true
    }
}
