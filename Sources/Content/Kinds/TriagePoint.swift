/// A question of the decision tables, by the name that triage shows. The values are in CERT/CC's order, the mildest
/// first
/// (https://certcc.github.io/SSVC/reference/decision_points/); the first two are CISA's, of BOD 26-04.
package enum TriagePoint: String, Sendable, Hashable, CaseIterable {
    case inKev = "in-kev"
    case publiclyExposed = "publicly-exposed"
    case exploitation
    case systemExposure = "system-exposure"
    case automatable
    case technicalImpact = "technical-impact"
    case humanImpact = "human-impact"
    case safetyImpact = "safety-impact"
    case missionImpact = "mission-impact"
    case missionWellbeing = "mission-wellbeing"
    case missionPrevalence = "mission-prevalence"
    case publicWellbeing = "public-wellbeing"

    /// The values' names, the mildest first.
    package var values: [String] {
        switch self {
        case .inKev, .publiclyExposed, .automatable: ["no", "yes"]
        case .exploitation: ["none", "public poc", "active"]
        case .systemExposure: ["small", "controlled", "open"]
        case .technicalImpact: ["partial", "total"]
        case .humanImpact: ["low", "medium", "high", "very high"]
        case .safetyImpact: ["negligible", "marginal", "critical", "catastrophic"]
        case .missionImpact: ["degraded", "mef support crippled", "mef failure", "mission failure"]
        case .missionWellbeing: ["low", "medium", "high"]
        case .missionPrevalence: ["minimal", "support", "essential"]
        case .publicWellbeing: ["minimal", "material", "irreversible"]
        }
    }

    /// The value that a text means, by its place among the values; nil when it means none.
    ///
    /// Publishers and people write values in several ways: case and separators do not count, and some have short names.
    package func value(_ text: String) -> Int? {
        let plain = Self.plain(text)
        return values.firstIndex { Self.plain($0) == plain } ?? aliases[plain]
    }

    private var aliases: [String: Int] {
        switch self {
        case .inKev: ["n": 0, "y": 1, "false": 0, "true": 1]
        // CISA called them rapid and slow once (https://github.com/cisagov/vulnrichment/issues/327).
        case .automatable: ["n": 0, "y": 1, "false": 0, "true": 1, "slow": 0, "rapid": 1]
        case .publiclyExposed:
            ["n": 0, "y": 1, "false": 0, "true": 1, "small": 0, "controlled": 0, "open": 1]
        case .exploitation: ["poc": 1, "proofofconcept": 1]
        case .systemExposure: ["no": 1, "yes": 2]
        case .missionImpact: ["crippled": 1, "failure": 2, "mefcrippled": 1]
        default: [:]
        }
    }

    /// A text in small letters, without blanks and punctuation.
    package static func plain(_ text: String) -> String {
        String(text.lowercased().filter { $0.isLetter || $0.isNumber })
    }
}
