import Azure
import Synchronization
import Tables

/// How large calls may be, as far as the service has shown it: smaller than documented once it refused a call for its
/// size.
final class CallLimit: Sendable {
    private let bytes: Mutex<Int>
    /// A service that refuses less than this refuses it for something else.
    static let floor = 4_096

    init(_ bytes: Int) { self.bytes = Mutex(bytes) }

    var now: Int { bytes.withLock { $0 } }

    /// A call of so many bytes was refused as too large.
    func refused(_ size: Int) { bytes.withLock { $0 = max(min($0, size / 2), Self.floor) } }
}

/// Sends rows in calls that a service takes.
///
/// What is refused as too large, or because of some record in it, goes again in halves, until the rows that are refused
/// stand alone: these the service will never take, and all others go out. A limit that is lower than documented, or
/// counted in another way, is found once and remembered as long as the sender lives.
struct RecordSender: Sendable {
    let form: CallForm
    private let limit: CallLimit

    /// One table of a service.
    struct Target: Sendable {
        /// Sends a text; gives the bytes on the wire.
        let call: @Sendable ([UInt8]) async throws -> Int
        /// Sends no records at all; throws what the service has against the table as a whole. Nil where that cannot be
        /// asked.
        let probe: (@Sendable () async throws -> Void)?
    }

    init(_ form: CallForm) {
        self.form = form
        limit = CallLimit(form.bytesMax)
    }

    /// - Parameter aliases: other names for some columns, each written as a member of its own.
    func send(_ batch: Batch, to target: Target, aliases: [(name: String, column: String)] = []) async throws
        -> SinkReceipt
    {
        var delivery = Run(sender: self, batch: batch, target: target, aliases: aliases)
        try await delivery.send()
        return delivery.receipt
    }

    /// One batch on its way.
    private struct Run {
        let sender: RecordSender
        let batch: Batch
        let target: Target
        let aliases: [(name: String, column: String)]
        var receipt = SinkReceipt()
        private var isProbed = false
        private var hasTaken = false
        /// So many rows refused one by one, and none taken: it is not the rows.
        private static let refusedMax = 200

        init(sender: RecordSender, batch: Batch, target: Target, aliases: [(name: String, column: String)]) {
            self.sender = sender
            self.batch = batch
            self.target = target
            self.aliases = aliases
        }

        mutating func send() async throws {
            var packer = try RecordPacker(batch, form: sender.form, aliases: aliases)
            while let pack = try packer.next(bytesMax: sender.limit.now) { try await send(pack.body, pack.rows) }
            receipt.refused += packer.refused
            receipt.shortened = packer.shortened
        }

        private mutating func send(_ body: [UInt8], _ rows: Range<Int>) async throws {
            do {
                receipt.bytes += try await target.call(body)
                hasTaken = true
            } catch let error as ServiceError where error.isTooLarge {
                if rows.count > 1 {
                    sender.limit.refused(body.count)
                    return try await halve(rows)
                }
                try await judge(body, rows, error)
            } catch let error as ServiceError where error.status == 400 && target.probe != nil {
                try await probe()
                if rows.count > 1 { return try await halve(rows) }
                try refuse(rows.lowerBound, error, error.got)
            }
        }

        /// A table that takes nothing at all is a matter of the service, not of these rows.
        private mutating func probe() async throws {
            guard !isProbed else { return }
            try await target.probe?()
            isProbed = true
        }

        private mutating func halve(_ rows: Range<Int>) async throws {
            let middle = (rows.lowerBound + rows.upperBound) / 2
            for half in [rows.lowerBound..<middle, middle..<rows.upperBound] {
                // What these rows hold was cut and counted before.
                var packer = try RecordPacker(batch, rows: half, form: sender.form, aliases: aliases)
                while let pack = try packer.next(bytesMax: sender.limit.now) {
                    try await send(pack.body, pack.rows)
                }
            }
        }

        /// A row that is too large by itself: refused for good when the service says so twice.
        private mutating func judge(_ body: [UInt8], _ rows: Range<Int>, _ error: ServiceError) async throws {
            guard body.count > CallLimit.floor else { throw error }
            do {
                receipt.bytes += try await target.call(body)
                hasTaken = true
            } catch let again as ServiceError where again.isTooLarge {
                try await probe()
                try refuse(rows.lowerBound, again, "\(body.count) bytes, more than the service takes: \(again.got)")
            }
        }

        private mutating func refuse(_ row: Int, _ error: ServiceError, _ reason: String) throws {
            receipt.refused.append(RefusedRow(row: row, reason: reason))
            if !hasTaken, receipt.refused.count >= Self.refusedMax { throw error }
        }
    }
}
