import Foundation
import KQL
import Synchronization
import Tables

/// Work that is shared out among the machine's cores.
enum Workers {
    /// The machine's cores, as far as one query makes use of them.
    static let coreCount = max(1, min(ProcessInfo.processInfo.activeProcessorCount, 16))

    /// Runs `body` once for each number below `count`, at the same time; the first error is thrown.
    static func each(_ count: Int, _ body: (Int) throws -> Void) throws {
        if count <= 1 {
            for i in 0..<count { try body(i) }
            return
        }
        let failure = FirstFailure()
        let run = QueryRun.current
        withoutActuallyEscaping(body) { body in
            // Each number's work touches state of its own, and this call outlives all of it.
            nonisolated(unsafe) let work = body
            @Sendable func one(_ i: Int) {
                if failure.error != nil { return }
                do { try work(i) } catch { failure.note(error) }
            }
            // On threads whose stacks are as deep as the caller's, and as the same query's work.
            var left: [Int] = []
            let others = (1..<count).compactMap { i in
                let work = DeepStack.start { if let run { run.enter { one(i) } } else { one(i) } }
                if work == nil { left.append(i) }
                return work
            }
            one(0)
            // What no thread could be had for is done here, one after the other.
            for i in left { one(i) }
            for other in others { other.wait() }
        }
        if let error = failure.error { throw error }
    }
}

private final class FirstFailure: Sendable {
    private let state: Mutex<(any Error)?> = Mutex(nil)

    var error: (any Error)? { state.withLock { $0 } }

    func note(_ error: any Error) { state.withLock { $0 = $0 ?? error } }
}

/// Batches of several tables, handed out one at a time to whoever asks.
final class SharedScan {
    private let lock = NSLock()
    private var scans: [() throws -> BatchIterator]
    private var current: BatchIterator?
    private var branch = -1

    /// - Parameter scans: opens the scan of each branch when its turn comes.
    init(_ scans: [() throws -> BatchIterator]) { self.scans = scans }

    /// The next batch and the number of its branch; nil at the end.
    func next() throws -> (branch: Int, batch: Batch)? {
        try lock.withLock {
            while true {
                if let batch = try current?() { return (branch, batch) }
                guard branch + 1 < scans.count else { return nil }
                branch += 1
                current = try scans[branch]()
            }
        }
    }
}

extension Executor {
    /// The branches of a plan when it is worth working on them together.
    func parallelBranches(_ plan: Plan) throws -> [StreamBranch]? {
        guard workerCount > 1, let branches = StreamBranch.of(plan) else { return nil }
        var rows = 0
        for branch in branches { rows += try context.provider.rowCount(ofTable: branch.table) }
        return rows >= context.options.parallelRowsMin ? branches : nil
    }

    var workerCount: Int { context.options.workerCountMax }

    func sharedScan(_ branches: [StreamBranch]) -> SharedScan {
        SharedScan(
            branches.map { branch in
                { [self] in
                    try scan(branch.table, branch.schema, predicates(of: branch), ignoresRange: branch.ignoresRange)
                }
            })
    }

    /// An executor for another thread: it knows the values of subqueries computed so far.
    func forked() -> Executor { Executor(context.forked()) }
}
