import Tables

/// A definition, signature, policy, setting or patch that stops or limits techniques, and how its state is read.
package struct ControlDefinition: Sendable {
    /// What is missing where the control is off.
    package enum Class: String, Sendable, CaseIterable {
        case missingDefinition = "missing-definition"
        case missingSignature = "missing-signature"
        case missingPolicy = "missing-policy"
        case missingSetting = "missing-setting"
        case misconfiguration
        case missingPatch = "missing-patch"
        case noneEffective = "none-effective"
    }

    /// Where the state at a minute comes from.
    package enum Reading: String, Sendable, CaseIterable {
        /// `DeviceTvmSecureConfigurationAssessment`, by the control's id.
        case configuration
        /// The control's own query.
        case query
        /// `DeviceTvmSoftwareVulnerabilities`, by CVE.
        case vulnerability
        /// Exclusions of the antivirus in the registry.
        case exclusion
        /// No table tells: only what happened shows that it was missing.
        case organisation
    }

    /// What the control does to a technique.
    package struct Stop: Sendable {
        package enum Effect: String, Sendable, CaseIterable, Comparable {
            case detect, limit, prevent
            package static func < (a: Effect, b: Effect) -> Bool {
                Effect.allCases.firstIndex(of: a) ?? 0 < Effect.allCases.firstIndex(of: b) ?? 0
            }
        }
        /// How sure the basis is that the control has this effect.
        package enum Confidence: String, Sendable, CaseIterable { case low, medium, high }

        package let technique: String
        package let effect: Effect
        /// Higher is better founded: 3 a named rule or a map of exploited flaws, 2 the vendor, 1 a class, 0 inference.
        package let basis: Int
        package let confidence: Confidence
    }

    package let id: String
    package let title: String
    package let kind: Class
    /// Controls that close the same gap.
    package let sameAs: [String]
    /// What shows that the control is missing, for people; nil where the assessment says so itself.
    package let gap: String?
    /// The GUID of the attack surface reduction rule that the control is
    /// (https://learn.microsoft.com/defender-endpoint/attack-surface-reduction-rules-reference).
    package let rule: String?
    package let reading: Reading
    /// KQL that gives DeviceId, TimeGenerated, ChangeType, IsOff and Shown.
    package let state: String?
    /// Action types by which the control says that it would have stopped something, and that it did.
    package let audited: [String]
    package let blocked: [String]
    /// Whether only an attack meets it: what it stops proves an attempt by itself.
    package let isAttempt: Bool
    package let stops: [Stop]
    package let file: String

    init(yaml: Fields, file: String) throws {
        self.file = file
        try yaml.only([
            "id", "title", "class", "sameAs", "gap", "reads", "state", "rule", "audited", "blocked", "attempt", "stops",
        ])
        id = try yaml.string("id")
        title = try yaml.string("title")
        kind = try Self.choice(yaml, "class")
        reading = try Self.choice(yaml, "reads")
        sameAs = try yaml.strings("sameAs")
        gap = try yaml.optionalString("gap")
        rule = try yaml.optionalString("rule")
        if let rule, !GUID.isValid(rule) {
            throw yaml.fail("'rule' is the GUID of an attack surface reduction rule, not \"\(rule)\"", at: "rule")
        }
        state = try yaml.optionalString("state")
        audited = try yaml.strings("audited")
        blocked = try yaml.strings("blocked")
        isAttempt = try yaml.optionalBool("attempt") ?? false
        stops = try yaml.list("stops").map { stop in
            try stop.only(["technique", "effect", "basis", "confidence"])
            let basis = try stop.string("basis")
            let ranks = ["inference": 0, "class": 1, "vendor": 2, "kev-map": 3, "named": 3]
            guard let rank = ranks[basis] else {
                throw stop.fail("'basis' must be one of \(ranks.keys.sorted().joined(separator: ", "))", at: "basis")
            }
            return Stop(
                technique: try stop.string("technique"), effect: try Self.choice(stop, "effect"), basis: rank,
                confidence: try Self.choice(stop, "confidence"))
        }
        guard (state != nil) == (reading == .query) else {
            throw yaml.fail("'state' belongs to 'reads: query' and to no other", at: "state")
        }
    }

    private static func choice<T: RawRepresentable & CaseIterable>(_ yaml: Fields, _ name: String) throws -> T
    where T.RawValue == String {
        let text = try yaml.string(name)
        guard let value = T(rawValue: text) else {
            let known = T.allCases.map(\.rawValue).joined(separator: ", ")
            throw yaml.fail("'\(name)' must be one of \(known), not \"\(text)\"", at: name)
        }
        return value
    }
}
