/// Writes little-endian numbers and runs of bytes.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    /// Writes a number over eight bytes that stand there already.
    mutating func put(_ n: UInt64, at place: Int) {
        for i in 0..<8 { bytes[place + i] = UInt8(truncatingIfNeeded: n >> UInt64(8 * i)) }
    }

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

/// Reads what `ByteWriter` wrote; every length is checked. It looks at memory that must outlive it.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

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
        defer { at += 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
    }

    mutating func int() throws -> Int {
        let n = Int(Int64(bitPattern: try word()))
        guard n >= 0 else { throw CorruptSegment(reason: "a negative length") }
        return n
    }

    mutating func run() throws -> [UInt8] {
        let n = try int()
        try need(n)
        defer { at += n }
        return Array(bytes[at..<at + n])
    }

    /// The head of packed numbers: how many, and of how many bits.
    private mutating func packedHead() throws -> (count: Int, width: Int) {
        let width = Int(try byte())
        let count = try int()
        guard width <= 64, count <= 1 << 31 else { throw CorruptSegment(reason: "an impossible bit width or count") }
        try need((count * width + 63) / 64 * 8)
        return (count, width)
    }

    /// Packed numbers, each turned into what is wanted as it is read.
    mutating func packed<T>(_ make: (UInt64) -> T) throws -> [T] {
        let (count, width) = try packedHead()
        if width == 0 { return [T](repeating: make(0), count: count) }
        let base = at
        let words = (count * width + 63) / 64
        at += words * 8
        let bytes = bytes
        return [T](unsafeUninitializedCapacity: count) { out, initialized in
            defer { initialized = count }
            guard let target = out.baseAddress, let source = bytes.baseAddress.map({ $0 + base }) else { return }
            if width == 64 {
                for i in 0..<count {
                    (target + i).initialize(
                        to: make(UInt64(littleEndian: source.loadUnaligned(fromByteOffset: i * 8, as: UInt64.self))))
                }
                return
            }
            let mask: UInt64 = (1 << UInt64(width)) - 1
            var i = 0
            if width <= 56 {
                // A number starts within a byte and ends within the seven that follow, which one load takes in.
                let safe = (words * 8 - 8) * 8 / width
                let end = max(0, min(count, safe))
                while i < end {
                    let bit = i &* width
                    let word = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self))
                    (target + i).initialize(to: make(word >> UInt64(bit & 7) & mask))
                    i &+= 1
                }
            }
            while i < count {
                let bit = i * width
                let word = UInt64(littleEndian: source.loadUnaligned(fromByteOffset: bit / 64 * 8, as: UInt64.self))
                let shift = UInt64(bit % 64)
                var value = word >> shift
                if Int(shift) + width > 64 {
                    value |=
                        UInt64(littleEndian: source.loadUnaligned(fromByteOffset: (bit / 64 + 1) * 8, as: UInt64.self))
                        << (64 - shift)
                }
                (target + i).initialize(to: make(value & mask))
                i += 1
            }
        }
    }

    mutating func packed() throws -> [UInt64] { try packed { $0 } }
}
