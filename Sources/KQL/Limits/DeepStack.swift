import CQueryGuard
import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Runs work on a thread whose stack holds the deepest tree that a query may be.
///
/// Binding, running and releasing a tree takes a few frames a level. How deep a tree may be is counted before anybody
/// walks it (`QuerySize`); what is allowed fits this stack, wherever the work was asked for.
package enum DeepStack {
    /// Bytes of a stack. Only what is touched is taken from the machine.
    static let byteCount = 256 << 20

    /// Runs `body` on such a thread, and waits for it; at once when the caller is on one.
    package static func run<T, E: Error>(_ body: () throws(E) -> T) throws(E) -> T {
        if vestige_is_deep() != 0 { return try body() }
        var result: Result<T, E>?
        withoutActuallyEscaping({ result = Result(catching: body) }) { work in
            // The caller waits until the work is done, so nothing of its own is touched by two.
            nonisolated(unsafe) let work = work
            DeepThreads.shared.start { work() }.wait()
        }
        guard let result else { preconditionFailure("the work did not run") }
        return try result.get()
    }

    /// Runs `body` on such a thread without waiting.
    @discardableResult
    package static func start(_ body: @escaping @Sendable () -> Void) -> DeepWork { DeepThreads.shared.start(body) }
}

/// Work under way on another thread.
package struct DeepWork: Sendable {
    fileprivate let done: DispatchSemaphore

    /// Waits until the work is done. To be called once.
    package func wait() { done.wait() }
}

/// The threads, kept for the next query while there are not too many.
private final class DeepThreads: Sendable {
    static let shared = DeepThreads()

    private let idle: Mutex<[DeepThread]> = Mutex([])
    private static let idleCountMax = 16

    func start(_ body: @escaping @Sendable () -> Void) -> DeepWork {
        let thread = idle.withLock { $0.popLast() } ?? DeepThread()
        let (stop, run) = (vestige_get_stop(), UInt(bitPattern: vestige_get_run()))
        let stopBits = UInt(bitPattern: stop)
        return thread.run {
            vestige_set_stop(UnsafePointer(bitPattern: stopBits))
            vestige_set_run(UnsafeMutableRawPointer(bitPattern: run))
            body()
            vestige_set_stop(nil)
            vestige_set_run(nil)
        } then: { [self] in
            // A thread that had to give way to others cannot be made equal to them again.
            if thread.isSlow { return false }
            return idle.withLock {
                if $0.count >= Self.idleCountMax { return false }
                $0.append(thread)
                return true
            }
        }
    }
}

/// One thread, which does one piece of work after another.
private final class DeepThread: Sendable {
    private struct Job {
        let body: @Sendable () -> Void
        /// Whether the thread is kept.
        let then: @Sendable () -> Bool
        let done: DispatchSemaphore
    }

    private let job: Mutex<Job?> = Mutex(nil)
    private let wake = DispatchSemaphore(value: 0)
    /// Whether it was told to give way to others.
    var isSlow: Bool { vestige_gives_way() != 0 }

    init() {
        let own = Unmanaged.passRetained(self)
        // Where addresses are short, a smaller stack is better than none.
        for size in [DeepStack.byteCount, DeepStack.byteCount / 4] where Self.make(own.toOpaque(), stackSize: size) {
            return
        }
        preconditionFailure("no thread can be made: the system's limit of threads or memory is reached")
    }

    private static func make(_ own: UnsafeMutableRawPointer, stackSize: Int) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackSize)
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        return pthread_create(&thread, &attributes, { deepThreadMain($0) }, own) == 0
    }

    func run(_ body: @escaping @Sendable () -> Void, then: @escaping @Sendable () -> Bool) -> DeepWork {
        let done = DispatchSemaphore(value: 0)
        job.withLock { $0 = Job(body: body, then: then, done: done) }
        wake.signal()
        return DeepWork(done: done)
    }

    fileprivate func loop() {
        vestige_set_deep(1)
        vestige_prepare_fault_stack()
        var isKept = true
        while isKept {
            wake.wait()
            guard let (done, then) = work() else { preconditionFailure("a thread was woken without work") }
            isKept = then()
            done.signal()
        }
    }

    /// Does the job and lets go of it: what it holds may live only as long as whoever waits.
    private func work() -> (DispatchSemaphore, @Sendable () -> Bool)? {
        guard
            let job = job.withLock({ job in
                defer { job = nil }
                return job
            })
        else { return nil }
        job.body()
        return (job.done, job.then)
    }
}

private func deepThreadMain(_ own: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let own else { preconditionFailure("a thread without its object") }
    Unmanaged<DeepThread>.fromOpaque(own).takeRetainedValue().loop()
    return nil
}
