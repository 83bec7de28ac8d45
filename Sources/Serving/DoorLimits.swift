#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a client may take of a server: time, connections and memory.
///
/// The times are generous for people and programs on the same machine or behind a tunnel, and short for those who
/// only want to hold a connection.
package struct DoorLimits: Sendable {
    /// Seconds from a request's first byte to the end of its head.
    package var headSeconds = 10.0
    /// Seconds that a body may take whatever its size, and that may pass without any of it; beyond,
    /// `bodyBytesPerSecond` must have come on average.
    package var bodySeconds = 10.0
    package var bodyBytesPerSecond = 16 << 10
    /// Seconds that a connection may wait between requests, or before its first.
    package var idleSeconds = 30.0
    /// Seconds for which a client may leave an answer unread.
    package var unreadSeconds = 30.0
    /// Bytes of a head, with its address.
    package var headBytesMax = 80 << 10
    package var headerCountMax = 200
    /// Bytes of one body; routes have smaller limits of their own.
    package var bodyBytesMax = 16 << 20
    /// Bytes of bodies, of all connections together, that are held at once.
    package var bodyBytesHeldMax = 64 << 20
    /// Connections at once, where the process may open so many files.
    package var connectionsMax = 512

    package init() {}

    /// For servers that stand in for services which take large bodies and hold answers back.
    package static let wide: DoorLimits = {
        var limits = DoorLimits()
        limits.headSeconds = 30
        limits.bodySeconds = 60
        limits.idleSeconds = 120
        limits.unreadSeconds = 120
        limits.bodyBytesMax = 1 << 30
        limits.bodyBytesHeldMax = 4 << 30
        limits.connectionsMax = 4_096
        return limits
    }()

    /// Files that the rest of the program opens while it answers: the workspace's readers, and files of queries.
    private static let filesOfOthers = 24
    private static let connectionsLeast = 4

    /// Connections that fit beside the files that the process has open and may still need.
    ///
    /// A server that runs out of them can neither accept nor refuse: it spins on a connection that it cannot take.
    var connectionsThatFit: Int {
        var limit = rlimit()
        #if canImport(Glibc)
            guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return connectionsMax }
        #else
            guard getrlimit(RLIMIT_NOFILE, &limit) == 0 else { return connectionsMax }
        #endif
        let files = limit.rlim_cur > 1 << 20 ? 1 << 20 : Int(limit.rlim_cur)
        return min(connectionsMax, max(Self.connectionsLeast, files - Self.filesOpen(of: files) - Self.filesOfOthers))
    }

    private static func filesOpen(of files: Int) -> Int {
        (0..<Int32(min(files, 1_024))).reduce(0) { $0 + (fcntl($1, F_GETFD) >= 0 ? 1 : 0) }
    }

    /// Lets the process open as many files as its owner allows: the limit that it starts with is often a quarter of
    /// that.
    package static func raiseFileLimit() {
        #if canImport(Glibc)
            var limit = rlimit()
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
            limit.rlim_cur = min(limit.rlim_max, 1 << 16)
            _ = setrlimit(files, &limit)
        #endif
    }
}
