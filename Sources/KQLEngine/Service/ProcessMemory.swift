import CQueryGuard
import Foundation
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How much memory the process holds, and how much it may.
package enum ProcessMemory {
    /// Bytes that all queries together may make the process hold: three fifths of what the machine, the control group
    /// or the limit of addresses allows, unless set.
    package static var limit: Int {
        let set = setLimit.load(ordering: .relaxed)
        return set > 0 ? set : automatic
    }

    /// Sets the limit; 0 for the machine's.
    package static func setLimit(_ bytes: Int) { setLimit.store(bytes, ordering: .relaxed) }

    private static let setLimit = Atomic<Int>(0)
    private static let automatic = allowed() / 5 * 3

    /// What the system allows the process.
    ///
    /// Sources of the files: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files and
    /// https://docs.kernel.org/admin-guide/cgroup-v1/memory.html.
    private static func allowed() -> Int {
        var least = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        for bytes in [controlGroup(), addressLimit] { if let bytes, bytes > 0 { least = min(least, bytes) } }
        return least
    }

    /// The limit of addresses (`ulimit -v`).
    static let addressLimit: Int? = {
        var limit = rlimit()
        #if canImport(Glibc)
            guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return nil }
        #else
            guard getrlimit(RLIMIT_AS, &limit) == 0 else { return nil }
        #endif
        return limit.rlim_cur > UInt64(Int.max / 2) ? nil : Int(limit.rlim_cur)
    }()

    private static func controlGroup() -> Int? {
        func number(_ path: String) -> Int? {
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
            return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        var found: [Int] = []
        guard let groups = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8) else { return nil }
        for line in groups.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let (root, file) =
                parts[1].isEmpty
                ? ("/sys/fs/cgroup", "memory.max") : ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            guard parts[1].isEmpty || parts[1].split(separator: ",").contains("memory") else { continue }
            // Each group on the way may have a limit of its own; within a container the path starts elsewhere.
            var path = String(parts[2])
            while true {
                if let bytes = number(root + (path == "/" ? "" : path) + "/" + file) { found.append(bytes) }
                if path.isEmpty || path == "/" { break }
                path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            }
        }
        return found.filter { $0 > 0 && $0 < Int.max / 2 }.min()
    }

    private static let statistics: CInt = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    private static let pageSize = Int(sysconf(CInt(_SC_PAGESIZE)))

    /// Bytes in memory; 0 where the system does not tell.
    static func residentBytes() -> Int { usage().resident }

    /// Bytes of addresses in use and of memory; 0 where the system does not tell.
    static func usage() -> (addresses: Int, resident: Int) {
        guard statistics >= 0 else { return (0, 0) }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 128) { buffer in
            let n = pread(statistics, buffer.baseAddress, buffer.count, 0)
            guard n > 0 else { return (0, 0) }
            var numbers = [0, 0, 0]
            var field = 0
            for byte in buffer[..<n] where field < 3 {
                if byte == 32 {
                    field += 1
                } else if (48...57).contains(byte) {
                    numbers[field] = numbers[field] &* 10 &+ Int(byte - 48)
                }
            }
            // What files in memory take is the system's to take back.
            return (numbers[0] &* pageSize, max(0, numbers[1] &- numbers[2]) &* pageSize)
        }
    }
}
