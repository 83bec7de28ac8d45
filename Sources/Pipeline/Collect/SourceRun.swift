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
    /// The content's sources, of which one lists the devices.
    let sources: [SourceDefinition]
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

    var name: String { endpoint.name }
    var definition: SourceDefinition { endpoint.definition }
    var isPublicList: Bool { definition.service == .web }

    func run(_ outcome: inout SourceOutcome, _ progress: @Sendable (CollectProgress) -> Void) async throws {
        let checkpoint = Checkpoint(try workspace.checkpoint(of: name)).corrected(now: now)
        var notes: [String] = []
        var run = try begin(checkpoint, &notes)
        let mayGoOn = run.cursor != .start
        do { try await read(&run, &outcome, progress, checkpoint) } catch let error as OperatorError
            where mayGoOn && error.isPassing == false
        {
            // What it was to go on with is no longer there.
            notes.append("\(name) begins anew instead of going on: \(error.got ?? error.title)")
            try workspace.discardRun(of: name)
            run = try begin(checkpoint, &notes)
            outcome = SourceOutcome(source: name, table: table.name)
            try await read(&run, &outcome, progress, checkpoint)
        }
        outcome.notes = notes + outcome.notes
    }

    /// The run that was cut off, if it can go on, or a new one.
    private func begin(_ checkpoint: Checkpoint, _ notes: inout [String]) throws -> RunProgress {
        let text = RunProgress.definition(definition, table)
        if !isDryRun, let stored = try workspace.progress(of: name) {
            let limit = max(Self.resumedWithin, Int64(definition.intervalSeconds) * DateTime.ticksPerSecond)
            do {
                let run = try RunProgress(stored: stored)
                // An answer in one piece is asked for anew: a later one says more than what is left of the first.
                if run.definition == text, run.cursor != .start, now - run.started < limit,
                    run.started <= now + ClockJudgement.tolerance
                {
                    return run
                }
            } catch {
                notes.append("\(name) begins anew: another version of the program left a run that cannot go on here")
            }
            try workspace.discardRun(of: name)
        }
        let isKeyframe = checkpoint.keyframe.map { now - $0 >= Int64(keyframeDays) * DateTime.ticksPerDay } ?? true
        var run = RunProgress(started: now, isKeyframe: isKeyframe, definition: text)
        if let gap = reach(of: run, checkpoint).gap, endpoint.choice.range == nil { run.gaps = [gap] }
        return run
    }

    /// From when on a run asks.
    private func reach(of run: RunProgress, _ checkpoint: Checkpoint) -> Reach {
        let every = definition.since?.full.map { Int64($0) * DateTime.ticksPerSecond }
        let isDue = every.map { run.started - (checkpoint.full ?? 0) >= $0 } ?? false
        // Before everything was read once, changes alone do not make a state.
        let isFirst = table.kind == .state && checkpoint.full == nil
        return Reach(
            definition, checkpoint, now: run.started,
            isFull: isDue || isFirst || run.isKeyframe && table.kind == .state, first: endpoint.choice.since,
            memory: table.kind == .event ? Self.eventMemory - DateTime.ticksPerDay : nil)
    }

    /// What it means in this run that a row does not come.
    private func absence(in run: RunProgress, _ checkpoint: Checkpoint) -> SourceDefinition.Absence {
        reach(of: run, checkpoint).isPartial ? .unknown : definition.absence
    }

    private func read(
        _ run: inout RunProgress, _ outcome: inout SourceOutcome, _ progress: @Sendable (CollectProgress) -> Void,
        _ checkpoint: Checkpoint
    ) async throws {
        var detector = ChangeDetector(
            table: table, source: name, workspace: workspace, now: run.started, isKeyframe: run.isKeyframe,
            counts: run.counts)
        let transform = try Transform(source: definition, table: table, now: run.started)
        let fingerprint =
            try definition.secrets.isEmpty ? nil : Fingerprint(of: definition.secrets, workspace: workspace.path)
        let keys = KeyGuard(table, given: definition.givenColumn)
        var notes = DecodeNotes()
        var told = RunNotices()
        var failure: (any Error)?
        outcome.bytes = run.bytes
        outcome.pages = run.pages
        do {
            let endpoint = try DeviceNames(workspace: workspace, sources: sources).resolved(endpoint)
            let fetcher = PageFetcher(
                endpoint: endpoint, now: run.started, reach: reach(of: run, checkpoint), parts: checkpoint.parts,
                validators: try validators(checkpoint, run))
            try await fetcher.pages(from: run.cursor) { fetched in
                try Task.checkCancellation()
                switch fetched {
                case .lost(let error, let next):
                    run.lost.append(error.got ?? error.title)
                    if outcome.error == nil { outcome.error = error }
                    if let next { run.cursor = next }
                case .skipped(let note): run.skipped.append(note)
                case .division(let parts, let note):
                    run.parts = parts
                    if let note { outcome.notes.append(note) }
                case .unchanged: told.isUnchanged = true
                case .validators(let validators): told.validators = validators
                case .note(let note): told.notes.append(note)
                case .page(let page, let bytes, let next, let given, let isLatest):
                    try expectColumns(page)
                    notes.add(page)
                    try told.add(page, announced: isPublicList ? definition.list.announced : [])
                    let batch = try fingerprint.map { try $0.hide(in: page.batch) } ?? page.batch
                    let split = try keys.split(try transform.apply(batch, given: given))
                    let rows = split.kept
                    run.refused.add(split.refused)
                    if isLatest, let gap = try gap(rows, page.batch.count, checkpoint) { run.add(gap) }
                    run.latest = Self.later(run.latest, try latest(in: page.batch))
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
        outcome.notes += notes.lines(source: name, known: checkpoint.reported) + run.skipped
        outcome.notes += told.lines(source: name, known: checkpoint.facts)
        outcome.gaps = run.gaps
        outcome.notes += run.gaps.map(note)
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
        if told.isUnchanged, run.pages == 0 { return try keepAsItIs(run, &outcome, checkpoint) }
        try finish(&detector, run, &outcome, checkpoint, told)
    }

    private func finish(
        _ detector: inout ChangeDetector, _ run: RunProgress, _ outcome: inout SourceOutcome,
        _ checkpoint: Checkpoint, _ told: RunNotices
    ) throws {
        let isWhole = run.lost.isEmpty
        let absence = run.skipped.isEmpty ? absence(in: run, checkpoint) : .unknown
        try refuseEmpty(run, absence, detector.counts, &outcome)
        let finding =
            isWhole && absence == .gone ? try judge(run, detector.counts, checkpoint, &outcome) : AbsenceFinding()
        if isDryRun { return }
        if !isWhole, outcome.error == nil {
            outcome.error = OperatorError(
                "source \(name) was not read as a whole", got: run.lost.joined(separator: "; "),
                safe: "what could be read is stored, and nothing counts as gone",
                next: "the next run reads everything again")
        }
        let text = run.text
        if isWhole, !finding.isHeld, absence != .unknown {
            let nameless = try detector.removeUnseen(inTouchedBuckets: absence == .goneFromDevice) { text }
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
        let isCopy = run.isKeyframe && (isWhole && !finding.isHeld || checkpoint.keyframe == nil)
        var next = checkpoint
        if isCopy { next.keyframe = run.started }
        if isUntilNow { next.run = run.started }
        if isUntilNow, reach(of: run, checkpoint).isFull { next.full = run.started }
        next.latest = Self.later(detector.latestTime, checkpoint.latest)
        next.since = Self.later(run.latest, checkpoint.since)
        next.parts = run.parts ?? checkpoint.parts
        next.gap = run.gaps.last ?? checkpoint.gap
        next.doubt = finding.doubt
        next.reported.formUnion(run.unknown)
        next.facts.merge(told.facts) { _, new in new }
        // What was not believed as a whole is read again, whether it has changed or not.
        next.validators = isWhole && !finding.isHeld && run.refused.count == 0 ? told.validators : nil
        next.definition = run.definition
        // By the events' own times: a clock that is ahead must not forget what the service will give again.
        let today = min(now, next.latest ?? now)
        let limit = table.kind == .event ? BucketRule.hour(today - Self.eventMemory) : nil
        try workspace.publish(
            outcome.record(started: run.started, ended: max(run.started, ended())), to: table.name,
            checkpoint: next.text, sinks: sinks,
            forgottenBelow: limit)
    }

    /// The time of which rows may be missing: an answer that is full, of which even the earliest row is later than all that is known.
    private func gap(_ rows: Batch, _ count: Int, _ checkpoint: Checkpoint) throws -> Gap? {
        guard let cap, count >= cap, let latest = checkpoint.latest, let time = table.time,
            let earliest = try rows.column(named: time)?.values.compactMap(\.ticks).min(), earliest > latest
        else { return nil }
        return Gap(from: latest, to: earliest)
    }

    /// What is said of a time of which rows may be missing.
    private func note(_ gap: Gap) -> String {
        let times = "between \(DateTime.format(gap.from)) and \(DateTime.format(gap.to))"
        if let cap, definition.lookbackMax.map({ now - gap.from < Int64($0) * DateTime.ticksPerSecond }) ?? true {
            return """
                \(name) gives the latest \(cap) rows only: some \(times) may be missing; let it run more often (now every \
                \(definition.intervalSeconds / 60) min)
                """
        }
        let days = (definition.lookbackMax ?? 0) / 86_400
        return "\(name) goes back \(days) days only: rows \(times) may be missing, since it did not run meanwhile"
    }

    /// Rows that an answer holds at most, the latest ones.
    private var cap: Int? {
        if case .appliance(let request, _, _) = endpoint.call { request.cap } else { nil }
    }

    /// The latest time in the payload's column that decides from when on the next run asks.
    private func latest(in page: Batch) throws -> Int64? {
        guard let rule = definition.since, let name = rule.column, let column = try page.column(named: name) else {
            return nil
        }
        return column.values.compactMap { value in
            switch rule.form {
            case .datetime: value.ticks
            case .milliseconds: value.longValue.flatMap { DateTime.ticks(unixMilliseconds: $0) }
            }
        }.max()
    }

    /// The later of two times that may not be known.
    private static func later(_ a: Int64?, _ b: Int64?) -> Int64? { [a, b].compactMap { $0 }.max() }

    private static func first(_ count: Int, of batches: [Batch]) -> [Batch] {
        var left = count
        return batches.prefix { batch in
            defer { left -= batch.count }
            return left > 0
        }
    }
}
