import Content
import Crypto
import Foundation
import Tables
import Workspace

/// How far a run of a source has come, as stored with every part of it: a run that is cut off goes on from here.
struct RunProgress: Codable, Sendable {
    /// When the run began, ticks; all its rows count as observed then.
    var started: Int64
    var isKeyframe: Bool
    /// Where the fetcher goes on.
    var cursor = Cursor.start
    var pages = 0
    var bytes = 0
    var counts = ChangeCounts()
    /// Pages that could not be read, and why.
    var lost: [String] = []
    /// Parts that were left out, since there was nothing in them; nothing counts as gone then.
    var skipped: [String] = []
    /// In how many parts the next run should ask; nil for a source that is not divided.
    var parts: Int?
    /// How often the run has ended at this cursor.
    var failures = 0
    /// Fields without a column that came up.
    var unknown: Set<String> = []
    /// Times of which rows may be missing.
    var gaps: [Gap] = []
    /// The latest time in the payload's column that decides from when on the next run asks, ticks.
    var latest: Int64?
    /// Which definition of the source and its table this run goes by.
    let definition: String

    init(started: Int64, isKeyframe: Bool, definition: String) {
        self.started = started
        self.isKeyframe = isKeyframe
        self.definition = definition
    }

    /// Reads what a run stored.
    ///
    /// - Throws: what is wrong with it, such as that another version of the program wrote it.
    init(stored text: String) throws {
        self = try JSONDecoder().decode(RunProgress.self, from: Data(text.utf8))
    }

    /// What tells one definition of a source from another.
    static func definition(_ source: SourceDefinition, _ table: TableDefinition) -> String {
        Hex.string(
            SHA256.hash(data: Array("\(source)\n\(table.name) \(table.key) \(table.volatile) \(table.columns)".utf8))
                .prefix(16))
    }

    /// Notes a time of which rows may be missing; one that begins within another makes that longer.
    mutating func add(_ gap: Gap) {
        if let last = gaps.last, gap.from <= last.to, gap.to >= last.from {
            gaps[gaps.count - 1] = Gap(from: min(last.from, gap.from), to: max(last.to, gap.to))
        } else {
            gaps.append(gap)
        }
    }

    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        guard let data = try? encoder.encode(self) else { preconditionFailure("numbers and texts are always JSON") }
        return String(decoding: data, as: UTF8.self)
    }
}

/// A time of which rows may be missing, ticks.
package struct Gap: Codable, Sendable, Equatable {
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
    /// The latest time by the service's own clock up to which changes were asked for, ticks.
    var since: Int64?
    /// When everything was read last, ticks, of a source that is otherwise asked for changes.
    var full: Int64?
    /// In how many parts the last run had to ask.
    var parts: Int?
    /// The last time of which rows may be missing.
    var gap: Gap?
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
        since = bag?["since"]?.longValue
        full = bag?["full"]?.longValue
        parts = bag?["parts"]?.longValue.map { Int($0) }
        if let ends = bag?["gap"]?.arrayValue, ends.count == 2, let from = ends[0].longValue, let to = ends[1].longValue
        {
            gap = Gap(from: from, to: to)
        }
        isDoubted = bag?["doubted"]?.boolValue ?? false
        reported = Set((bag?["reported"]?.arrayValue ?? []).map(\.text))
    }

    var text: String {
        var members = JSON.Members()
        for (name, ticks) in [
            ("keyframe", keyframe), ("run", run), ("latest", latest), ("since", since), ("full", full),
        ] {
            members[name] = ticks.map { .integer($0) }
        }
        members["parts"] = parts.map { .integer(Int64($0)) }
        members["gap"] = gap.map { .array([.integer($0.from), .integer($0.to)]) }
        members["doubted"] = .bool(isDoubted)
        members["reported"] = .array(reported.sorted().map { .string($0) })
        return JSON.object(members).text
    }
}
