#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The right to collect into a workspace: one program has it at a time, and loses it when it ends, however it ends.
package final class CollectorLock: Sendable {
    private let descriptor: Int32
    private let path: String

    /// Takes the lock of a workspace.
    ///
    /// - Returns: nil when another program has it.
    package static func take(workspace: String) throws(WorkspaceError) -> CollectorLock? {
        let path = workspace + "-collector"
        let descriptor = try PrivateFile.open(path)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        // Whoever finds the lock taken can say by whom.
        let owner = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = owner.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        return CollectorLock(descriptor: descriptor, path: path)
    }

    /// The process that has a workspace's lock, as far as it can be told.
    package static func owner(workspace: String) -> String? {
        guard let bytes = try? PrivateFile.contents(workspace + "-collector") else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first.map(String.init)
    }

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }
}
