import Content
import Crypto
import Tables
import Workspace

/// How far a run of a source has come, as stored with every part of it: a run that is cut off goes on from here.
struct RunProgress: Sendable {
    /// When the run began, ticks; all its rows count as observed then.
    var started: Int64
    var isKeyframe: Bool
    /// Where the fetcher goes on; null for the beginning.
    var cursor: Value = .null
    var pages = 0
    var bytes = 0
    var counts = ChangeCounts()
    /// Pages that could not be read, and why.
    var lost: [String] = []
    /// How often the run has ended at this cursor.
    var failures = 0
    /// Fields without a column that came up.
    var unknown: Set<String> = []
    /// Times of which rows may be missing.
    var gaps: [Gap] = []
    /// Which definition of the source and its table this run goes by.
    let definition: String

    init(started: Int64, isKeyframe: Bool, definition: String) {
        self.started = started
        self.isKeyframe = isKeyframe
        self.definition = definition
    }

    /// What tells one definition of a source from another.
    static func definition(_ source: SourceDefinition, _ table: TableDefinition) -> String {
        Hex.string(
            SHA256.hash(data: Array("\(source)\n\(table.name) \(table.key) \(table.volatile) \(table.columns)".utf8))
                .prefix(16))
    }

    init?(_ text: String?) {
        guard let bag = text.flatMap({ try? JSONReader.parse($0) })?.bagValue, let started = bag["started"]?.longValue,
            let definition = bag["definition"]?.stringValue
        else { return nil }
        self.init(started: started, isKeyframe: bag["keyframe"]?.boolValue ?? false, definition: definition)
        cursor = bag["cursor"] ?? .null
        pages = Int(bag["pages"]?.longValue ?? 0)
        bytes = Int(bag["bytes"]?.longValue ?? 0)
        let n = (bag["counts"]?.arrayValue ?? []).map { Int($0.longValue ?? 0) }
        if n.count == 7 {
            counts = ChangeCounts(
                read: n[0], added: n[1], changed: n[2], removed: n[3], snapshot: n[4], unchanged: n[5], repeated: n[6])
        }
        lost = (bag["lost"]?.arrayValue ?? []).map(\.text)
        failures = Int(bag["failures"]?.longValue ?? 0)
        unknown = Set((bag["unknown"]?.arrayValue ?? []).map(\.text))
        gaps = (bag["gaps"]?.arrayValue ?? []).compactMap { pair in
            guard let ends = pair.arrayValue, ends.count == 2, let from = ends[0].longValue, let to = ends[1].longValue
            else { return nil }
            return Gap(from: from, to: to)
        }
    }

    var text: String {
        let c = counts
        let numbers = [c.read, c.added, c.changed, c.removed, c.snapshot, c.unchanged, c.repeated]
        return JSONWriter.string(
            .bag(
                Bag([
                    ("started", .long(started)), ("keyframe", .bool(isKeyframe)), ("cursor", cursor),
                    ("pages", .long(Int64(pages))),
                    ("bytes", .long(Int64(bytes))), ("counts", .array(numbers.map { .long(Int64($0)) })),
                    ("lost", .array(lost.map { .string($0) })),
                    ("failures", .long(Int64(failures))), ("unknown", .array(unknown.sorted().map { .string($0) })),
                    ("definition", .string(definition)),
                    ("gaps", .array(gaps.map { .array([.long($0.from), .long($0.to)]) })),
                ])))
    }
}

/// A time of which rows may be missing, ticks.
package struct Gap: Sendable, Equatable {
    package let from: Int64
    package let to: Int64
}

/// Where a source stands between runs.
struct Checkpoint: Sendable {
    /// When every row went out last, ticks.
    var keyframe: Int64?
    /// When the last run was, ticks.
    var run: Int64?
    /// The latest event's own time, ticks.
    var latest: Int64?
    /// Whether the last run saw so much gone that nobody believed it yet.
    var isDoubted = false
    /// Fields without a column that were told already.
    var reported: Set<String>

    init(keyframe: Int64?, run: Int64?, latest: Int64?, isDoubted: Bool, reported: Set<String>) {
        self.keyframe = keyframe
        self.run = run
        self.latest = latest
        self.isDoubted = isDoubted
        self.reported = reported
    }

    init(_ text: String?) {
        let bag = text.flatMap { try? JSONReader.parse($0) }?.bagValue
        keyframe = bag?["keyframe"]?.longValue
        run = bag?["run"]?.longValue
        latest = bag?["latest"]?.longValue
        isDoubted = bag?["doubted"]?.boolValue ?? false
        reported = Set((bag?["reported"]?.arrayValue ?? []).map(\.text))
    }

    var text: String {
        JSONWriter.string(
            .bag(
                Bag([
                    ("keyframe", keyframe.map { .long($0) } ?? .null), ("run", run.map { .long($0) } ?? .null),
                    ("latest", latest.map { .long($0) } ?? .null), ("doubted", .bool(isDoubted)),
                    ("reported", .array(reported.sorted().map { .string($0) })),
                ])))
    }
}
