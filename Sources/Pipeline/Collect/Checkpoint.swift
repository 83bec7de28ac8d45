import Tables

/// Where a source stands between runs.
struct Checkpoint: Sendable {
    /// When every row went out last, ticks.
    var keyframe: Int64?
    /// When the last run was, ticks.
    var run: Int64?
    /// The latest event's own time, ticks.
    var latest: Int64?
    /// The latest time by the service's own clock up to which changes were asked for, ticks.
    var since: Int64?
    /// When everything was read last, ticks, of a source that is otherwise asked for changes.
    var full: Int64?
    /// In how many parts the last run had to ask.
    var parts: Int?
    /// The last time of which rows may be missing.
    var gap: Gap?
    /// That the last run saw so much gone that nobody believed it yet.
    var doubt: Doubt?
    /// Fields without a column that were told already.
    var reported: Set<String> = []
    /// Values that stood once for the whole answer, by column: when one is another, it is told.
    var facts: [String: String] = [:]
    /// By what to ask whether a public list has changed, and the definition that it was read by.
    var validators: FeedValidators?
    var definition: String?

    init() {}

    init(_ text: String?) {
        guard let stored = text.flatMap({ try? JSON(parsing: $0) }) else { return }
        keyframe = stored["keyframe"]?.integer
        run = stored["run"]?.integer
        latest = stored["latest"]?.integer
        since = stored["since"]?.integer
        full = stored["full"]?.integer
        parts = stored["parts"]?.integer.map { Int($0) }
        if let from = stored["gap"]?[0]?.integer, let to = stored["gap"]?[1]?.integer { gap = Gap(from: from, to: to) }
        if let since = stored["doubt"]?["since"]?.integer, let answers = stored["doubt"]?["answers"]?.integer {
            doubt = Doubt(since: since, answers: Int(answers))
        }
        reported = Set((stored["reported"]?.array ?? []).compactMap(\.string))
        if let members = stored["facts"]?.members {
            for (name, value) in zip(members.names, members.values) { facts[name] = value.string }
        }
        definition = stored["definition"]?.string
        if let place = stored["validators"]?["place"]?.string {
            validators = FeedValidators(
                place: place, entityTag: stored["validators"]?["entityTag"]?.string,
                modified: stored["validators"]?["modified"]?.string)
        }
    }

    var text: String {
        var members = JSON.Members()
        for (name, ticks) in [
            ("keyframe", keyframe), ("run", run), ("latest", latest), ("since", since), ("full", full),
        ] {
            members[name] = ticks.map { .integer($0) }
        }
        members["parts"] = parts.map { .integer(Int64($0)) }
        members["gap"] = gap.map { .array([.integer($0.from), .integer($0.to)]) }
        members["doubt"] = doubt.map { ["since": .integer($0.since), "answers": .integer(Int64($0.answers))] }
        members["reported"] = .array(reported.sorted().map { .string($0) })
        if !facts.isEmpty {
            members["facts"] = .object(
                JSON.Members(facts.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        }
        members["definition"] = definition.map { .string($0) }
        members["validators"] = validators.map { known in
            var told = JSON.Members([("place", .string(known.place))])
            told["entityTag"] = known.entityTag.map { .string($0) }
            told["modified"] = known.modified.map { .string($0) }
            return .object(told)
        }
        return JSON.object(members).text
    }
}
