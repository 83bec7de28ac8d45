import KQL
import Tables

extension Executor {
    /// Batches of filtered, projected or expanded rows, some at a time on all cores, in the order of the table;
    /// nil when the plan is better worked on by one.
    func parallelStream(_ plan: Plan) throws -> BatchIterator? {
        guard let branches = try parallelBranches(plan), branches.contains(where: \.isSelective) else { return nil }
        let expressions = branches.flatMap(\.expressions)
        try prepareSubqueries(expressions)
        let source = sharedScan(branches)
        let workers = workerCount
        let executors = (0..<workers).map { _ in forked() }
        var ready: [Batch] = []
        var at = 0
        var isDone = false
        return {
            while true {
                if at < ready.count {
                    at += 1
                    return ready[at - 1]
                }
                if isDone { return nil }
                var raw: [(branch: Int, batch: Batch)] = []
                while raw.count < workers * 2, let one = try source.next() { raw.append(one) }
                isDone = raw.count < workers * 2
                var results = [Batch?](repeating: nil, count: raw.count)
                try results.withUnsafeMutableBufferPointer { results in
                    nonisolated(unsafe) let results = results
                    try Workers.each(min(workers, raw.count)) { w in
                        for i in stride(from: w, to: raw.count, by: workers) {
                            results[i] = try executors[w].apply(branches[raw[i].branch], to: raw[i].batch)
                        }
                    }
                }
                ready = results.compactMap { $0 }
                at = 0
            }
        }
    }
}

extension StreamBranch {
    /// Whether some stage has real work.
    fileprivate var isSelective: Bool {
        stages.contains {
            switch $0 {
            case .filter, .expand: true
            case .project: false
            }
        }
    }
}
