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

        package var isFailing: Bool { deliveries.error != nil }
    }

    package let sources: [Source]
    package let sinks: [Sink]
    package let workspaceBytes: Int
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
            let succeeded = history.lastSuccess.map { Double(now - $0) / Double(DateTime.ticksPerSecond) }
            return Source(
                name: history.last.source, history: history, lagSeconds: succeeded,
                nextRun: history.last.started > now + ClockJudgement.tolerance ? now : planner.next(after: history.last)
            )
        }
        let waiting = try workspace.outboxSizes()
        let totals = try workspace.deliveryTotals()
        let names = Set(configuration.sinks.map(\.name)).union(waiting.keys).union(totals.keys)
        sinks = names.sorted().map { name in
            Sink(
                name: name, deliveries: totals[name] ?? DeliveryTotals(), waiting: waiting[name] ?? OutboxSize(),
                bytesMax: configuration.spoolBytesMax)
        }
        workspaceBytes = workspace.sizeBytes
        tables = try workspace.rowCounts()
        clock = try ClockHealth(workspace, now: now)
    }
}
