import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file's bytes, read where the system's cache has them: a file of any size costs no memory of the program's own.
final class MappedFile {
    let bytes: UnsafeBufferPointer<UInt8>

    fileprivate init(descriptor: Int32, size: Int) throws(OperatorError) {
        guard size > 0 else {
            bytes = UnsafeBufferPointer(start: nil, count: 0)
            return
        }
        guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw OperatorError(
                "a file cannot be read", got: String(cString: strerror(errno)), safe: "nothing was changed",
                next: "check the disk")
        }
        bytes = UnsafeBufferPointer(start: base.assumingMemoryBound(to: UInt8.self), count: size)
    }

    /// Opens a file; what is no file on a disk, such as a pipe, is copied first.
    convenience init(reading file: String, spool: String) throws(OperatorError) {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = errno
            if reason == ENOENT {
                throw OperatorError("there is no file \(file)", next: "check the path", isConfiguration: true)
            }
            throw OperatorError(
                "the file \(file) cannot be read", got: String(cString: strerror(reason)),
                next: "check its permissions", isConfiguration: true)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw OperatorError(
                "the file \(file) cannot be read", got: String(cString: strerror(errno)), next: "check the disk")
        }
        if status.st_mode & S_IFMT == S_IFREG {
            try self.init(descriptor: descriptor, size: Int(status.st_size))
            return
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            throw OperatorError(
                "\(file) is a folder", next: "name a file, or import the folder as a whole", isConfiguration: true)
        }
        let copy = try SpoolFile(in: spool)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw OperatorError(
                    "the file \(file) cannot be read", got: String(cString: strerror(errno)), next: "run it again")
            }
            if count == 0 { break }
            try buffer.withUnsafeBufferPointer { all throws(OperatorError) in
                try copy.write(UnsafeBufferPointer(rebasing: all[..<count]))
            }
        }
        try self.init(descriptor: copy.descriptor, size: copy.size)
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    }
}

/// A file without a name, which is gone when nobody looks at it any more.
final class SpoolFile {
    fileprivate let descriptor: Int32
    fileprivate private(set) var size = 0
    private let folder: String

    init(in folder: String) throws(OperatorError) {
        self.folder = folder.isEmpty ? "." : folder
        var path = Array("\(self.folder)/.vestige-import-XXXXXX".utf8CString)
        descriptor = mkstemp(&path)
        guard descriptor >= 0 else {
            throw OperatorError(
                "the file cannot be unpacked", tried: "making a file in \(self.folder)",
                got: String(cString: strerror(errno)), safe: "nothing was changed",
                next: "check that you may write there")
        }
        unlink(path)
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(OperatorError) {
        var at = 0
        while at < bytes.count, let base = bytes.baseAddress {
            #if canImport(Glibc)
                let count = Glibc.write(descriptor, base + at, bytes.count - at)
            #else
                let count = Darwin.write(descriptor, base + at, bytes.count - at)
            #endif
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw OperatorError(
                    "the file cannot be unpacked", tried: "writing in \(folder)",
                    got: String(cString: strerror(errno)), safe: "nothing was changed",
                    next: "free space on that disk, then run the command again")
            }
            at += count
        }
        size += bytes.count
    }

    func mapped() throws(OperatorError) -> MappedFile { try MappedFile(descriptor: descriptor, size: size) }
}
