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

    /// What is told where no thread can be had.
    package static let noThread =
        "the system makes no further thread: its limit of threads or of memory is reached; ask again in a few seconds"

    /// Runs `body` on such a thread, and waits for it; at once when the caller is on one.
    ///
    /// - Parameter withoutThread: gives or throws what is told where the system makes no further thread.
    package static func run<T, E: Error>(
        _ body: () throws(E) -> T, withoutThread: () throws(E) -> T
    ) throws(E) -> T {
        if vestige_is_deep() != 0 { return try body() }
        var result: Result<T, E>?
        withoutActuallyEscaping({ result = Result(catching: body) }) { work in
            // The caller waits until the work is done, so nothing of its own is touched by two.
            nonisolated(unsafe) let work = work
            start { work() }?.wait()
        }
        guard let result else { return try withoutThread() }
        return try result.get()
    }

    /// Runs `body` on such a thread without waiting.
    ///
    /// - Returns: nil where the system makes no further thread; `body` does not run then.
    @discardableResult
    package static func start(_ body: @escaping @Sendable () -> Void) -> DeepWork? {
        (threads ?? DeepThreads.shared).start(body)
    }

    /// Other threads than the program's, for tests.
    @TaskLocal static var threads: DeepThreads?
}

/// Work under way on another thread.
package struct DeepWork: Sendable {
    fileprivate let done: DispatchSemaphore

    /// Waits until the work is done. To be called once.
    package func wait() { done.wait() }
}

/// The threads, kept for the next query while there are not too many.
final class DeepThreads: Sendable {
    static let shared = DeepThreads()

    /// Sizes of a stack that are tried: where addresses are short, a smaller one is better than none.
    private let stackSizes: [Int]
    private let idle: Mutex<[DeepThread]> = Mutex([])
    private static let idleCountMax = 16

    init(stackSizes: [Int] = [DeepStack.byteCount, DeepStack.byteCount / 4]) { self.stackSizes = stackSizes }

    /// - Returns: nil where the system makes no further thread.
    func start(_ body: @escaping @Sendable () -> Void) -> DeepWork? {
        guard let thread = idle.withLock({ $0.popLast() }) ?? DeepThread.make(stackSizes) else { return nil }
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

    /// - Returns: nil when the system makes none, whatever the size of its stack.
    static func make(_ stackSizes: [Int]) -> DeepThread? {
        let thread = DeepThread()
        let own = Unmanaged.passRetained(thread)
        for size in stackSizes where start(own.toOpaque(), stackSize: size) { return thread }
        own.release()
        return nil
    }

    private static func start(_ own: UnsafeMutableRawPointer, stackSize: Int) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        // A size that the system does not take would leave its own, which is too small for deep trees.
        guard pthread_attr_setstacksize(&attributes, stackSize) == 0 else { return false }
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
