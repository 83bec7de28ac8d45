/// The equations of CVSS 2.0 (https://www.first.org/cvss/v2/guide, section 3.2).
struct CVSS2 {
    private let vector: CVSS

    init(_ vector: CVSS) { self.vector = vector }

    private func weight(_ metric: String, _ weights: [String: Double]) -> Double {
        vector[metric].flatMap { weights[$0] } ?? 1
    }

    private func impact(_ required: Bool) -> Double {
        let weights = ["N": 0, "P": 0.275, "C": 0.66]
        let requirement = ["L": 0.5, "M": 1, "H": 1.51]
        let rest = [("C", "CR"), ("I", "IR"), ("A", "AR")].reduce(1.0) { rest, pair in
            rest * (1 - weight(pair.0, weights) * (required ? weight(pair.1, requirement) : 1))
        }
        let impact = 10.41 * (1 - rest)
        return required ? min(10, impact) : impact
    }

    private func base(_ impact: Double) -> Double {
        let exploitability =
            20 * weight("AV", ["L": 0.395, "A": 0.646, "N": 1]) * weight("AC", ["H": 0.35, "M": 0.61, "L": 0.71])
            * weight("Au", ["M": 0.45, "S": 0.56, "N": 0.704])
        return Self.round((0.6 * impact + 0.4 * exploitability - 1.5) * (impact == 0 ? 0 : 1.176))
    }

    private func temporal(_ base: Double) -> Double {
        Self.round(
            base * weight("E", ["U": 0.85, "POC": 0.9, "F": 0.95, "H": 1])
                * weight("RL", ["OF": 0.87, "TF": 0.9, "W": 0.95, "U": 1])
                * weight("RC", ["UC": 0.9, "UR": 0.95, "C": 1]))
    }

    var base: Double { base(impact(false)) }
    var temporal: Double { temporal(base) }

    var environmental: Double {
        let adjusted = temporal(base(impact(true)))
        let damages = ["N": 0, "L": 0.1, "LM": 0.3, "MH": 0.4, "H": 0.5]
        let damage = vector["CDP"].flatMap { damages[$0] } ?? 0
        let targets = weight("TD", ["N": 0, "L": 0.25, "M": 0.75, "H": 1])
        return max(0, Self.round((adjusted + (10 - adjusted) * damage) * targets))
    }

    /// To one decimal, halves up. What the weights give exactly lies a little off in binary: a trillionth is made good.
    /// A base score that its requirements push below nothing stays there until the damage is added.
    private static func round(_ value: Double) -> Double { (value * 10 + 0.5 + 1e-11).rounded(.down) / 10 + 0 }
}

/// The equations of CVSS 3.0 and 3.1 (https://www.first.org/cvss/v3-1/specification-document, section 7).
struct CVSS3 {
    private let vector: CVSS

    init(_ vector: CVSS) { self.vector = vector }

    private static let impacts = ["N": 0, "L": 0.22, "H": 0.56]

    private func weight(_ metric: String, _ weights: [String: Double]) -> Double {
        vector[metric].flatMap { weights[$0] } ?? 1
    }

    /// A metric's value, the modified one first.
    private func value(_ metric: String, modified: Bool) -> String {
        (modified ? vector["M" + metric] : nil) ?? vector.base(metric)
    }

    private func exploitability(modified: Bool) -> Double {
        let isChanged = value("S", modified: modified) == "C"
        func weight(_ metric: String, _ weights: [String: Double]) -> Double {
            let name = value(metric, modified: modified)
            guard let weight = weights[name] else { preconditionFailure("\(metric) has no weight for \(name)") }
            return weight
        }
        return 8.22 * weight("AV", ["N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2])
            * weight("AC", ["L": 0.77, "H": 0.44])
            * weight("PR", isChanged ? ["N": 0.85, "L": 0.68, "H": 0.5] : ["N": 0.85, "L": 0.62, "H": 0.27])
            * weight("UI", ["N": 0.85, "R": 0.62])
    }

    private func rest(modified: Bool) -> Double {
        let requirement = ["L": 0.5, "M": 1, "H": 1.5]
        return ["C", "I", "A"].reduce(1.0) { rest, metric in
            let impact = Self.impacts[value(metric, modified: modified)] ?? 0
            return rest * (1 - impact * (modified ? weight(metric + "R", requirement) : 1))
        }
    }

    private func combine(_ impact: Double, modified: Bool) -> Double {
        guard impact > 0 else { return 0 }
        let sum = impact + exploitability(modified: modified)
        return roundUp(min((value("S", modified: modified) == "C" ? 1.08 : 1) * sum, 10))
    }

    var base: Double {
        let score = 1 - rest(modified: false)
        let isChanged = vector.base("S") == "C"
        let impact = isChanged ? 7.52 * (score - 0.029) - 3.25 * Self.power(score - 0.02, 15) : 6.42 * score
        return combine(impact, modified: false)
    }

    private var temporalFactor: Double {
        weight("E", ["U": 0.91, "P": 0.94, "F": 0.97, "H": 1])
            * weight("RL", ["O": 0.95, "T": 0.96, "W": 0.97, "U": 1])
            * weight("RC", ["U": 0.92, "R": 0.96, "C": 1])
    }

    var temporal: Double { roundUp(base * temporalFactor) }

    var environmental: Double {
        let score = min(1 - rest(modified: true), 0.915)
        let isChanged = value("S", modified: true) == "C"
        let changed =
            switch vector.version {
            case .v31: 7.52 * (score - 0.029) - 3.25 * Self.power(score * 0.9731 - 0.02, 13)
            default: 7.52 * (score - 0.029) - 3.25 * Self.power(score - 0.02, 15)
            }
        return roundUp(combine(isChanged ? changed : 6.42 * score, modified: true) * temporalFactor)
    }

    private static func power(_ value: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1.0) { product, _ in product * value }
    }

    /// Up to the next tenth: 3.0 on the exact decimals, of which a trillionth may be missing in binary; 3.1 as its
    /// appendix A says, on whole numbers of hundred thousandths.
    private func roundUp(_ value: Double) -> Double {
        guard vector.version == .v31 else { return (value * 10 - 1e-11).rounded(.up) / 10 + 0 }
        let whole = Int((value * 100_000).rounded())
        return whole % 10_000 == 0 ? Double(whole) / 100_000 : Double(whole / 10_000 + 1) / 10
    }
}
