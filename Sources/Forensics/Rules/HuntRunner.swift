import Content
import KQLEngine
import Tables
import Workspace

/// What a hunt found when it was last run by the schedule.
package struct HuntRun: Sendable, Equatable {
    /// Ticks.
    package let time: Int64
    package let rows: Int
    /// Rows that the run before did not have; all at the first run. Nil where there were too many to tell.
    package let new: Int?
    /// Why there is no answer; nil when there is one.
    package let problem: String?

    package init(time: Int64, rows: Int, new: Int?, problem: String? = nil) {
        self.time = time
        self.rows = rows
        self.new = new
        self.problem = problem
    }

    package var json: JSON {
        [
            "time": .string(DateTime.format(time)), "rows": .integer(Int64(rows)),
            "new": new.map { .integer(Int64($0)) } ?? .null, "problem": problem.map { .string($0) } ?? .null,
        ]
    }
}

/// Runs hunts over a workspace, and remembers in it when each was run and what it found.
package struct HuntRunner {
    /// What a hunt gives now.
    package struct Answer: Sendable {
        package let hunt: HuntDefinition
        package let run: HuntRun
        /// The results; nil when there is no answer.
        package let table: ResultTable?
        /// Which results the run before did not have, by their number.
        package let new: [Int]
    }

    /// Results above which nobody reads one by one, and which are not told apart.
    private static let toldMax = 10_000
    private static let prefix = "hunt/"

    private let provider: any TableProvider
    private let clock: () -> Int64

    package init(_ provider: any TableProvider, clock: @escaping () -> Int64) {
        self.provider = provider
        self.clock = clock
    }

    /// The last run of each hunt, by its name.
    package static func runs(in workspace: Workspace) throws -> [String: HuntRun] {
        var runs: [String: HuntRun] = [:]
        // What cannot be read is forgotten: the hunt is run again, and nothing is lost.
        for (name, text) in try workspace.memories(prefix + "run/") {
            guard let state = try? JSON(parsing: text), let time = state["at"]?.integer,
                let rows = state["rows"]?.integer
            else { continue }
            runs[String(name.dropFirst(prefix.count + 4))] = HuntRun(
                time: time, rows: Int(rows), new: state["new"]?.integer.map { Int($0) },
                problem: state["problem"]?.string)
        }
        return runs
    }

    /// The hunts that have not been run for a time.
    ///
    /// - Parameter frequency: ticks.
    package static func due(_ hunts: [HuntDefinition], _ runs: [String: HuntRun], frequency: Int64, now: Int64)
        -> [HuntDefinition]
    {
        hunts.filter { hunt in
            // A clock that was put back must not hold the hunts up.
            runs[hunt.slug].map { now - $0.time >= frequency || $0.time > now } ?? true
        }
    }

    /// Tables of a hunt that hold no rows: all of them where its question cannot be answered.
    package func silentTables(_ hunt: HuntDefinition) -> [String] {
        hunt.needs.filter { ((try? provider.rowCount(ofTable: $0)) ?? 0) == 0 }
    }

    /// Runs a hunt, and nothing more.
    ///
    /// - Throws: `QueryError`.
    package func results(_ hunt: HuntDefinition) throws -> ResultTable {
        try Engine(provider: provider).run(hunt.query).primary
    }

    /// Runs a hunt and remembers what it found.
    package func run(_ hunt: HuntDefinition, remembering workspace: Workspace) throws -> Answer {
        let silent = silentTables(hunt)
        if !hunt.needs.isEmpty, silent.count == hunt.needs.count {
            return try remember(hunt, nil, "no rows of \(silent.joined(separator: ", "))", workspace)
        }
        do { return try remember(hunt, try results(hunt), nil, workspace) } catch let error as QueryError {
            return try remember(hunt, nil, error.message, workspace)
        }
    }

    private func remember(_ hunt: HuntDefinition, _ table: ResultTable?, _ problem: String?, _ workspace: Workspace)
        throws -> Answer
    {
        let now = clock()
        let seenName = Self.prefix + "seen/" + hunt.slug
        var memories: [String: String] = [:]
        var new: [Int] = []
        var isCounted = false
        if let table, table.count <= Self.toldMax {
            isCounted = true
            let before = Set((try workspace.memories(seenName)[seenName] ?? "").split(separator: " ").map(String.init))
            let digests = try Self.digests(table)
            new = digests.indices.filter { !before.contains(digests[$0]) }
            memories[seenName] = Set(digests).sorted().joined(separator: " ")
        }
        let run = HuntRun(
            time: now, rows: table?.count ?? 0, new: isCounted ? new.count : nil, problem: problem)
        let state: JSON = [
            "at": .integer(now), "rows": .integer(Int64(run.rows)),
            "new": run.new.map { .integer(Int64($0)) } ?? .null, "problem": problem.map { .string($0) } ?? .null,
        ]
        memories[Self.prefix + "run/" + hunt.slug] = state.text
        try workspace.append(
            nil, to: RuleRunner.table, run: "hunts", now: now, sinks: [], remembering: memories)
        return Answer(hunt: hunt, run: run, table: table, new: new)
    }

    /// A short text for each row that, for all that matters here, only equal rows have.
    private static func digests(_ table: ResultTable) throws -> [String] {
        let names = table.schema.names
        return try table.rows().map { row in
            let cells = zip(names, row).map { JSON.array([.string($0), JSON($1)]) }
            return String(Digest.hex(JSON.array(cells).bytes).prefix(16))
        }
    }
}
