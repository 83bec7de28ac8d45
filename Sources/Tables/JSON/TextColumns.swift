/// Texts of several columns while they grow, in memory of their own: a cell is appended without a check of who else holds the column.
final class TextColumns {
    private struct Growing {
        var bytes: UnsafeMutablePointer<UInt8>
        var byteCount = 0
        var byteCapacity: Int
        /// Where each text ends in `bytes`.
        var ends: UnsafeMutablePointer<Int>
        var count = 0
        var capacity: Int
    }

    private let columns: UnsafeMutablePointer<Growing>
    private let columnCount: Int
    private static let firstTexts = 256
    private static let firstBytes = 4_096

    init(count: Int) {
        columnCount = count
        columns = .allocate(capacity: max(count, 1))
        for c in 0..<count {
            (columns + c).initialize(
                to: Growing(
                    bytes: .allocate(capacity: Self.firstBytes), byteCapacity: Self.firstBytes,
                    ends: .allocate(capacity: Self.firstTexts),
                    capacity: Self.firstTexts))
        }
    }

    deinit {
        for c in 0..<columnCount {
            columns[c].bytes.deallocate()
            columns[c].ends.deallocate()
        }
        columns.deallocate()
    }

    @inline(__always)
    func count(_ c: Int) -> Int { columns[c].count }

    @inline(__always)
    func append(_ text: UnsafeBufferPointer<UInt8>, to c: Int) {
        let column = columns + c
        if column.pointee.byteCount &+ text.count > column.pointee.byteCapacity
            || column.pointee.count == column.pointee.capacity
        {
            Self.grow(column, text.count)
        }
        if let base = text.baseAddress {
            GrowingBytes.copy(base, text.count, to: column.pointee.bytes + column.pointee.byteCount)
        }
        column.pointee.byteCount &+= text.count
        column.pointee.ends[column.pointee.count] = column.pointee.byteCount
        column.pointee.count &+= 1
    }

    @inline(__always)
    func appendEmpty(to c: Int) {
        let column = columns + c
        if column.pointee.count == column.pointee.capacity { Self.grow(column, 0) }
        column.pointee.ends[column.pointee.count] = column.pointee.byteCount
        column.pointee.count &+= 1
    }

    private static func grow(_ column: UnsafeMutablePointer<Growing>, _ more: Int) {
        if column.pointee.byteCount + more > column.pointee.byteCapacity {
            column.pointee.byteCapacity = max(column.pointee.byteCapacity * 2, column.pointee.byteCount + more)
            let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: column.pointee.byteCapacity)
            bytes.update(from: column.pointee.bytes, count: column.pointee.byteCount)
            column.pointee.bytes.deallocate()
            column.pointee.bytes = bytes
        }
        if column.pointee.count == column.pointee.capacity {
            column.pointee.capacity *= 2
            let ends = UnsafeMutablePointer<Int>.allocate(capacity: column.pointee.capacity)
            ends.update(from: column.pointee.ends, count: column.pointee.count)
            column.pointee.ends.deallocate()
            column.pointee.ends = ends
        }
    }

    /// The column's texts.
    func finish(_ c: Int) -> StringVector {
        let column = columns[c]
        return StringVector(
            bytes: Array(UnsafeBufferPointer(start: column.bytes, count: column.byteCount)),
            ends: Array(UnsafeBufferPointer(start: column.ends, count: column.count)), codes: nil)
    }
}
