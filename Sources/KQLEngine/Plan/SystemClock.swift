import Tables

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The machine's wall clock.
package enum SystemClock {
    /// Ticks since 0001-01-01, UTC.
    package static func now() -> Int64 {
        var t = timespec()
        clock_gettime(CLOCK_REALTIME, &t)
        return DateTime.unixEpoch + Int64(t.tv_sec) * DateTime.ticksPerSecond + Int64(t.tv_nsec) / 100
    }
}
