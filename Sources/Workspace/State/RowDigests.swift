import Tables

/// Makes digests of rows, a column at a time: two rows have the same one exactly when their values are the same.
///
/// Values that are missing leave no trace, so a column that is added later changes no digest until it holds something, and the order
/// of the columns does not matter.
package struct RowDigests: Sendable {
    private let key: DigestKey

    package init(key: DigestKey) { self.key = key }

    /// One digest for each row, over the columns of these names that the batch has.
    package func callAsFunction(of batch: Batch, columns names: [String]) throws -> [RowDigest] {
        var sums = [RowDigest](repeating: RowDigest(high: key.seeds.0, low: key.seeds.1), count: batch.count)
        guard batch.count > 0 else { return sums }
        for name in names {
            guard let column = try batch.column(named: name) else { continue }
            let seed = key.seed(of: name)
            sums.withUnsafeMutableBufferPointer { add(column, seed, to: $0) }
        }
        return sums
    }

    private func add(_ column: Column, _ seed: RowDigest, to sums: UnsafeMutableBufferPointer<RowDigest>) {
        if column.isConstant {
            guard let one = cells(of: column, seed, count: 1).first, let one else { return }
            for i in sums.indices { Self.add(one, to: &sums[i]) }
            return
        }
        let nulls = column.nulls
        switch column.storage {
        case .string(let vector): add(vector, seed, to: sums)
        case .int64(let values): add(values, nulls, seed, to: sums) { UInt64(bitPattern: $0) }
        case .real(let values): add(values, nulls, seed, to: sums) { $0.bitPattern }
        case .bool(let values): add(values, nulls, seed, to: sums) { $0 ? 1 : 0 }
        case .decimal, .guid, .dynamic:
            for (i, cell) in cells(of: column, seed, count: sums.count).enumerated() {
                if let cell { Self.add(cell, to: &sums[i]) }
            }
        }
    }

    @inline(__always)
    private static func add(_ digest: RowDigest, to sum: inout RowDigest) {
        sum.high &+= digest.high
        sum.low &+= digest.low
    }

    @inline(__always)
    private func add<T>(
        _ values: [T], _ nulls: [Bool]?, _ seed: RowDigest, to sums: UnsafeMutableBufferPointer<RowDigest>,
        _ word: (T) -> UInt64
    ) {
        values.withUnsafeBufferPointer { values in
            guard let nulls else {
                for i in sums.indices { Self.add(key.digest(word(values[i]), seed), to: &sums[i]) }
                return
            }
            nulls.withUnsafeBufferPointer { nulls in
                for i in sums.indices where !nulls[i] { Self.add(key.digest(word(values[i]), seed), to: &sums[i]) }
            }
        }
    }

    private func add(_ vector: StringVector, _ seed: RowDigest, to sums: UnsafeMutableBufferPointer<RowDigest>) {
        vector.bytes.withUnsafeBytes { bytes in
            vector.ends.withUnsafeBufferPointer { ends in
                @inline(__always)
                func entry(_ e: Int) -> RowDigest? {
                    let start = e == 0 ? 0 : ends[e &- 1]
                    guard start < ends[e] else { return nil }
                    return key.digest(UnsafeRawBufferPointer(rebasing: bytes[start..<ends[e]]), seed)
                }
                guard let codes = vector.codes else {
                    for i in sums.indices { if let digest = entry(i) { Self.add(digest, to: &sums[i]) } }
                    return
                }
                guard ends.count <= codes.count / 2 else {
                    for i in sums.indices { if let digest = entry(Int(codes[i])) { Self.add(digest, to: &sums[i]) } }
                    return
                }
                let known = (0..<ends.count).map { entry($0) ?? RowDigest(high: 0, low: 0) }
                known.withUnsafeBufferPointer { known in
                    codes.withUnsafeBufferPointer { codes in
                        for i in sums.indices { Self.add(known[Int(codes[i])], to: &sums[i]) }
                    }
                }
            }
        }
    }

    /// Cells by their text; nil for what is missing.
    private func cells(of column: Column, _ seed: RowDigest, count: Int) -> [RowDigest?] {
        var text: [UInt8] = []
        return (0..<count).map { row in
            let value = column[row]
            if value.isNull { return nil }
            switch value {
            case .string(var text):
                if text.isEmpty { return nil }
                return text.withUTF8 { key.digest(UnsafeRawBufferPointer($0), seed) }
            case .long(let n), .datetime(let n), .timespan(let n): return key.digest(UInt64(bitPattern: n), seed)
            case .real(let d) where column.type == .real: return key.digest(d.bitPattern, seed)
            case .bool(let b): return key.digest(b ? 1 : 0, seed)
            default:
                text.removeAll(keepingCapacity: true)
                JSONWriter.append(Self.canonical(value), to: &text)
                return text.withUnsafeBytes { key.digest($0, seed) }
            }
        }
    }

    /// The same bag whatever order its keys came in.
    private static func canonical(_ value: Value) -> Value {
        switch value {
        case .bag(let bag): .bag(Bag(zip(bag.keys, bag.values).sorted { $0.0 < $1.0 }.map { ($0, canonical($1)) }))
        case .array(let items): .array(items.map(canonical))
        default: value
        }
    }
}
