import Content
import Tables
import Workspace

/// How a table's rows are divided into buckets of state: rows that arrive together should stand together.
enum BucketRule {
    /// Events by the hour that they happened in.
    case hour(column: String)
    /// By the first column of the key, which most often names the device.
    case firstOfKey(column: String)
    /// Where the key is one column, evenly.
    case spread

    private static let spreadBits: UInt64 = 10
    /// Where events without a time go; they are never forgotten.
    private static let timeless = Int64.max

    init(_ table: TableDefinition) {
        if table.kind == .event, let time = table.time {
            self = .hour(column: time)
        } else {
            self = table.key.count > 1 ? .firstOfKey(column: table.key[0]) : .spread
        }
    }

    /// The bucket of each row.
    ///
    /// - Parameter keys: the digests of the rows' keys.
    func buckets(of batch: Batch, _ keys: [RowDigest], _ digests: RowDigests) throws -> [Int64] {
        switch self {
        case .hour(let name):
            guard let column = try batch.column(named: name), case .int64(let ticks) = column.storage else {
                return [Int64](repeating: Self.timeless, count: batch.count)
            }
            return (0..<batch.count).map { column.isNull($0) ? Self.timeless : Self.hour(ticks[$0 * column.stride]) }
        case .firstOfKey(let name): return try digests(of: batch, columns: [name]).map { Int64(bitPattern: $0.low) }
        case .spread: return keys.map { Int64($0.low >> (64 - Self.spreadBits)) }
        }
    }

    static func hour(_ ticks: Int64) -> Int64 { DateTime.floorDivide(ticks, 3_600 * DateTime.ticksPerSecond) }
}

/// The buckets of a source's state that a run has looked at since it stored something last.
struct SourceState {
    private let workspace: Workspace
    private let source: String
    private(set) var buckets: [StateBucket] = []
    private var places: [Int64: Int] = [:]
    /// Bytes of memory that the buckets take, about.
    private(set) var bytes = 0
    private static let addedBytes = 60

    init(workspace: Workspace, source: String) {
        self.workspace = workspace
        self.source = source
    }

    /// Where each row's bucket is in `buckets`; those that are missing are read now.
    mutating func places(of ids: [Int64]) throws -> [Int] {
        var missing: [Int64] = []
        var last: (id: Int64, place: Int)?
        let found = ids.map { id -> Int in
            if let last, last.id == id { return last.place }
            let place: Int
            if let known = places[id] {
                place = known
            } else {
                place = buckets.count + missing.count
                places[id] = place
                missing.append(id)
            }
            last = (id, place)
            return place
        }
        for bucket in missing.isEmpty ? [] : try workspace.buckets(of: source, missing) {
            bytes += bucket.memoryBytes
            buckets.append(bucket)
        }
        return found
    }

    mutating func note(
        _ place: Int, _ key: RowDigest, _ content: RowDigest, near: (RowDigest, RowDigest)?, keepsContent: Bool
    ) -> StateBucket.Finding {
        let finding = buckets[place].note(key, content, near: near, keepsContent: keepsContent)
        if case .added = finding { bytes += Self.addedBytes }
        return finding
    }

    mutating func touch(_ place: Int) { buckets[place].touch() }

    mutating func place(_ bucket: Int, _ entry: Int, at place: RowPlace) { buckets[bucket].place(entry, at: place) }

    /// Takes the entries that the run did not come upon out of these buckets.
    mutating func removeUnseen(_ ids: [Int64]) throws -> [StateEntry] {
        try places(of: ids).flatMap { buckets[$0].removeUnseen() }
    }

    /// What is not stored yet, which then counts as stored.
    mutating func takeDirty() -> [StateBucket] {
        let dirty = buckets.filter(\.isDirty)
        for i in buckets.indices { buckets[i].clean() }
        return dirty
    }

    /// Forgets all buckets; they are read again when they are asked for.
    mutating func clear() {
        buckets = []
        places = [:]
        bytes = 0
    }
}
