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
    /// Rows that were left out since they have no key.
    var refused = RefusedRows()
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
        let significance = table.significance.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let text = "\(source)\n\(table.name) \(table.key) \(table.volatile) \(significance) \(table.columns)"
        return Hex.string(SHA256.hash(data: Array(text.utf8)).prefix(16))
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
