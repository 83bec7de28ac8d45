import Content
import Tables
import Workspace

/// How collecting is going: each source's last runs and next one, each sink's deliveries and what waits for it.
package struct HealthReport: Sendable {
    package struct Source: Sendable {
        /// With the tenant's or the sensor's name where there are several.
        package let name: String
        package let history: RunHistory
        /// Seconds since the last run that succeeded began; nil when none did.
        package let lagSeconds: Double?
        /// When it is due again, ticks.
        package let nextRun: Int64
        /// The last time of which rows may be missing; nil when there was none.
        package let lastGap: Gap?

        package var isFailing: Bool { history.last.error != nil }
        /// Rows that needed neither storing nor sending, of all that were read, from 0 to 1.
        package var saving: Double {
            history.rowsRead > 0 ? 1 - Double(history.rowsKept) / Double(history.rowsRead) : 0
        }
    }

    package struct Sink: Sendable {
        package let name: String
        package let deliveries: DeliveryTotals
        package let waiting: OutboxSize
        /// How much may wait before collecting pauses.
        package let bytesMax: Int
        /// Its data collection rules, or what else it is made of; empty for a sink of one part.
        package let parts: [Part]
        /// Tables that are collected and not sent, by decision: no rule of the sink names them.
        package let unsent: [String]
        /// What is known of single tables.
        package let notes: SinkNotes

        /// One data collection rule of a sink.
        package struct Part: Sendable {
            package let title: String
            /// Tables that the configuration names; nil when the rule decides.
            package let tables: [String]?
            /// Tables that the rule turned out not to have.
            package let leftOut: [String]
            /// Tables whose rows wait because the service refuses them, with what it said.
            package let held: [(table: String, reason: String)]
            package let waiting: OutboxSize
        }

        package var isFailing: Bool { deliveries.error != nil }
    }

    package let sources: [Source]
    package let sinks: [Sink]
    package let workspaceBytes: Int
    /// Of the file, bytes that hold nothing any more.
    package let workspaceFreeBytes: Int
    /// Bytes of rows that came in a day, as the last seven days had it.
    package let workspaceDailyBytes: Int
    /// Holds that stand.
    package let holds: Int
    /// Rows of every table.
    package let tables: [String: Int]
    /// What is or was wrong with the clock.
    package let clock: ClockHealth
    /// Ticks.
    package let now: Int64

    /// - Parameter now: ticks.
    package init(_ workspace: Workspace, _ library: ContentLibrary, _ configuration: Configuration, now: Int64) throws {
        self.now = now
        let planner = RunPlanner(library: library, schedules: configuration.schedules)
        sources = try workspace.runHistories().map { history in
            let checkpoint = Checkpoint(try workspace.checkpoint(of: history.last.source))
            let succeeded = history.lastSuccess.map { Double(now - $0) / Double(DateTime.ticksPerSecond) }
            return Source(
                name: history.last.source, history: history, lagSeconds: succeeded,
                nextRun: history.last.started > now + ClockJudgement.tolerance
                    ? now : planner.next(after: history.last),
                lastGap: checkpoint.gap)
        }
        let growth = try workspace.growth(since: now - 7 * DateTime.ticksPerDay)
        (workspaceFreeBytes, workspaceDailyBytes) = (growth.free, growth.added / 7)
        holds = try workspace.holds().count
        let waiting = try workspace.outboxSizes()
        let totals = try workspace.deliveryTotals()
        let names = Set(configuration.sinks.map(\.name)).union(waiting.keys).union(totals.keys)
        let waitingByTable = try workspace.outboxSizesByTable()
        tables = try workspace.rowCounts()
        let collected = Set(configuration.tables(of: library).map(\.name)).union(
            tables.keys.filter { library.tables[$0] != nil })
        sinks = try names.sorted().map { name in
            // A plan that cannot be made is told of by whoever collects.
            let plan = (try? configuration.sinks.first { $0.name == name }?.kind.plan(library)) ?? .everything
            let notes = try SinkNotes(of: name, in: workspace)
            let waits = waitingByTable[name] ?? [:]
            return Sink(
                name: name, deliveries: totals[name] ?? DeliveryTotals(), waiting: waiting[name] ?? OutboxSize(),
                bytesMax: configuration.spoolBytesMax,
                parts: plan.parts.map { Self.part($0, of: plan, notes, waits) },
                unsent: plan.unsent(of: collected), notes: notes)
        }
        workspaceBytes = workspace.sizeBytes
        clock = try ClockHealth(workspace, now: now)
    }

    private static func part(
        _ part: SinkPlan.Part, of plan: SinkPlan, _ notes: SinkNotes, _ waits: [String: OutboxSize]
    ) -> Sink.Part {
        func isHere(_ table: String) -> Bool { plan.part(of: table) == part.id }
        var waiting = OutboxSize()
        for (table, size) in waits where isHere(table) {
            waiting.extents += size.extents
            waiting.rows += size.rows
            waiting.bytes += size.bytes
        }
        return Sink.Part(
            title: part.title, tables: part.tables, leftOut: notes.leftOut.filter(isHere).sorted(),
            held: notes.held.filter { isHere($0.key) }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
            waiting: waiting)
    }
}
