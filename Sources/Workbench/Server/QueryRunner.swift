import Hummingbird
import KQLEngine
import NIOCore
import NIOPosix
import Synchronization

/// Runs queries on threads of their own, so that pages and probes are answered while a long one works,
/// and stops them when nobody waits for the answer any more.
struct QueryRunner: Sendable {
    /// Queries that run at once; more wait.
    private static let threads = NIOThreadPool(numberOfThreads: max(2, System.coreCount))
    private static let started: Void = threads.start()

    /// Runs `body` on a query thread; it asks its argument from time to time whether to stop.
    static func run<T: Sendable>(_ body: @escaping @Sendable (@escaping @Sendable () -> Bool) throws -> T) async throws
        -> T
    {
        _ = started
        let flag = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await threads.runIfActive {
                if flag.isSet { throw QueryError.cancelled }
                return try body { flag.isSet }
            }
        } onCancel: {
            flag.set()
        }
    }
}

private final class CancellationFlag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .relaxed) }

    func set() { value.store(true, ordering: .relaxed) }
}
