import ArgumentParser
import Foundation
import Pipeline
import Tables
import Workspace

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows how collecting is going: sources, sinks, and the workspace.",
        discussion: """
            vestige status
            vestige status --tables
            vestige status --format prometheus
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, prometheus }

    @Flag(help: "List the tables too.") var tables = false
    @Option(help: "text, json, or prometheus.") var format = Format.text
    @OptionGroup var options: SessionOptions

    func run() async throws {
        let session = try Session.open(options, for: .reading)
        try options.refuseMissingWorkspace(session.configuration)
        let report = try session.health()
        for mistake in session.configuration.mistakes(in: session.library) { options.console.warn(mistake.rendered) }
        switch format {
        case .prometheus: Console.out(PrometheusText.write(report))
        case .json: Console.out(json: JSONWriter.string(StatusText.json(report)) + "\n")
        case .text:
            let size =
                Workspace.exists(session.workspace.path)
                ? "\(Human.bytes(report.workspaceBytes)), \(Human.count(report.tables.values.reduce(0, +))) rows"
                : "not there yet"
            Console.out("workspace  \(session.workspace.path), \(size)\n")
            if report.workspaceDailyBytes > 0 || report.workspaceFreeBytes > 0 {
                Console.out(
                    "growth     about \(Human.bytes(report.workspaceDailyBytes)) a day in the last week, "
                        + "\(Human.bytes(report.workspaceFreeBytes)) of the file are free\n")
            }
            if report.holds > 0 { Console.out("holds      \(report.holds), see vestige hold list\n") }
            for line in report.clock.lines { Console.out("clock      \(line)\n") }
            if tables {
                Console.out(
                    "\n"
                        + StatusText.tables(report, try session.schemas()).rendered(
                            width: Console.outputWidth))
            }
            if report.sources.isEmpty {
                Console.out("\nnothing was collected yet; next: vestige collect --once\n")
            } else {
                Console.out("\n" + StatusText.sources(report).rendered(width: Console.outputWidth))
                for source in report.sources {
                    if let error = source.history.last.error { Console.draw("\n\(source.name): \(error)\n") }
                    if let gap = source.lastGap { Console.out("\n" + StatusText.gap(gap, of: source) + "\n") }
                }
                Console.out("\n" + StatusText.saving(report) + "\n")
            }
            if !report.sinks.isEmpty {
                Console.out("\n" + StatusText.sinks(report).rendered(width: Console.outputWidth))
                for sink in report.sinks {
                    for line in StatusText.tables(of: sink) { Console.draw("\n\(line)\n") }
                    if let error = sink.deliveries.error { Console.out("\n\(error)\n") }
                }
            }
        }
        if report.sources.contains(where: \.isFailing) || report.sinks.contains(where: \.isFailing) {
            throw ExitCode(1)
        }
    }
}

/// The health report for people, and for programs that are no Prometheus.
enum StatusText {
    static func sources(_ report: HealthReport) -> TextTable {
        var table = TextTable(
            ["source", "last run", "age", "next", "read", "kept", "received", "time", "result"],
            numbers: [false, false, true, true, true, true, true, true, false])
        for s in report.sources {
            let last = s.history.last
            let result =
                last.error == nil
                ? "ok" : s.history.failuresInARow > 1 ? "failed \(s.history.failuresInARow) times" : "failed"
            table.append([
                s.name, String(DateTime.format(last.started).prefix(16)) + "Z", s.lagSeconds.map(Self.age) ?? "never",
                s.nextRun <= report.now
                    ? "due" : Self.age(Double(s.nextRun - report.now) / Double(DateTime.ticksPerSecond)),
                Human.count(last.rowsRead),
                Human.count(last.rowsChanged), Human.bytes(last.bytes),
                Human.seconds(Double(last.ended - last.started) / Double(DateTime.ticksPerSecond)), result,
            ])
        }
        return table
    }

    static func sinks(_ report: HealthReport) -> TextTable {
        var table = TextTable(
            ["sink", "sent", "on the wire", "refused", "waiting", "of at most", "last delivery", "result"],
            numbers: [false, true, true, true, true, true, false, false])
        for s in report.sinks {
            table.append([
                s.name, Human.count(s.deliveries.rows), Human.bytes(s.deliveries.bytes),
                Human.count(s.deliveries.refused),
                "\(Human.count(s.waiting.rows)) rows, \(Human.bytes(s.waiting.bytes))", Human.bytes(s.bytesMax),
                s.deliveries.lastSuccess.map { String(DateTime.format($0).prefix(16)) + "Z" } ?? "never",
                s.isFailing ? "failed" : "ok",
            ])
        }
        return table
    }

    /// What a sink does not get, and why: one line for each reason.
    static func tables(of sink: HealthReport.Sink) -> [String] {
        var lines: [String] = []
        func list(_ names: [String]) -> String { names.joined(separator: ", ") }
        if !sink.unsent.isEmpty {
            lines.append("sink \(sink.name): not sent, by decision, since no rule names them: \(list(sink.unsent))")
        }
        for part in sink.parts {
            let name = "sink \(sink.name), rule \(part.title)"
            if !part.leftOut.isEmpty { lines.append("\(name): not in this rule, and not sent: \(list(part.leftOut))") }
            for (table, reason) in part.held { lines.append("\(name): \(table) is held back: \(reason)") }
        }
        if !sink.notes.shortened.isEmpty {
            let columns = sink.notes.shortened.sorted { $0.key < $1.key }.map { "\($0.key) (\(Human.count($0.value)))" }
            lines.append(
                "sink \(sink.name): values cut to the length that it keeps, whole in the workspace: \(list(columns))")
        }
        return lines
    }

    static func tables(_ report: HealthReport, _ schemas: [String: Schema]) -> TextTable {
        var table = TextTable(["table", "rows", "columns"], numbers: [false, true, true])
        for (name, schema) in schemas.sorted(by: { $0.key < $1.key }) {
            table.append([name, Human.count(report.tables[name] ?? 0), String(schema.count)])
        }
        return table
    }

    static func saving(_ report: HealthReport) -> String {
        let (read, kept, runs) = report.sources.reduce((0, 0, 0)) {
            ($0.0 + $1.history.rowsRead, $0.1 + $1.history.rowsKept, $0.2 + $1.history.runs)
        }
        guard read > 0 else { return "no rows were read yet" }
        let share = Int((100 - 100 * Double(kept) / Double(read)).rounded())
        return
            "\(Human.count(read)) rows were read in \(Human.count(runs)) runs, \(Human.count(kept)) were new: \(share) % less to store and send"
    }

    /// The last time of which rows may be missing.
    static func gap(_ gap: Gap, of source: HealthReport.Source) -> String {
        func minute(_ ticks: Int64) -> String { "\(DateTime.format(ticks).prefix(16))Z" }
        let count = source.history.gaps > 1 ? ", the last of \(source.history.gaps) gaps" : ""
        return "\(source.name): rows between \(minute(gap.from)) and \(minute(gap.to)) may be missing\(count)"
    }

    /// A length of time in its greatest unit.
    private static func age(_ seconds: Double) -> String {
        switch seconds {
        case ..<90: "\(Int(max(seconds, 0))) s"
        case ..<5_400: "\(Int(seconds / 60)) min"
        case ..<172_800: "\(Int(seconds / 3_600)) h"
        default: "\(Int(seconds / 86_400)) d"
        }
    }

    static func json(_ report: HealthReport) -> Value {
        func number(_ n: Int) -> Value { .long(Int64(n)) }
        func time(_ ticks: Int64?) -> Value { ticks.map { .datetime($0) } ?? .null }
        let sources = report.sources.map { s -> Value in
            let last = s.history.last
            return .bag(
                Bag([
                    ("source", .string(s.name)), ("lastRun", time(last.started)),
                    ("lastSuccess", time(s.history.lastSuccess)), ("nextRun", time(s.nextRun)),
                    ("lagSeconds", s.lagSeconds.map { .real($0) } ?? .null), ("rowsRead", number(last.rowsRead)),
                    ("rowsKept", number(last.rowsChanged)),
                    ("bytes", number(last.bytes)), ("error", last.error.map { .string($0) } ?? .null),
                    ("runs", number(s.history.runs)),
                    ("failures", number(s.history.failures)), ("failuresInARow", number(s.history.failuresInARow)),
                    ("saving", .real(s.saving)), ("gaps", number(s.history.gaps)),
                    (
                        "lastGap",
                        s.lastGap.map { .array([.datetime($0.from), .datetime($0.to)]) } ?? .null
                    ),
                ]))
        }
        let sinks = report.sinks.map { s -> Value in
            .bag(
                Bag([
                    ("sink", .string(s.name)), ("rowsSent", number(s.deliveries.rows)),
                    ("bytesSent", number(s.deliveries.bytes)),
                    ("rowsRefused", number(s.deliveries.refused)), ("rowsWaiting", number(s.waiting.rows)),
                    ("bytesWaiting", number(s.waiting.bytes)),
                    ("bytesWaitingMax", number(s.bytesMax)), ("lastDelivery", time(s.deliveries.lastSuccess)),
                    ("error", s.deliveries.error.map { .string($0) } ?? .null),
                    ("notSent", Self.names(s.unsent)), ("rules", .array(s.parts.map(Self.json))),
                    (
                        "shortened",
                        .bag(Bag(s.notes.shortened.sorted { $0.key < $1.key }.map { ($0.key, number($0.value)) }))
                    ),
                ]))
        }
        let tables = report.tables.sorted { $0.key < $1.key }.map { ($0.key, number($0.value)) }
        return .bag(
            Bag([
                ("time", time(report.now)), ("workspaceBytes", number(report.workspaceBytes)),
                ("workspaceFreeBytes", number(report.workspaceFreeBytes)),
                ("workspaceDailyBytes", number(report.workspaceDailyBytes)), ("holds", number(report.holds)),
                ("sources", .array(sources)), ("sinks", .array(sinks)),
                ("clock", .array(report.clock.lines.map { .string($0) })),
                ("tables", .bag(Bag(tables))),
            ]))
    }

    private static func names(_ names: [String]) -> Value { .array(names.map { .string($0) }) }

    private static func json(_ part: HealthReport.Sink.Part) -> Value {
        let held = part.held.map { ($0.table, Value.string($0.reason)) }
        return .bag(
            Bag([
                ("rule", .string(part.title)), ("tables", part.tables.map(names) ?? .null),
                ("notInRule", names(part.leftOut)), ("heldBack", .bag(Bag(held))),
                ("rowsWaiting", .long(Int64(part.waiting.rows))), ("bytesWaiting", .long(Int64(part.waiting.bytes))),
            ]))
    }
}
