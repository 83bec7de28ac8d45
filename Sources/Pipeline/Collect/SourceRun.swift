import Azure
import Content
import Foundation
import Tables
import Workspace

/// One run of one source: from its pages to rows, state and checkpoint in the workspace.
///
/// Parts are stored as they come and become visible all at once at the end. A run that is cut off goes on where it stopped when it is
/// started again soon enough; pages that cannot be read are left out and told of, and then nothing counts as gone.
struct SourceRun: Sendable {
    let endpoint: SourceEndpoint
    let table: TableDefinition
    let workspace: Workspace
    let sinks: [String]
    let keyframeDays: Int
    /// Whether an answer without rows may empty a state that had some.
    let allowsEmpty: Bool
    let isDryRun: Bool
    /// Ticks; of this attempt, not of the run that it may go on with.
    let now: Int64
    let ended: @Sendable () -> Int64

    /// How long an event is remembered, so that it does not count as new when it is given again.
    private static let eventMemory = 30 * DateTime.ticksPerDay
    /// A run that began earlier than this, or than its source's interval, begins anew: the service has other rows by now.
    private static let resumedWithin = 2 * 3_600 * DateTime.ticksPerSecond
    /// A run that stopped this often at one place is published without the rest.
    private static let failuresMax = 2
    private static let previewRows = 1_000
    /// Rows of state from which on it is doubted that more than half of them are gone at once.
    private static let doubtedFrom = 200

    private var name: String { endpoint.name }
    private var definition: SourceDefinition { endpoint.definition }

    func run(_ outcome: inout SourceOutcome, _ progress: @Sendable (CollectProgress) -> Void) async throws {
        let checkpoint = Checkpoint(try workspace.checkpoint(of: name))
        var run = try begin(checkpoint)
        let mayGoOn = !run.cursor.isNull
        do { try await read(&run, &outcome, progress, checkpoint) } catch let error as OperatorError
            where mayGoOn && error.isPassing == false
        {
            // What it was to go on with is no longer there.
            try workspace.discardRun(of: name)
            run = try begin(checkpoint)
            outcome = SourceOutcome(source: name, table: table.name)
            try await read(&run, &outcome, progress, checkpoint)
        }
    }

    /// The run that was cut off, if it can go on, or a new one.
    private func begin(_ checkpoint: Checkpoint) throws -> RunProgress {
        let text = RunProgress.definition(definition, table)
        if !isDryRun, let stored = try workspace.progress(of: name) {
            let limit = max(Self.resumedWithin, Int64(definition.intervalSeconds) * DateTime.ticksPerSecond)
            // An answer in one piece is asked for anew: a later one says more than what is left of the first.
            if let run = RunProgress(stored), run.definition == text, !run.cursor.isNull, now - run.started < limit {
                return run
            }
            try workspace.discardRun(of: name)
        }
        let isKeyframe = checkpoint.keyframe.map { now - $0 >= Int64(keyframeDays) * DateTime.ticksPerDay } ?? true
        return RunProgress(started: now, isKeyframe: isKeyframe, definition: text)
    }

    private func read(
        _ run: inout RunProgress, _ outcome: inout SourceOutcome, _ progress: @Sendable (CollectProgress) -> Void,
        _ checkpoint: Checkpoint
    ) async throws {
        var detector = ChangeDetector(
            table: table, source: name, workspace: workspace, now: run.started, isKeyframe: run.isKeyframe,
            counts: run.counts)
        let transform = Transform(source: definition, table: table, now: run.started)
        let fingerprint =
            try definition.secrets.isEmpty ? nil : Fingerprint(of: definition.secrets, workspace: workspace.path)
        var notes = DecodeNotes()
        var failure: (any Error)?
        outcome.bytes = run.bytes
        outcome.pages = run.pages
        do {
            let endpoint = try DeviceNames(workspace: workspace).resolved(endpoint)
            try await PageFetcher(endpoint: endpoint, now: run.started, since: checkpoint.run).pages(from: run.cursor) {
                fetched in
                try Task.checkCancellation()
                switch fetched {
                case .lost(let error, let next):
                    run.lost.append(error.got ?? error.title)
                    if outcome.error == nil { outcome.error = error }
                    if !next.isNull { run.cursor = next }
                case .page(let page, let bytes, let next, let given, let isLatest):
                    notes.add(page)
                    let batch = try fingerprint.map { try $0.hide(in: page.batch) } ?? page.batch
                    let rows = try transform.apply(batch, given: given)
                    if isLatest, let gap = try gap(rows, page.batch.count, checkpoint) { run.gaps.append(gap) }
                    if let given, definition.absence == .goneFromDevice { try detector.touch(given) }
                    try detector.take(rows)
                    run.pages += 1
                    run.bytes += bytes
                    run.counts = detector.counts
                    run.cursor = next
                    run.failures = 0
                    run.unknown.formUnion(page.unknownFields)
                }
                (outcome.pages, outcome.bytes, outcome.counts) = (run.pages, run.bytes, run.counts)
                progress(.page(source: name, rows: detector.counts.read))
                if isDryRun {
                    outcome.preview = Self.first(Self.previewRows, of: detector.pending)
                } else if detector.isFull {
                    try detector.store(progress: run.text)
                }
            }
        } catch {
            failure = error
        }
        outcome.notes = notes.lines(source: name, known: checkpoint.reported)
        outcome.gaps = run.gaps
        for gap in run.gaps {
            outcome.notes.append(
                "\(name) gives the latest \(definition.cap ?? 0) rows only: some between \(DateTime.format(gap.from)) and \(DateTime.format(gap.to)) may be missing; let it run more often (now every \(definition.intervalSeconds / 60) min)"
            )
        }
        if let failure {
            // A run that a person ends, that the service refuses, or whose disk is full has nothing more to store.
            guard let error = failure as? OperatorError, error.isPassing == true, !isDryRun, run.pages > 0 else {
                throw failure
            }
            run.failures += 1
            try detector.store(progress: run.text)
            guard run.failures >= Self.failuresMax, run.counts.read > 0 else { throw error }
            // It stops at this place again and again: what came before it is kept, and nothing counts as gone.
            run.lost.append(error.got ?? error.title)
            outcome.error = error
        }
        try finish(&detector, &run, &outcome, checkpoint)
    }

    private func finish(
        _ detector: inout ChangeDetector, _ run: inout RunProgress, _ outcome: inout SourceOutcome,
        _ checkpoint: Checkpoint
    ) throws {
        let isWhole = run.lost.isEmpty
        var isDoubted = false
        if isWhole, table.kind == .state, definition.absence == .gone, !allowsEmpty {
            let before = try workspace.stateCount(of: name)
            let c = detector.counts
            let gone = before - (c.changed + c.unchanged + c.snapshot)
            isDoubted = !checkpoint.isDoubted && before >= Self.doubtedFrom && gone * 2 > before
            if isDoubted {
                outcome.error = OperatorError(
                    "source \(name) gave far fewer rows than before",
                    got: "\(gone) of \(before) rows are not in the answer",
                    means: "this is more often an answer that is not whole than the truth",
                    safe: "what came is stored, and nothing counts as gone yet",
                    next: "nothing: when the next run says the same it is believed; at once with --allow-empty")
            }
            if c.read == 0, before > 0 {
                try workspace.discardRun(of: name)
                throw OperatorError(
                    "source \(name) gave no rows at all",
                    got: "an empty answer, while the last run left \(before) rows",
                    means: "this is more often an outage or a lost permission than an empty estate",
                    safe: PageFetcher.safe,
                    next:
                        "if it is right, accept it with: vestige collect --once --allow-empty --source \(definition.id)"
                )
            }
        }
        if isDryRun { return }
        if !isWhole, outcome.error == nil {
            outcome.error = OperatorError(
                "source \(name) was not read as a whole", got: run.lost.joined(separator: "; "),
                safe: "what could be read is stored, and nothing counts as gone",
                next: "the next run reads everything again")
        }
        let text = run.text
        if isWhole, !isDoubted, definition.absence != .unknown {
            let nameless = try detector.removeUnseen(inTouchedBuckets: definition.absence == .goneFromDevice) { text }
            if nameless > 0 {
                outcome.notes.append(
                    "\(nameless) rows of \(name) are gone whose values are no longer stored; they are told of without them"
                )
            }
        }
        try detector.store(progress: text)
        outcome.counts = detector.counts
        // What was read of a time that somebody chose says nothing about the time until now.
        let isUntilNow = isWhole && endpoint.choice.range == nil
        // Of a source's first run, what is missing comes as added: nothing of it has to go out again.
        let isCopy = run.isKeyframe && (isWhole && !isDoubted || checkpoint.keyframe == nil)
        let next = Checkpoint(
            keyframe: isCopy ? run.started : checkpoint.keyframe, run: isUntilNow ? run.started : checkpoint.run,
            latest: detector.latestTime.map { max($0, checkpoint.latest ?? $0) } ?? checkpoint.latest,
            isDoubted: isDoubted,
            reported: checkpoint.reported.union(run.unknown))
        let limit = table.kind == .event ? BucketRule.hour(now - Self.eventMemory) : nil
        try workspace.publish(
            outcome.record(started: run.started, ended: ended()), to: table.name, checkpoint: next.text, sinks: sinks,
            forgottenBelow: limit)
    }

    /// The time of which rows may be missing: an answer that is full, of which even the earliest row is later than all that is known.
    private func gap(_ rows: Batch, _ count: Int, _ checkpoint: Checkpoint) throws -> Gap? {
        guard let cap = definition.cap, count >= cap, let latest = checkpoint.latest, let time = table.time,
            let earliest = try rows.column(named: time)?.values.compactMap(\.ticks).min(), earliest > latest
        else { return nil }
        return Gap(from: latest, to: earliest)
    }

    private static func first(_ count: Int, of batches: [Batch]) -> [Batch] {
        var left = count
        return batches.prefix { batch in
            defer { left -= batch.count }
            return left > 0
        }
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
            "\(found.count) rows of \(source) had a \(column) that could not be read; kept in the column Unmapped, first at \(found.first)"
        }
        let new = unknown.subtracting(known)
        if !new.isEmpty {
            lines.append(
                "\(source) gives new fields, kept in the column Unmapped: \(new.sorted().prefix(8).joined(separator: ", "))"
            )
        }
        return lines
    }
}
