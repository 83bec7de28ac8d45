import Content
import Tables
import Workspace

/// What a run makes of rows that did not come.
struct AbsenceFinding {
    /// Whether nothing counts as gone.
    var isHeld = false
    var doubt: Doubt?
}

/// What keeps a bad answer from changing what is stored.
extension SourceRun {
    /// Fails when a column without which the answer is another list is in no row.
    func expectColumns(_ page: RecordPage) throws {
        guard page.batch.count > 0 else { return }
        // A column whose cells cannot be read is there, and told of.
        let unreadable = Set(page.unreadable.map(\.column))
        let missing = try definition.required.filter { !unreadable.contains($0) }.filter { name in
            guard let column = try page.batch.column(named: name) else { return true }
            return (0..<page.batch.count).allSatisfy { column.isNull($0) || column[$0] == .string("") }
        }
        guard !missing.isEmpty else { return }
        let others = page.unknownFields.prefix(Self.namesMax).joined(separator: ", ")
        throw OperatorError(
            "source \(name) gave other columns than it should",
            got: "no \(missing.joined(separator: ", ")) in \(page.batch.count) rows; "
                + (others.isEmpty ? "and nothing else in its place" : "columns that are not known: \(others)"),
            means: "the publisher renamed its columns, or this is another list", safe: PageFetcher.safe,
            next:
                "compare with the columns of \(definition.id) in the content; a copy with the new names helps"
        )
    }

    private static let namesMax = 12

    /// Fails when there is nothing though there was something, or when no row could be kept.
    func refuseEmpty(
        _ run: RunProgress, _ absence: SourceDefinition.Absence, _ counts: ChangeCounts, _ outcome: inout SourceOutcome
    ) throws {
        if run.refused.count > 0 {
            outcome.notes.append(
                """
                \(run.refused.count) rows of \(name) have no key (\(table.key.joined(separator: ", "))) and were not \
                stored, first: \(run.refused.example)
                """)
        }
        guard counts.read == 0 else { return }
        if run.refused.count > 0 {
            if !isDryRun { try workspace.discardRun(of: name) }
            let expected = definition.columns.map(\.name).joined(separator: ", ")
            let keys = table.key.joined(separator: ", ")
            throw OperatorError(
                "source \(name) gave no row that tells what it is of",
                got:
                    "\(run.refused.count) rows without \(keys), first: \(run.refused.example)",
                means: "the answer is a message, or its columns were renamed", safe: PageFetcher.safe,
                next:
                    "look at the answer; the source expects the columns \(expected)"
            )
        }
        let isSnapshot = table.kind == .state && absence == .gone
        guard run.lost.isEmpty, isSnapshot || isPublicList, !allowsEmpty, !definition.mayBeEmpty else { return }
        let before = try workspace.stateCount(of: name)
        guard before > 0 else {
            if isPublicList { outcome.notes.append("\(name) gave no rows: the list is empty") }
            return
        }
        if !isDryRun { try workspace.discardRun(of: name) }
        throw OperatorError(
            "source \(name) gave no rows at all",
            got: "an empty answer, while the last run left \(before) rows",
            means: "this is more often an outage or a lost permission than an empty estate",
            safe: PageFetcher.safe,
            next: "if it is right, accept it with: vestige collect --once --allow-empty --source \(definition.id)")
    }

    /// Whether rows that did not come count as gone.
    func judge(
        _ run: RunProgress, _ counts: ChangeCounts, _ checkpoint: Checkpoint, _ outcome: inout SourceOutcome
    ) throws -> AbsenceFinding {
        guard table.kind == .state, !allowsEmpty else { return AbsenceFinding() }
        let before = try workspace.stateCount(of: name)
        let gone = before - (counts.changed + counts.unchanged + counts.snapshot)
        // A row that came without its key may be any of those that did not come.
        if run.refused.count > 0, gone > 0, isPublicList || gone <= run.refused.count {
            outcome.notes.append(
                "\(gone) rows of \(name) did not come; nothing counts as gone, since rows without their key may be those"
            )
            return AbsenceFinding(isHeld: true, doubt: checkpoint.doubt)
        }
        let guarding = AbsenceGuard(isPublicList: isPublicList)
        switch guarding.judge(before: before, gone: gone, doubt: checkpoint.doubt, now: run.started) {
        case .plausible: return AbsenceFinding()
        case .believed(let doubt):
            outcome.notes.append(
                "\(gone) of \(before) rows of \(name) count as gone now: \(doubt.answers) answers agreed since "
                    + DateTime.format(doubt.since))
            return AbsenceFinding()
        case .doubted(let doubt):
            outcome.error = OperatorError(
                "source \(name) gave far fewer rows than before",
                got: "\(gone) of \(before) rows are not in the answer, \(Self.times(doubt.answers)) since "
                    + DateTime.format(doubt.since),
                means: "this is more often an answer that is not whole than the truth",
                safe: "what came is stored, and nothing counts as gone yet",
                next: "nothing: it is believed when \(AbsenceGuard.answersMin) answers agree over "
                    + "\(AbsenceGuard.span / (3_600 * DateTime.ticksPerSecond)) hours; at once with: "
                    + "vestige collect --once --allow-empty --source \(definition.id)")
            return AbsenceFinding(isHeld: true, doubt: doubt)
        }
    }

    private static func times(_ count: Int) -> String { count == 1 ? "for the first time" : "\(count) times" }

    /// By what to ask whether a public list has changed; nil when every row is wanted, or wanted anew.
    func validators(_ checkpoint: Checkpoint, _ run: RunProgress) throws -> FeedValidators? {
        guard isPublicList, !run.isKeyframe, !isDryRun, !allowsEmpty, checkpoint.definition == run.definition,
            checkpoint.validators != nil, try workspace.stateCount(of: name) > 0
        else { return nil }
        return checkpoint.validators
    }

    /// Ends a run of which the server says that nothing has changed.
    func keepAsItIs(_ run: RunProgress, _ outcome: inout SourceOutcome, _ checkpoint: Checkpoint) throws {
        outcome.counts.unchanged = try workspace.stateCount(of: name)
        var next = checkpoint
        next.run = run.started
        try workspace.publish(
            outcome.record(started: run.started, ended: ended()), to: table.name, checkpoint: next.text, sinks: sinks)
    }
}
