import GRDB

/// What stands beside a segment's bytes. The segment's checksum is of it too, so that a segment in another's place is noticed.
struct SegmentLabel {
    let extent: Int64
    let column: String
    let type: String
    let low: DatabaseValue
    let high: DatabaseValue

    var seed: UInt64 { Checksum.of([extent.databaseValue, column.databaseValue, type.databaseValue, low, high]) }
}
