/// Writes little-endian numbers and runs of bytes.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ byte: UInt8) { bytes.append(byte) }

    mutating func put(_ n: UInt64) { for i in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: n >> UInt64(8 * i))) } }

    mutating func put(_ n: Int) { put(UInt64(bitPattern: Int64(n))) }

    mutating func put(_ run: some Collection<UInt8>) {
        put(run.count)
        bytes.append(contentsOf: run)
    }

    /// `values`, each less than 2^width, packed into `width` bits.
    mutating func put(packed values: [UInt64], width: Int) {
        put(UInt8(width))
        put(values.count)
        if width == 0 { return }
        if width == 64 {
            for v in values { put(v) }
            return
        }
        var buffer: UInt64 = 0
        var used = 0
        bytes.reserveCapacity(bytes.count + values.count * width / 8 + 8)
        for v in values {
            buffer |= v << UInt64(used)
            used += width
            if used >= 64 {
                put(buffer)
                used -= 64
                buffer = used == 0 ? 0 : v >> UInt64(width - used)
            }
        }
        if used > 0 { put(buffer) }
    }
}

/// Why stored bytes could not be read.
package struct CorruptSegment: Error, Sendable {
    package let reason: String
}

/// Reads what `ByteWriter` wrote; every length is checked.
struct ByteReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private mutating func need(_ n: Int) throws {
        guard n >= 0, n <= bytes.count - at else { throw CorruptSegment(reason: "a segment ends too early") }
    }

    mutating func byte() throws -> UInt8 {
        try need(1)
        at += 1
        return bytes[at - 1]
    }

    mutating func word() throws -> UInt64 {
        try need(8)
        var n: UInt64 = 0
        for i in 0..<8 { n |= UInt64(bytes[at + i]) << UInt64(8 * i) }
        at += 8
        return n
    }

    mutating func int() throws -> Int {
        let n = Int(Int64(bitPattern: try word()))
        guard n >= 0 else { throw CorruptSegment(reason: "a negative length") }
        return n
    }

    mutating func run() throws -> [UInt8] {
        let n = try int()
        try need(n)
        at += n
        return Array(bytes[at - n..<at])
    }

    mutating func packed() throws -> [UInt64] {
        let width = Int(try byte())
        let count = try int()
        guard width <= 64, count <= 1 << 31 else { throw CorruptSegment(reason: "an impossible bit width or count") }
        if width == 0 { return [UInt64](repeating: 0, count: count) }
        let words = (count * width + 63) / 64
        try need(words * 8)
        var out = [UInt64](repeating: 0, count: count)
        let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
        let base = at
        bytes.withUnsafeBytes { raw in
            for i in 0..<count {
                let bit = i * width
                let word = raw.loadUnaligned(fromByteOffset: base + bit / 64 * 8, as: UInt64.self).littleEndian
                let shift = UInt64(bit % 64)
                var v = word >> shift
                if Int(shift) + width > 64 {
                    let next = raw.loadUnaligned(fromByteOffset: base + (bit / 64 + 1) * 8, as: UInt64.self).littleEndian
                    v |= next << (64 - shift)
                }
                out[i] = v & mask
            }
        }
        at += words * 8
        return out
    }
}
