import Content
import Crypto
import Foundation
import Tables
import Workspace

/// The columns that every table has: as the file has them, and made where it has not.
struct SystemCells {
    private let now: Int64
    private let key: DigestKey
    private let source: String
    /// How often a row without an id has come, of those that say themselves when they were observed.
    private var seen: [RowDigest: Int] = [:]

    /// - Parameter now: when rows count as observed that do not say it; ticks.
    init(_ file: String, now: Int64, key: DigestKey) {
        self.now = now
        self.key = key
        source = "import:" + (file as NSString).lastPathComponent
    }

    /// Whether rows say themselves when they were observed, or which they are.
    func isHistory(_ columns: [String: Column], observed: Bool) -> Bool {
        observed || columns["TimeGenerated"] != nil || columns["RowId"] != nil
    }

    /// `TimeGenerated`: a row's own time before the one that a service gave it before now.
    func times(_ given: Column?, _ observed: Column?, count: Int) -> Column {
        guard given != nil || observed != nil else { return Column(constant: .datetime(now), .datetime, count: count) }
        if let given, given.type != .datetime { return given }
        if let given, observed == nil, given.nulls == nil { return given }
        return Column(
            .datetime,
            values: (0..<count).lazy.map { row -> Value in
                if let time = observed?[row], !time.isNull { return time }
                if let time = given?[row], !time.isNull { return time }
                return .datetime(now)
            })
    }

    /// `ChangeType`, `SourceName` and `RowId` of rows of a table that the content knows.
    mutating func marks(_ batch: Batch, _ definition: TableDefinition, firstRecord: Int) throws -> [String: Column] {
        var out: [String: Column] = [:]
        func filled(_ name: String, with text: String) throws -> Column? {
            guard let column = try batch.column(named: name) else { return nil }
            if column.isConstant, column[0].text.isEmpty {
                return Column(constant: .string(text), .string, count: batch.count)
            }
            guard case .string(let vector) = column.storage, !column.isConstant,
                vector.ends.indices.contains(where: { vector.entryRange($0).isEmpty })
            else { return column }
            let texts = (0..<batch.count).lazy.map { vector[$0].isEmpty ? text : vector[$0] }
            return Column(.string, .string(StringVector(texts)), count: batch.count)
        }
        out["ChangeType"] = try filled("ChangeType", with: "Added")
        out["SourceName"] = try filled("SourceName", with: source)
        guard let ids = try batch.column(named: "RowId"), let times = try batch.column(named: "TimeGenerated") else {
            return out
        }
        if !ids.isConstant, (0..<batch.count).allSatisfy({ !ids[$0].text.isEmpty }) { return out }
        let digests = try RowDigests(key: key)(of: batch, columns: definition.columns.map(\.name))
        let texts = (0..<batch.count).map { row -> String in
            let own = ids[row].text
            return own.isEmpty ? id(digests[row], times[row].ticks ?? now, record: firstRecord + row) : own
        }
        out["RowId"] = Column(.string, .string(StringVector(texts)), count: batch.count)
        return out
    }

    /// An id that the same row of the same time has at every import, and no other row.
    private mutating func id(_ digest: RowDigest, _ time: Int64, record: Int) -> String {
        var number = record
        if time != now {
            let moment = UInt64(bitPattern: time)
            let row = RowDigest(high: digest.high ^ moment, low: digest.low &+ moment)
            number = seen[row, default: 0]
            seen[row] = number + 1
        }
        var hash = SHA256()
        withUnsafeBytes(
            of: (digest.high.bigEndian, digest.low.bigEndian, time.bigEndian, Int64(number).bigEndian)
        ) { hash.update(bufferPointer: $0) }
        return Hex.string(hash.finalize().prefix(16))
    }
}
