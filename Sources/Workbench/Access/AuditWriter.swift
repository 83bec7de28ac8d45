import NIOPosix
import Pipeline
import ServiceLifecycle
import Synchronization

/// Writes the audit in batches. Whoever asks something never waits for the disk; when the server is asked to end, what
/// is left is written before it does.
package final class AuditWriter: Service {
    private let file: AuditFile
    private let warn: @Sendable (OperatorError) -> Void
    private let isEnding = Atomic(false)
    private let hasEnded = Atomic(false)
    private let turn = Mutex(())
    private let waiting = Mutex<[AuditEntry]>([])
    private let wake = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    /// Entries that are held while the file cannot be written; beyond, nothing is answered that would not be told of.
    private static let waitingMax = 20_000
    private static let pause = Duration.seconds(2)

    package init(_ file: AuditFile, warn: @escaping @Sendable (OperatorError) -> Void) {
        self.file = file
        self.warn = warn
    }

    /// Whether so much waits that nothing more may be asked.
    var isFull: Bool { waiting.withLock { $0.count >= Self.waitingMax } }

    func record(_ entries: [AuditEntry]) {
        guard !entries.isEmpty else { return }
        waiting.withLock { $0 += entries }
        wake.continuation.yield()
    }

    /// Writes what waits until the server ends, and then the rest. It stands first among the services, so that it ends
    /// last.
    package func run() async throws {
        await withGracefulShutdownHandler {
            for await _ in wake.stream {
                while await !flush(), !isEnding.load(ordering: .relaxed) { try? await Task.sleep(for: Self.pause) }
            }
        } onGracefulShutdown: {
            self.isEnding.store(true, ordering: .relaxed)
            self.wake.continuation.finish()
        }
        // Whoever was cancelled gets no thread of the pool; there is nobody left who waits.
        writeEnd()
    }

    /// Writes what waits, and that the server ends: once, whoever comes first of the service's own end and of what ends
    /// the program because that takes too long.
    func writeEnd() {
        if !hasEnded.exchange(true, ordering: .relaxed) {
            var end = AuditEntry(.audit, .success)
            (end.resource, end.reason) = ("serve", "the server ends")
            waiting.withLock { $0.append(end) }
        }
        // A disk that is full now gets another chance, and no more: the server has to end.
        for _ in 0..<3 where writeWaiting() { return }
    }

    /// - Returns: whether nothing waits any more.
    private func flush() async -> Bool {
        if Task.isCancelled { return writeWaiting() }
        do { return try await NIOThreadPool.singleton.runIfActive { [self] in writeWaiting() } } catch {
            return writeWaiting()
        }
    }

    /// Writes what waits now. Whoever comes meanwhile waits until what the first one took is written, so that nobody
    /// ends the program in between.
    ///
    /// - Returns: whether nothing waits any more.
    private func writeWaiting() -> Bool {
        turn.withLock { _ in
            let entries = waiting.withLock { entries in
                defer { entries = [] }
                return entries
            }
            guard !entries.isEmpty else { return true }
            do {
                try file.append(entries)
                return true
            } catch {
                waiting.withLock { $0 = entries + $0 }
                warn(OperatorError(error, title: "the audit cannot be written"))
                return false
            }
        }
    }
}
