#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Bytes that grow, in memory of their own: appending checks for room and nothing else.
final class GrowingBytes {
    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity: Int

    init(capacity: Int = 4_096) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    func removeAll() { count = 0 }

    /// Makes room for `more` bytes behind the last one.
    @inline(__always)
    func reserve(_ more: Int) { if count &+ more > capacity { grow(more) } }

    private func grow(_ more: Int) {
        capacity = max(capacity * 2, count + more)
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        bytes.update(from: base, count: count)
        base.deallocate()
        base = bytes
    }

    @inline(__always)
    func append(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    func append(_ source: UnsafePointer<UInt8>, _ length: Int) {
        reserve(length)
        Self.copy(source, length, to: base + count)
        count &+= length
    }

    /// Puts a byte in the place of one that is there.
    func replace(at i: Int, with byte: UInt8) { base[i] = byte }

    /// Most runs are short: two moves that may overlap cost less than a call.
    @inline(__always)
    static func copy(_ source: UnsafePointer<UInt8>, _ count: Int, to target: UnsafeMutablePointer<UInt8>) {
        let (source, target) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
        func move<T: BitwiseCopyable>(_ type: T.Type) {
            let size = MemoryLayout<T>.size
            let first = source.loadUnaligned(as: T.self)
            let last = source.loadUnaligned(fromByteOffset: count &- size, as: T.self)
            target.storeBytes(of: first, as: T.self)
            target.storeBytes(of: last, toByteOffset: count &- size, as: T.self)
        }
        switch count {
        case 33...: memcpy(target, source, count)
        case 16...32:
            move(SIMD16<UInt8>.self)
        case 8...15: move(UInt64.self)
        case 4...7: move(UInt32.self)
        case 2...3: move(UInt16.self)
        case 1: target.storeBytes(of: source.load(as: UInt8.self), as: UInt8.self)
        default: break
        }
    }
}
