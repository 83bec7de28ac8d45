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
    /// Values that were cut because the sink keeps no longer ones, by `Table.Column`.
    package fileprivate(set) var shortened: [String: Int] = [:]
    /// Tables that turned out to be in no rule of the sink, told once.
    package fileprivate(set) var leftOut: [String] = []
    /// Tables of which rows wait because the sink, or the part of it that they go by, refuses them now.
    package fileprivate(set) var blocked: Set<String> = []
    /// Parts of the sink that took nothing more.
    package fileprivate(set) var stoppedParts: Set<String> = []
    package fileprivate(set) var errors: [OperatorError] = []

    /// The first of what went wrong.
    package var error: OperatorError? { errors.first }

    /// What a person should know though nothing is wrong with the delivery.
    package var notes: [String] {
        var notes: [String] = []
        if !leftOut.isEmpty {
            notes.append(
                "sink \(sink): not in its rule, and not sent: \(leftOut.joined(separator: ", ")); they stay in the "
                    + "workspace. To send them, declare their streams")
        }
        for (column, count) in shortened.sorted(by: { $0.key < $1.key }) {
            notes.append(
                "sink \(sink): \(count) values of \(column) were cut to the length that it keeps; they are whole in the "
                    + "workspace")
        }
        if refused > 0 {
            notes.append(
                "sink \(sink) refused \(refused) rows for good; they are kept with the reason in \(DeadLetters.table)")
        }
        return notes
    }
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
        repeat {
            // What an earlier round could not send is tried again; what it found is told once.
            (outcome.errors, outcome.blocked, outcome.stoppedParts) = ([], [], [])
            await send(to: sink, &outcome)
        } while !gate.leave(sink.name)
        let reasons = outcome.errors.map { [$0.title, $0.got].compactMap { $0 }.joined(separator: ": ") }
        if outcome.rows + outcome.refused > 0 || !reasons.isEmpty {
            try? workspace.noteDelivery(
                to: sink.name, rows: outcome.rows, bytes: outcome.bytes, refused: outcome.refused,
                error: reasons.isEmpty
                    ? nil : reasons.map { SteeringCharacters.replaced(in: $0) }.joined(separator: "\n"),
                now: SystemClock.now())
        }
        return outcome
    }

    private func send(to sink: any Sink, _ outcome: inout DeliveryOutcome) async {
        do {
            var round = DeliveryRound(
                sink: sink, workspace: workspace, notes: try SinkNotes(of: sink.name, in: workspace))
            let before = round.notes
            do { try await round.run(&outcome) } catch {
                outcome.errors.append(round.failure(error, "stopped"))
                outcome.stoppedParts.formUnion(sink.plan.parts.isEmpty ? [""] : sink.plan.parts.map(\.id))
            }
            if round.notes != before { try round.notes.store(for: sink.name, in: workspace) }
        } catch {
            outcome.errors.append(
                OperatorError(error, title: "sink \(sink.name): stopped", safe: DeliveryRound.safe))
        }
    }
}

/// One pass over what waits for a sink.
private struct DeliveryRound {
    let sink: any Sink
    let workspace: Workspace
    var notes: SinkNotes
    /// What the service has against single tables, by part and table.
    private var refusals: [String: [(table: String, error: ServiceError)]] = [:]
    static let safe = "what was not acknowledged stays in the outbox and goes out with the next run"

    init(sink: any Sink, workspace: Workspace, notes: SinkNotes) {
        self.sink = sink
        self.workspace = workspace
        self.notes = notes
    }

    mutating func run(_ outcome: inout DeliveryOutcome) async throws {
        let schemas = try workspace.schemas()
        let plan = sink.plan
        var unsent: Set<String> = []
        for (extent, table) in try workspace.pending(for: sink.name) {
            try Task.checkCancellation()
            guard let part = plan.part(of: table) else {
                // The configuration no longer sends the table.
                if unsent.insert(table).inserted { try workspace.withdraw(table, from: sink.name) }
                continue
            }
            if outcome.stoppedParts.contains(part) { outcome.blocked.insert(table) }
            guard !outcome.blocked.contains(table), let schema = schemas[table] else { continue }
            do { try await send(extent, table, schema, &outcome) } catch let error as ServiceError
                where error.concernsOneTable
            {
                outcome.blocked.insert(table)
                refusals[part, default: []].append((table, error))
            } catch let error as WorkspaceError { throw error } catch is CancellationError {
                throw CancellationError()
            } catch {
                // Whatever else it is, the other parts of the sink have not refused anything.
                outcome.blocked.insert(table)
                outcome.stoppedParts.insert(part)
                let title = plan.parts.first { $0.id == part }.map { "rule \($0.title) stopped" } ?? "stopped"
                outcome.errors.append(failure(error, title))
            }
        }
        notes.held = notes.held.filter { outcome.blocked.contains($0.key) }
        notes.leftOut.subtract(notes.taken)
        for (part, refused) in refusals.sorted(by: { $0.key < $1.key }) {
            try await settle(refused, of: part, &outcome)
        }
    }

    private mutating func send(
        _ extent: ExtentInfo, _ table: String, _ schema: Schema, _ outcome: inout DeliveryOutcome
    ) async throws {
        let batch = workspace.extent(extent, schema: schema)
        let receipt = try await sink.send(batch, table: table)
        outcome.bytes += receipt.bytes
        if !receipt.refused.isEmpty {
            try DeadLetters(workspace: workspace).keep(receipt.refused, of: batch, table: table, sink: sink.name)
        }
        try workspace.acknowledge(extent, by: sink.name)
        let taken = extent.rows - receipt.refused.count
        outcome.refused += receipt.refused.count
        outcome.rows += taken
        for (column, count) in receipt.shortened {
            outcome.shortened["\(table).\(column)", default: 0] += count
            notes.shortened["\(table).\(column)", default: 0] += count
        }
        if taken > 0 { notes.taken.insert(table) }
        if extent.rows > 0, let source = try batch.column(named: "SourceName")?[0].stringValue {
            outcome.rowsBySource[source, default: 0] += taken
        }
    }

    /// Decides what becomes of tables that a part of the sink refused, once the others had their turn.
    ///
    /// Where nobody said which tables the part takes, a table that it never took is not one of its own: it is left out
    /// and told of. That needs proof that the part takes anything at all, since a wrong address refuses everything
    /// likewise.
    private mutating func settle(
        _ refused: [(table: String, error: ServiceError)], of part: String, _ outcome: inout DeliveryOutcome
    ) async throws {
        var held = refused
        if sink.plan.isOpen(part) {
            let known = notes.taken
            let isAlive =
                known.contains { sink.plan.part(of: $0) == part } ? true : await sink.takesAny(part)
            if isAlive {
                held = refused.filter { known.contains($0.table) }
                for (table, _) in refused where !known.contains(table) {
                    try workspace.withdraw(table, from: sink.name)
                    outcome.blocked.remove(table)
                    if notes.leftOut.insert(table).inserted { outcome.leftOut.append(table) }
                }
            }
        }
        for (table, error) in held { notes.held[table] = error.got }
        guard let first = held.first else { return }
        let tables = held.map(\.table).sorted().joined(separator: ", ")
        let title = held.count == 1 ? "table \(tables) is held back" : "\(held.count) tables are held back: \(tables)"
        outcome.errors.append(failure(first.error, title))
    }

    func failure(_ error: any Error, _ what: String) -> OperatorError {
        var told = OperatorError(error, title: "sink \(sink.name): \(what)", safe: Self.safe)
        told.safe = told.safe ?? Self.safe
        return told
    }
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
