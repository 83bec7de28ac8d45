/// A decision table of triage: `Content/Triage/*.yaml` with `kind: model` or `kind: point`.
package struct DecisionTable: Sendable {
    /// What a combination of values leads to.
    package struct Outcome: Sendable, Hashable {
        /// The decision's name.
        package let id: String
        /// What is to be done.
        package let title: String
        /// Calendar days until it is late; nil when the table gives none.
        package let days: Int?
        /// Whether the device is to be looked at for traces of an attack.
        package let needsForensics: Bool
    }

    package let id: String
    package let title: String
    package let version: String
    package let file: String
    /// The point whose value the table gives; nil for a model, which gives a decision.
    package let gives: TriagePoint?
    package let points: [TriagePoint]
    /// The mildest first.
    package let outcomes: [Outcome]
    /// The outcome of each combination, by `index(of:)`.
    private let cells: [Int]
    /// Points of which what CISA published stands before a person's word.
    package let published: Set<TriagePoint>
    /// Points that controls change.
    package let controlled: Set<TriagePoint>
    /// Values of points of which nothing is known.
    package let unknown: [TriagePoint: Int]
    /// The same for what is in the catalogue of known exploited vulnerabilities.
    package let unknownInKev: [TriagePoint: Int]

    init(yaml: Fields) throws {
        try yaml.only([
            "id", "kind", "title", "version", "points", "outcomes", "published", "controlled", "unknown",
            "unknownInKev",
            "rows",
        ])
        file = yaml.file
        id = try yaml.string("id")
        title = try yaml.string("title")
        version = try yaml.string("version")
        points = try Self.points(yaml, "points")
        outcomes = try yaml.list("outcomes").map { outcome in
            try outcome.only(["id", "title", "days", "forensics"])
            return Outcome(
                id: try outcome.string("id"), title: try outcome.optionalString("title") ?? outcome.string("id"),
                days: try outcome.optionalInt("days"),
                needsForensics: try outcome.optionalBool("forensics") ?? false)
        }
        published = Set(try Self.points(yaml, "published"))
        controlled = Set(try Self.points(yaml, "controlled"))
        unknown = try yaml.pointValues("unknown")
        unknownInKev = try yaml.pointValues("unknownInKev")
        cells = try Self.cells(yaml, points, outcomes)
        if try yaml.string("kind") == Kind.point.rawValue {
            guard let point = TriagePoint(rawValue: id) else {
                throw yaml.fail("'id' must name the point whose value the table gives", at: "id")
            }
            guard outcomes.map(\.id) == point.values else {
                throw yaml.fail("the outcomes must be \(point.values.joined(separator: ", "))", at: "outcomes")
            }
            gives = point
        } else {
            gives = nil
        }
    }

    package enum Kind: String, Sendable, CaseIterable { case model, point, derivation }

    private static func points(_ yaml: Fields, _ name: String) throws -> [TriagePoint] {
        try yaml.placedStrings(name).map { text in
            guard let point = TriagePoint(rawValue: text.text) else {
                throw ContentProblem(text.place, "there is no point '\(text.text)' of triage")
            }
            return point
        }
    }

    /// Reads rows of the form `no, yes, no, total -> 14D`: one for every combination, none twice.
    private static func cells(_ yaml: Fields, _ points: [TriagePoint], _ outcomes: [Outcome]) throws -> [Int] {
        var cells = [Int?](repeating: nil, count: points.reduce(1) { $0 * $1.values.count })
        for row in try yaml.placedStrings("rows") {
            let halves = row.text.split(separator: "->").map(\.trimmed)
            let names = halves.first?.split(separator: ",").map(\.trimmed) ?? []
            guard halves.count == 2, names.count == points.count else {
                throw ContentProblem(row.place, "a row is written 'value, value … -> outcome', a value a point")
            }
            var values: [Int] = []
            for (name, point) in zip(names, points) {
                guard let value = point.values.firstIndex(of: name) else {
                    throw ContentProblem(row.place, "\(point.rawValue) has no value '\(name)'")
                }
                values.append(value)
            }
            guard let outcome = outcomes.firstIndex(where: { $0.id == halves[1] }) else {
                throw ContentProblem(row.place, "there is no outcome '\(halves[1])'")
            }
            let i = index(of: values, points)
            guard cells[i] == nil else { throw ContentProblem(row.place, "this combination stands twice") }
            cells[i] = outcome
        }
        let missing = cells.filter { $0 == nil }.count
        guard missing == 0 else { throw yaml.fail("\(missing) combinations have no row", at: "rows") }
        return cells.compactMap { $0 }
    }

    private static func index(of values: [Int], _ points: [TriagePoint]) -> Int {
        zip(values, points).reduce(0) { $0 * $1.1.values.count + $1.0 }
    }

    /// The place among the outcomes that values lead to, one for each of the points.
    package func outcome(_ values: [Int]) -> Int {
        precondition(values.count == points.count, "the table \(id) has \(points.count) points")
        return cells[Self.index(of: values, points)]
    }
}

extension Fields {
    /// Points with a value each, as places among the points' values.
    func pointValues(_ name: String) throws -> [TriagePoint: Int] {
        var values: [TriagePoint: Int] = [:]
        for pair in try placedTexts(name) {
            guard let point = TriagePoint(rawValue: pair.name), let value = point.values.firstIndex(of: pair.text)
            else {
                throw ContentProblem(pair.place, "there is no point '\(pair.name)' with a value '\(pair.text)'")
            }
            values[point] = value
        }
        return values
    }
}
