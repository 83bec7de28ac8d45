import Azure
import KQLEngine
import Synchronization
import Tables
import Workspace

/// What a sink got in one delivery.
package struct DeliveryOutcome: Sendable {
    package let sink: String
    package fileprivate(set) var rows = 0
    package fileprivate(set) var bytes = 0
    /// Rows by the source that they came from.
    package fileprivate(set) var rowsBySource: [String: Int] = [:]
    /// Rows that the sink will never take; they are in the table of dead letters.
    package fileprivate(set) var refused = 0
    package fileprivate(set) var error: OperatorError?
}

/// Lets one delivery at a time go to a sink; who comes meanwhile leaves its rows to the one that is under way.
final class DeliveryGate: Sendable {
    private let state = Mutex<(busy: Set<String>, again: Set<String>)>(([], []))

    /// Whether the sink is free. If not, the delivery that is under way looks once more.
    func enter(_ sink: String) -> Bool {
        state.withLock { state in
            if state.busy.insert(sink).inserted { return true }
            state.again.insert(sink)
            return false
        }
    }

    /// Ends a delivery, unless somebody came meanwhile.
    ///
    /// - Returns: whether it has ended.
    func leave(_ sink: String) -> Bool {
        state.withLock { state in
            if state.again.remove(sink) != nil { return false }
            state.busy.remove(sink)
            return true
        }
    }
}

/// Empties the outbox: every sink gets what it has not acknowledged, oldest first, whatever becomes of the others.
struct Delivery: Sendable {
    let workspace: Workspace
    let gate: DeliveryGate

    func deliver(to sinks: [any Sink]) async -> [DeliveryOutcome] {
        await withTaskGroup(of: DeliveryOutcome.self) { group in
            for sink in sinks { group.addTask { await deliver(to: sink) } }
            return await group.reduce(into: []) { $0.append($1) }.sorted { $0.sink < $1.sink }
        }
    }

    private func deliver(to sink: any Sink) async -> DeliveryOutcome {
        var outcome = DeliveryOutcome(sink: sink.name)
        guard gate.enter(sink.name) else { return outcome }
        repeat { await send(to: sink, &outcome) } while !gate.leave(sink.name)
        let reason = outcome.error.map { [$0.title, $0.got].compactMap { $0 }.joined(separator: ": ") }
        if outcome.rows + outcome.refused > 0 || reason != nil {
            try? workspace.noteDelivery(
                to: sink.name, rows: outcome.rows, bytes: outcome.bytes, refused: outcome.refused, error: reason,
                now: SystemClock.now())
        }
        return outcome
    }

    private func send(to sink: any Sink, _ outcome: inout DeliveryOutcome) async {
        do {
            let schemas = try workspace.schemas()
            var stopped: Set<String> = []
            for (extent, table) in try workspace.pending(for: sink.name) where !stopped.contains(table) {
                try Task.checkCancellation()
                guard let schema = schemas[table] else { continue }
                let batch = workspace.extent(extent, schema: schema)
                let receipt: SinkReceipt
                do { receipt = try await sink.send(batch, table: table) } catch let error as ServiceError
                    where error.concernsOneTable
                {
                    // Such as a stream that nobody declared: the other tables go out.
                    stopped.insert(table)
                    if outcome.error == nil { outcome.error = failure(error, sink.name, "table \(table) is held back") }
                    continue
                }
                outcome.bytes += receipt.bytes
                if !receipt.refused.isEmpty {
                    try DeadLetters(workspace: workspace).keep(
                        receipt.refused, of: batch, table: table, sink: sink.name)
                }
                try workspace.acknowledge(extent, by: sink.name)
                outcome.refused += receipt.refused.count
                outcome.rows += extent.rows - receipt.refused.count
                if extent.rows > 0, let source = try batch.column(named: "SourceName")?[0].stringValue {
                    outcome.rowsBySource[source, default: 0] += extent.rows - receipt.refused.count
                }
            }
        } catch { outcome.error = failure(error, sink.name, "stopped") }
    }

    private func failure(_ error: any Error, _ sink: String, _ what: String) -> OperatorError {
        OperatorError(
            error, title: "sink \(sink): \(what)",
            safe: "what was not acknowledged stays in the outbox and goes out with the next run")
    }
}

extension ServiceError {
    /// Whether the service refuses what it was told about a table, and not who asks or everything.
    fileprivate var concernsOneTable: Bool { !isRetryable && (status == 400 || status == 404) }
}

/// Rows that a sink refuses for good: kept in the workspace with the reason, so that nothing vanishes.
struct DeadLetters: Sendable {
    static let table = "VestigeDeadLetters_CL"
    static let schema = Schema([
        ("TimeGenerated", .datetime), ("SinkName", .string), ("TargetTable", .string), ("Reason", .string),
        ("Record", .dynamic),
    ])

    let workspace: Workspace

    func keep(_ refused: [RefusedRow], of batch: Batch, table: String, sink: String) throws {
        let now = SystemClock.now()
        let rows = try refused.map { letter -> [Value] in
            let values = try batch.row(letter.row)
            let record = Bag(zip(batch.schema.names, values).filter { !$1.isNull })
            return [.datetime(now), .string(sink), .string(table), .string(letter.reason), .bag(record)]
        }
        try workspace.declare(Self.table, Self.schema)
        try workspace.append(Batch(schema: Self.schema, rows: rows), to: Self.table, run: "dead-letters", now: now)
    }
}
