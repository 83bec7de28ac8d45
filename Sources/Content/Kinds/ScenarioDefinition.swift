import Tables

/// A scripted course of events for the lab, with the truth that an investigation must find.
package struct ScenarioDefinition: Sendable {
    /// What an investigation must answer; devices by the scenario's names for them.
    package struct Truth: Sendable {
        package struct Cause: Sendable, Equatable {
            package let device: String
            /// A control's id, or a CVE.
            package let control: String
        }

        package struct Harm: Sendable, Equatable {
            package let device: String
            /// A category under Havoc/.
            package let what: String
        }

        /// `intrusion`, `prevented` or `none`.
        package let verdict: String
        /// How somebody came in, and where; nil where nobody did.
        package let entry: (device: String, vector: String)?
        package let causes: [Cause]
        package let harm: [Harm]
        /// From which device to which, in the order of time.
        package let path: [(from: String, to: String)]
        /// What stopped a step.
        package let held: [Cause]
    }

    package let id: String
    package let title: String
    package let description: String
    package let truth: Truth
    /// The scenario as the lab reads it: finished texts, times in milliseconds after the first midnight.
    package let script: JSON
    /// Names of the devices as an investigation shows them, by the scenario's names for them.
    package let names: [String: String]
    /// Columns that rows fill, with the file's place: for the check against the tables.
    let used: [(table: String, column: String, text: String?, place: String)]
    /// Names and addresses, which no two scenarios share.
    let places: [String]
    package let file: String

    static let verdicts: Set<String> = ["intrusion", "prevented", "none"]

    init(yaml: Fields, file: String) throws {
        self.file = file
        try yaml.only(["id", "title", "description", "begins", "devices", "plant", "running", "steps", "truth"])
        id = try yaml.string("id")
        title = try yaml.string("title")
        description = try yaml.string("description").trimmed
        var writer = ScenarioWriter(try ScenarioCast(yaml))
        for process in try yaml.list("running") { try writer.run(process) }
        for step in try yaml.list("steps") { try writer.step(step) }
        used = writer.used
        names = writer.cast.names
        places = writer.cast.places
        script = writer.script(name: id, begins: try yaml.optionalInt("begins") ?? 0)
        guard let told = try yaml.optionalFields("truth") else { throw yaml.fail("'truth' is missing") }
        truth = try Self.truth(told, writer.cast)
    }

    private static func truth(_ yaml: Fields, _ cast: ScenarioCast) throws -> Truth {
        try yaml.only(["verdict", "entry", "causes", "harm", "path", "held"])
        let verdict = try yaml.string("verdict")
        guard verdicts.contains(verdict) else {
            throw yaml.fail("'verdict' is one of \(verdicts.sorted().joined(separator: ", "))", at: "verdict")
        }
        func device(_ fields: Fields, _ key: String = "device") throws -> String {
            let name = try fields.string(key)
            guard cast.names[name] != nil else { throw fields.fail("there is no device '\(name)'", at: key) }
            return name
        }
        func causes(_ key: String) throws -> [Truth.Cause] {
            try yaml.list(key).map {
                try $0.only(["device", "control"])
                return Truth.Cause(device: try device($0), control: try $0.string("control"))
            }
        }
        let entry = try yaml.optionalFields("entry").map { entry in
            try entry.only(["device", "vector"])
            return (device: try device(entry), vector: try entry.string("vector"))
        }
        return Truth(
            verdict: verdict, entry: entry, causes: try causes("causes"),
            harm: try yaml.list("harm").map {
                try $0.only(["device", "what"])
                return Truth.Harm(device: try device($0), what: try $0.string("what"))
            },
            path: try yaml.list("path").map {
                try $0.only(["from", "to"])
                return (from: try device($0, "from"), to: try device($0, "to"))
            }, held: try causes("held"))
    }
}

/// Times of a scenario, in milliseconds after its first midnight.
enum ScenarioTime {
    /// Reads `1d 09:12:30` or `-6d 02:00`.
    static func read(_ fields: Fields, _ key: String) throws -> Int64 {
        let text = try fields.string(key)
        guard let match = text.wholeMatch(of: /(-?\d{1,2})d (\d{2}):(\d{2})(?::(\d{2}))?/),
            let day = Int64(match.1), let hour = Int64(match.2), let minute = Int64(match.3), hour < 24, minute < 60
        else { throw fields.fail("'\(key)' is a time such as 1d 09:12:30, not \"\(text)\"", at: key) }
        let second = match.4.flatMap { Int64($0) } ?? 0
        return (((day * 24 + hour) * 60 + minute) * 60 + second) * 1_000
    }

    /// Reads `500ms`, `2s`, `3m`, `1h` or `1d`.
    static func span(_ fields: Fields, _ key: String) throws -> Int64 {
        let text = try fields.string(key)
        let units: [Substring: Int64] = ["ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let match = text.wholeMatch(of: /(\d{1,5})(ms|s|m|h|d)/), let count = Int64(match.1),
            let unit = units[match.2]
        else { throw fields.fail("'\(key)' is a span such as 2s or 1d, not \"\(text)\"", at: key) }
        return count * unit
    }
}
