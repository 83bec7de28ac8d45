import Tables

extension Column {
    @inline(__always)
    private static func mix(_ x: UInt64) -> UInt64 {
        let wide = x.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
        return wide.high ^ wide.low
    }

    /// Mixes a number for each row's value into `hashes`: the same for equal values, wherever they come from.
    func mixHashes(into hashes: inout [UInt64]) {
        let stride = stride
        hashes.withUnsafeMutableBufferPointer { out in
            switch storage {
            case .int64(let v):
                for row in 0..<count {
                    out[row] = Self.mix(
                        out[row] ^ (nulls?[row * stride] == true ? 1 : UInt64(bitPattern: v[row * stride])))
                }
            case .bool(let v):
                for row in 0..<count {
                    out[row] = Self.mix(out[row] ^ (nulls?[row * stride] == true ? 3 : v[row * stride] ? 1 : 2))
                }
            case .string(let v):
                let entries = v.bytes.withUnsafeBufferPointer { buffer in
                    (0..<v.entryCount).map { ByteHash.hash(UnsafeBufferPointer(rebasing: buffer[v.entryRange($0)])) }
                }
                if let codes = v.codes {
                    for row in 0..<count { out[row] = Self.mix(out[row] ^ entries[Int(codes[row * stride])]) }
                } else {
                    for row in 0..<count { out[row] = Self.mix(out[row] ^ entries[row * stride]) }
                }
            default:
                // Rows of other types stay together by their other keys; they need not be told apart here.
                break
            }
        }
    }
}
