import Content
import Foundation
import KQLEngine
import Metrics
import Tables
import Workspace

/// Runs sources: fetches, decodes, transforms, finds changes, stores them with the checkpoint, and sends them on.
package struct Collector: Sendable {
    private let workspace: Workspace
    private let library: ContentLibrary
    private let sinks: [any Sink]
    private let keyframeDays: Int
    /// Bytes that may wait for any one sink before collecting pauses.
    private let spoolBytesMax: Int
    /// Ticks; injected, so that a simulated tenant's time can be followed.
    private let clock: @Sendable () -> Int64
    /// Whether an answer without rows may empty a state that had some.
    private let allowsEmpty: Bool
    /// Sources that run at the same time.
    private static let concurrencyMax = 4

    package init(
        workspace: Workspace, library: ContentLibrary, sinks: [any Sink], keyframeDays: Int = 7, spoolBytesMax: Int = 10 << 30,
        allowsEmpty: Bool = false,
        clock: @escaping @Sendable () -> Int64 = { SystemClock.now() }
    ) {
        self.workspace = workspace
        self.library = library
        self.sinks = sinks
        self.keyframeDays = keyframeDays
        self.spoolBytesMax = spoolBytesMax
        self.allowsEmpty = allowsEmpty
        self.clock = clock
    }

    /// Runs the sources side by side, then empties the outbox. A source that fails does not stop the others.
    package func run(
        _ endpoints: [SourceEndpoint], isDryRun: Bool = false, progress: @escaping @Sendable (CollectProgress) -> Void = { _ in }
    ) async -> CollectReport {
        var report = CollectReport()
        if !isDryRun, let full = await fullSpool(&report) {
            report.spool = full
            return report
        }
        await withTaskGroup(of: SourceOutcome.self) { group in
            var rest = endpoints[...]
            for _ in 0..<Self.concurrencyMax {
                if let endpoint = rest.popFirst() { group.addTask { await collect(endpoint, isDryRun, progress) } }
            }
            for await outcome in group {
                report.sources.append(outcome)
                progress(.finished(outcome))
                if let endpoint = rest.popFirst() { group.addTask { await collect(endpoint, isDryRun, progress) } }
            }
        }
        report.sources.sort { $0.source < $1.source }
        if !isDryRun {
            if !sinks.isEmpty { progress(.sending(sink: sinks.map(\.name).joined(separator: ", "))) }
            report.sinks = await Delivery(workspace: workspace).deliver(to: sinks)
        }
        return report
    }

    /// Makes room for a sink that has too much to get; what is wrong when that does not succeed.
    private func fullSpool(_ report: inout CollectReport) async -> OperatorError? {
        func over() throws -> (sink: String, bytes: Int)? {
            let known = Set(sinks.map(\.name))
            return try workspace.outboxBytes().filter { known.contains($0.key) && $0.value > spoolBytesMax }.max { $0.value < $1.value }
                .map { (sink: $0.key, bytes: $0.value) }
        }
        do {
            guard try over() != nil else { return nil }
            report.sinks = await Delivery(workspace: workspace).deliver(to: sinks)
            guard let (sink, bytes) = try over() else { return nil }
            return OperatorError(
                "collecting pauses: sink \(sink) does not keep up", got: "\(bytes >> 20) MB wait for it, more than the \(spoolBytesMax >> 20) MB of 'spoolMB'",
                means: report.sinks.first { $0.sink == sink }?.error?.got, safe: "nothing is lost; what is new at the sources is collected when there is room",
                next: "mend the sink, raise 'spoolMB', or take the sink out of the configuration")
        } catch { return OperatorError(error, title: "the outbox cannot be read") }
    }

    private func collect(
        _ endpoint: SourceEndpoint, _ isDryRun: Bool, _ progress: @escaping @Sendable (CollectProgress) -> Void
    ) async -> SourceOutcome {
        var outcome = SourceOutcome(source: endpoint.name, table: endpoint.definition.table)
        let started = ContinuousClock.now
        let now = clock()
        progress(.started(source: endpoint.name))
        do { try await run(endpoint, now, isDryRun, &outcome, progress) } catch {
            outcome.error = OperatorError(error, title: "source \(endpoint.name) stopped", safe: PageFetcher.safe)
        }
        outcome.seconds = (ContinuousClock.now - started).seconds
        if let error = outcome.error, !isDryRun {
            // A disk that is full cannot keep the note either; the failure is told all the same.
            try? workspace.note(record(outcome, now, error: [error.got, error.means].compactMap { $0 }.joined(separator: ": ")))
        }
        Counter(label: "vestige_rows_read", dimensions: [("source", endpoint.name)]).increment(by: outcome.counts.read)
        Counter(label: "vestige_rows_kept", dimensions: [("source", endpoint.name)]).increment(by: outcome.counts.kept)
        return outcome
    }

    private func run(
        _ endpoint: SourceEndpoint, _ now: Int64, _ isDryRun: Bool, _ outcome: inout SourceOutcome,
        _ progress: @escaping @Sendable (CollectProgress) -> Void
    ) async throws {
        guard let table = library.tables[endpoint.definition.table] else {
            throw OperatorError(
                "source \(endpoint.name) cannot run", got: "there is no table \(endpoint.definition.table) in the content", next: "vestige content check",
                isConfiguration: true)
        }
        let checkpoint = Checkpoint(try workspace.checkpoint(of: endpoint.name))
        let isKeyframe = checkpoint.keyframe.map { now - $0 >= Int64(keyframeDays) * DateTime.ticksPerDay } ?? true
        let previous = try workspace.state(of: endpoint.name)
        var detector = ChangeDetector(table: table, source: endpoint.name, now: now, isKeyframe: isKeyframe, previous: previous)
        let transform = Transform(source: endpoint.definition, table: table, sensorName: endpoint.sensorName, now: now)
        let secrets = endpoint.definition.secrets
        let fingerprint = try secrets.isEmpty ? nil : Fingerprint(of: secrets, workspace: workspace.path)
        var notes = DecodeNotes()
        try await PageFetcher(endpoint: endpoint, now: now).pages { page, bytes in
            try Task.checkCancellation()
            outcome.pages += 1
            outcome.bytes += bytes
            notes.add(page)
            let batch = try fingerprint.map { try $0.hide(in: page.batch) } ?? page.batch
            try detector.take(try transform.apply(batch))
            outcome.counts = detector.counts
            progress(.page(source: endpoint.name, rows: detector.counts.read))
        }
        if table.kind == .state, detector.counts.read == 0, !previous.isEmpty, !allowsEmpty {
            throw OperatorError(
                "source \(endpoint.name) gave no rows at all", got: "an empty answer, while the last run left \(previous.count) rows",
                means: "this is more often an outage or a lost permission than an empty estate", safe: PageFetcher.safe,
                next: "if it is right, accept it with: vestige collect --once --allow-empty --source \(endpoint.definition.id)")
        }
        var commit = RunCommit(table: table.name)
        if table.kind == .state {
            commit.removals = try detector.finish { try workspace.labels(of: endpoint.name, $0) }
        } else {
            commit.removals = try workspace.keys(of: endpoint.name, labelBelow: now - Self.eventMemory)
        }
        outcome.counts = detector.counts
        outcome.notes = notes.lines(source: endpoint.name, known: checkpoint.reported)
        if isDryRun {
            outcome.preview = detector.batches
            return
        }
        commit.batches = detector.batches.isEmpty ? [] : [Batch.concatenate(detector.batches, schema: table.schema)]
        commit.upserts = detector.upserts
        commit.checkpoint = Checkpoint(keyframe: isKeyframe ? now : checkpoint.keyframe, run: now, reported: checkpoint.reported.union(notes.unknown)).text
        commit.sinks = sinks.map(\.name)
        try workspace.commit(commit, record(outcome, now, error: nil), now: now)
    }

    /// How long an event is remembered, so that it does not count as new when it is given again.
    private static let eventMemory = 30 * DateTime.ticksPerDay

    private func record(_ outcome: SourceOutcome, _ now: Int64, error: String?) -> RunRecord {
        RunRecord(
            id: UUID().uuidString.lowercased(), source: outcome.source, started: now, ended: clock(), rowsRead: outcome.counts.read,
            rowsChanged: outcome.counts.kept, bytes: outcome.bytes, error: error)
    }
}

/// Where a source stands, as stored between runs.
struct Checkpoint: Sendable {
    /// When every row went out last, ticks.
    var keyframe: Int64?
    /// When the last run was, ticks.
    var run: Int64?
    /// Fields without a column that were told already.
    var reported: Set<String>

    init(keyframe: Int64?, run: Int64?, reported: Set<String>) {
        self.keyframe = keyframe
        self.run = run
        self.reported = reported
    }

    init(_ text: String?) {
        let bag = text.flatMap { try? JSONReader.parse($0) }?.bagValue
        keyframe = bag?["keyframe"]?.longValue
        run = bag?["run"]?.longValue
        reported = Set((bag?["reported"]?.arrayValue ?? []).map(\.text))
    }

    var text: String {
        JSONWriter.string(
            .bag(
                Bag([
                    ("keyframe", keyframe.map { .long($0) } ?? .null), ("run", run.map { .long($0) } ?? .null),
                    ("reported", .array(reported.sorted().map { .string($0) })),
                ])))
    }
}

/// What decoding a run's pages came upon, one line for each kind.
struct DecodeNotes {
    private(set) var unknown: Set<String> = []
    private var unreadable: [String: (count: Int, first: String)] = [:]
    private var page = 0

    mutating func add(_ page: RecordPage) {
        self.page += 1
        unknown.formUnion(page.unknownFields)
        for cell in page.unreadable {
            let first = "page \(self.page) row \(cell.firstRow): \"\(cell.example)\""
            unreadable[cell.column, default: (0, first)].count += cell.count
        }
    }

    /// - Parameter known: fields that were told before.
    func lines(source: String, known: Set<String>) -> [String] {
        var lines = unreadable.sorted { $0.key < $1.key }.map { column, found in
            "\(found.count) rows of \(source) had a \(column) that could not be read; kept without it, first at \(found.first)"
        }
        let new = unknown.subtracting(known)
        if !new.isEmpty {
            lines.append("\(source) gives new fields, kept in the column Unmapped: \(new.sorted().prefix(8).joined(separator: ", "))")
        }
        return lines
    }
}

extension Duration {
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
