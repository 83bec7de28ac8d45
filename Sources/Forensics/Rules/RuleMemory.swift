import Content
import Tables
import Workspace

/// What a rule remembers of its runs, in the workspace: which were done, what they looked at and found, and the
/// incidents that take more.
struct RuleMemory {
    struct Incident {
        let id: String
        /// Ticks; when its first finding was scheduled.
        let first: Int64
        var count: Int
        let group: String
    }

    /// Scheduled times, as runs of times that are a frequency apart.
    private(set) var done: [(first: Int64, last: Int64)] = []
    var looked: LookedAt?
    /// Ticks; the first instant that any run looked at.
    var firstStart: Int64?
    /// Ticks; runs that raised something, of the last day.
    private(set) var raised: [Int64] = []
    var incidents: [Incident] = []
    /// Results that were told, by their digest.
    private(set) var told: Set<String> = []
    private var newlyTold: [String] = []
    private let prefix: String
    private let frequency: Int64

    /// - Parameter asSentinel: whether runs tell everything anew; such runs are remembered apart.
    init(_ rule: AnalyticsRule, asSentinel: Bool, in workspace: Workspace) throws {
        prefix = "rule/\(asSentinel ? "sentinel" : "local")/\(rule.id.lowercased())/"
        frequency = rule.frequency
        for (name, text) in try workspace.memories(prefix) {
            if name == prefix + "state" {
                read(text)
            } else {
                told.formUnion(text.split(separator: " ").map(String.init))
            }
        }
    }

    private mutating func read(_ text: String) {
        // What cannot be read is forgotten: runs are done again, and nothing is lost.
        guard let state = try? JSON(parsing: text) else { return }
        func times(_ name: String) -> [Int64] { (state[name]?.array ?? []).compactMap(\.integer) }
        let ends = times("done")
        done = stride(from: 0, to: ends.count - 1, by: 2).map { (ends[$0], ends[$0 + 1]) }
        if let extent = state["extent"]?.integer, let time = state["looked"]?.integer {
            looked = LookedAt(extent: extent, time: time)
        }
        firstStart = state["first"]?.integer
        raised = times("raised")
        incidents = (state["incidents"]?.array ?? []).compactMap { entry in
            guard let id = entry["id"]?.string, let first = entry["first"]?.integer,
                let count = entry["count"]?.integer, let group = entry["group"]?.string
            else { return nil }
            return Incident(id: id, first: first, count: Int(count), group: group)
        }
    }

    /// What is to be remembered from now on, by name.
    ///
    /// - Parameter time: of the last run; ticks.
    func memories(at time: Int64) -> [String: String] {
        let state: JSON = [
            "done": .array(done.flatMap { [.integer($0.first), .integer($0.last)] }),
            "extent": looked.map { .integer($0.extent) } ?? .null,
            "looked": looked.map { .integer($0.time) } ?? .null, "first": firstStart.map { .integer($0) } ?? .null,
            "raised": .array(raised.map { .integer($0) }),
            "incidents": .array(
                incidents.map {
                    [
                        "id": .string($0.id), "first": .integer($0.first), "count": .integer(Int64($0.count)),
                        "group": .string($0.group),
                    ]
                }),
        ]
        var memories = [prefix + "state": state.text]
        if !newlyTold.isEmpty {
            // Apart from what was told before, so that a run writes no more than it found.
            memories[prefix + "told/\(time)/\(told.count)"] = newlyTold.joined(separator: " ")
        }
        return memories
    }

    func isDone(_ time: Int64) -> Bool {
        done.contains { $0.first <= time && time <= $0.last && (time - $0.first) % frequency == 0 }
    }

    mutating func markDone(_ time: Int64) {
        if let i = done.firstIndex(where: { $0.last + frequency == time }) {
            done[i].last = time
        } else {
            done.append((time, time))
        }
    }

    /// The last run that is remembered; ticks.
    var lastDone: Int64? { done.map(\.last).max() }

    mutating func markRaised(_ time: Int64) {
        raised = raised.filter { $0 > time - Span.day } + [time]
    }

    /// Whether a run is left out, because one before it raised something.
    func isSuppressed(_ time: Int64, _ duration: Int64?) -> Bool {
        guard let duration else { return false }
        return raised.contains { $0 <= time && time - $0 < duration }
    }

    mutating func tell(_ digests: some Sequence<String>) {
        for digest in digests where told.insert(digest).inserted { newlyTold.append(digest) }
    }
}
