import Synchronization
import Tables

/// What a provider's rows and content were when something was computed from them: equal for as long as nothing changed.
package struct DataVersion: Hashable, Sendable {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// Whether asking the same again gives the same.
package enum Repeatability: Int, Sendable, Comparable {
    /// As long as the rows do not change.
    case always = 0
    /// Only at the same `now()`.
    case atSameTime
    /// Chance, or what lies outside, decides.
    case never

    package static func < (a: Repeatability, b: Repeatability) -> Bool { a.rawValue < b.rawValue }
}

/// Answers kept for whoever asks the same of the same rows.
///
/// An answer is given again only for an equal text, equal options and an equal version of the rows; one that looked at
/// the clock only at the same instant, and one of chance or of data from outside never. The bytes are bounded; what was
/// not asked for longest goes first.
package final class AnswerCache: Sendable {
    private struct Key: Hashable {
        /// By its bytes: texts that only look alike ask different things.
        let text: [UInt8]
        let options: QueryOptions.Identity
    }

    private struct Entry {
        let result: QueryResult
        let version: DataVersion
        let now: Int64?
        let bytes: Int
        var used: Int
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var bytes = 0
        var clock = 0
        var (hits, misses) = (0, 0)
    }

    private let bytesMax: Int
    private let state: Mutex<State> = Mutex(State())

    /// - Parameter bytesMax: of all answers together, estimated.
    package init(bytesMax: Int = min(256 << 20, ProcessMemory.limit / 16)) { self.bytesMax = bytesMax }

    package var counts: (hits: Int, misses: Int, bytes: Int) { state.withLock { ($0.hits, $0.misses, $0.bytes) } }

    /// - Parameter countsMiss: whether an answer that is not there is counted: whoever looks twice counts once.
    func find(
        _ text: String, _ options: QueryOptions, _ version: DataVersion, countsMiss: Bool = true
    ) -> QueryResult? {
        let key = Key(text: Array(text.utf8), options: options.identity)
        return state.withLock { state in
            guard let entry = state.entries[key], entry.version == version,
                entry.result.repeatability == .always || entry.now != nil && entry.now == options.now
            else {
                if countsMiss { state.misses += 1 }
                return nil
            }
            state.clock += 1
            state.hits += 1
            state.entries[key]?.used = state.clock
            return entry.result
        }
    }

    func keep(_ result: QueryResult, _ text: String, _ options: QueryOptions, _ version: DataVersion) {
        guard result.repeatability != .never, result.repeatability == .always || options.now != nil else { return }
        let bytes =
            text.utf8.count + 1_024 + result.tables.reduce(0) { $0 + ((try? $1.batch.byteCount()) ?? .max / 64) }
        // One answer does not push all others out.
        guard bytes <= bytesMax / 4 else { return }
        let key = Key(text: Array(text.utf8), options: options.identity)
        state.withLock { state in
            state.clock += 1
            state.bytes += bytes - (state.entries[key]?.bytes ?? 0)
            state.entries[key] = Entry(
                result: result, version: version, now: options.now, bytes: bytes, used: state.clock)
            while state.bytes > bytesMax, let oldest = state.entries.min(by: { $0.value.used < $1.value.used }) {
                state.bytes -= oldest.value.bytes
                state.entries[oldest.key] = nil
            }
        }
    }
}

extension QueryOptions {
    /// What decides about the answer besides the text and the clock.
    struct Identity: Hashable {
        /// Each as it is written in a debugger, in which no two values look alike.
        let parameters: [[UInt8]]
        let rowCountMax: Int?
        let resultBytesMax: Int?
        let takeCountMax: Int?
        let scope: [String]
    }

    var identity: Identity {
        let given = parameters.map { Array("\($0.debugDescription)=\(String(reflecting: $1))".utf8) }
        return Identity(
            parameters: given.sorted { $0.lexicographicallyPrecedes($1) }, rowCountMax: rowCountMax,
            resultBytesMax: resultBytesMax,
            takeCountMax: takeCountMax,
            scope: timeScope.map { [$0.column, "\($0.from ?? -1)", "\($0.to ?? -1)"] } ?? [])
    }
}
