import Foundation
import Tables

/// A sketch of a set from which its size can be told: the hashes themselves while they are few, registers after that.
///
/// As a value: `[[precision], hashes]` or `[[precision], "registers in base 64"]`. Source of the accuracies: the page
/// of the dcount aggregation function.
struct HyperLogLog {
    private static let hashCountMax = 4096

    let precision: Int
    private(set) var hashes: Set<UInt64> = []
    private(set) var registers: [UInt8]?

    /// `accuracy` from 0 (least) to 4; 1 when nil.
    init(accuracy: Int?) { precision = [12, 14, 16, 17, 18][max(0, min(4, accuracy ?? 1))] }

    init?(_ value: Value) {
        guard case .array(let parts) = value, parts.count == 2, case .array(let head) = parts[0],
            let p = head.first?.longValue, (12...18).contains(p)
        else { return nil }
        precision = Int(p)
        switch parts[1] {
        case .array(let list): hashes = Set(list.compactMap { $0.longValue.map { UInt64(bitPattern: $0) } })
        case .string(let text):
            guard let bytes = Data(base64Encoded: text), bytes.count == 1 << precision else { return nil }
            registers = Array(bytes)
        default: return nil
        }
    }

    var value: Value {
        let head: Value = .array([.long(Int64(precision))])
        if let registers { return .array([head, .string(Data(registers).base64EncodedString())]) }
        return .array([head, .array(hashes.sorted().map { .long(Int64(bitPattern: $0)) })])
    }

    mutating func insert(_ v: Value) { insert(hash: UInt64(bitPattern: XXHash64.hash(of: v))) }

    mutating func insert(hash: UInt64) {
        if registers == nil {
            hashes.insert(hash)
            if hashes.count > HyperLogLog.hashCountMax {
                registers = [UInt8](repeating: 0, count: 1 << precision)
                let all = hashes
                hashes = []
                for h in all { register(h) }
            }
        } else {
            register(hash)
        }
    }

    private mutating func register(_ hash: UInt64) {
        let index = Int(hash >> UInt64(64 - precision))
        let rank = UInt8(min(64 - precision, (hash << UInt64(precision)).leadingZeroBitCount) + 1)
        if registers?[index] ?? 0 < rank { registers?[index] = rank }
    }

    /// Registers of another precision are folded to the coarser one.
    mutating func merge(_ other: HyperLogLog) {
        if let theirs = other.registers {
            if registers == nil {
                let mine = hashes
                hashes = []
                registers = [UInt8](repeating: 0, count: 1 << precision)
                for h in mine { register(h) }
            }
            guard precision == other.precision else { return }
            registers = zip(registers ?? [], theirs).map { max($0, $1) }
        } else {
            for h in other.hashes { insert(hash: h) }
        }
    }

    var estimate: Int64 {
        guard let registers else { return Int64(hashes.count) }
        let m = Double(registers.count)
        var sum = 0.0
        var zeros = 0.0
        for r in registers {
            sum += pow(2, -Double(r))
            if r == 0 { zeros += 1 }
        }
        let raw = 0.7213 / (1 + 1.079 / m) * m * m / sum
        if raw <= 2.5 * m, zeros > 0 { return (m * log(m / zeros)).rounded().whole ?? .max }
        return raw.rounded().whole ?? .max
    }
}

/// `hll`, `hll_if` and `hll_merge`.
final class SketchAggregator: Aggregator {
    private let accuracy: Int?
    private let condition: Int?
    private let merges: Bool
    private var sketches: [HyperLogLog] = []

    init(accuracy: Int?, condition: Int?, merges: Bool = false) {
        self.accuracy = accuracy
        self.condition = condition
        self.merges = merges
    }

    private func grow(_ groupCount: Int) {
        if sketches.count < groupCount {
            sketches += repeatElement(HyperLogLog(accuracy: accuracy), count: groupCount - sketches.count)
        }
    }

    func update(_ groups: [Int32], _ columns: [Column], groupCount: Int) {
        grow(groupCount)
        let filter = RowFilter(columns, condition)
        for (row, g) in groups.enumerated() where filter?.passes(row) ?? true {
            let v = columns[0][row]
            if v.isNull { continue }
            if merges {
                if let other = HyperLogLog(v) { sketches[Int(g)].merge(other) }
            } else {
                sketches[Int(g)].insert(v)
            }
        }
    }

    func finish(groupCount: Int) -> [Column] {
        grow(groupCount)
        return [Column(.dynamic, values: sketches.map(\.value))]
    }
}
