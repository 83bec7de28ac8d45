/// The scoring of CVSS 4.0 (https://www.first.org/cvss/v4-0/specification-document, section 8): a vector's macrovector
/// has a score, from which its distance to the most severe vector of the same macrovector is taken, in proportion to
/// the distance to the next macrovector below.
struct CVSS4 {
    private let vector: CVSS
    private let baseOnly: Bool

    /// - Parameter baseOnly: whether threat and environment are left out.
    init(_ vector: CVSS, baseOnly: Bool = false) {
        self.vector = vector
        self.baseOnly = baseOnly
    }

    /// What counts of a metric: the modified value, the base value, or the worst case of what is not defined.
    private func value(_ metric: String) -> String {
        switch metric {
        case "E": return (baseOnly ? nil : vector["E"]) ?? "A"
        case "CR", "IR", "AR": return (baseOnly ? nil : vector[metric]) ?? "H"
        default: return (baseOnly ? nil : vector["M" + metric]) ?? vector.base(metric)
        }
    }

    /// A macrovector: one level each of exploitability, complexity, impact on the system, on others, threat, and
    /// requirements; level 0 is the most severe.
    private struct Macro {
        var eq1: Int, eq2: Int, eq3: Int, eq4: Int, eq5: Int, eq6: Int

        /// Tenths; nil when there is no such macrovector.
        var score: Int? {
            guard eq1 < 3, eq2 < 2, eq3 < 3, eq4 < 3, eq5 < 3, eq6 < 2, !(eq3 == 2 && eq6 == 0) else { return nil }
            let pair = eq3 == 2 ? 4 : eq3 * 2 + eq6
            return CVSS4.scores[(eq1 * 2 + eq2) * 5 + pair][eq4 * 3 + eq5]
        }
    }

    private var macro: Macro {
        let av = value("AV"), pr = value("PR"), ui = value("UI")
        let open = [av, pr, ui].filter { $0 == "N" }.count
        let vc = value("VC") == "H", vi = value("VI") == "H", va = value("VA") == "H"
        let isSafety = value("SI") == "S" || value("SA") == "S"
        let others = ["SC", "SI", "SA"].contains { value($0) == "H" }
        let needed =
            value("CR") == "H" && vc || value("IR") == "H" && vi || value("AR") == "H" && va
        return Macro(
            eq1: open == 3 ? 0 : open > 0 && av != "P" ? 1 : 2,
            eq2: value("AC") == "L" && value("AT") == "N" ? 0 : 1,
            eq3: vc && vi ? 0 : vc || vi || va ? 1 : 2,
            eq4: isSafety ? 0 : others ? 1 : 2,
            eq5: ["A": 0, "P": 1].first { $0.key == value("E") }?.value ?? 2,
            eq6: needed ? 0 : 1)
    }

    /// The score, 0 to 10.
    var score: Double {
        if ["VC", "VI", "VA", "SC", "SI", "SA"].allSatisfy({ value($0) == "N" }) { return 0 }
        let macro = macro
        guard let top = macro.score else { preconditionFailure("every vector has a macrovector") }
        let distances = distances(macro)
        var below: [(distance: Int, depth: Int, score: Int)] = []
        func lower(_ change: (inout Macro) -> Void, _ distance: Int, _ depth: Int) {
            var next = macro
            change(&next)
            if let score = next.score { below.append((distance, depth, score)) }
        }
        lower({ $0.eq1 += 1 }, distances.eq1, [1, 4, 5][macro.eq1])
        lower({ $0.eq2 += 1 }, distances.eq2, [1, 2][macro.eq2])
        if let next = belowImpact(macro) {
            below.append((distances.eq36, [[7, 6], [8, 8], [10, 10]][macro.eq3][macro.eq6], next))
        }
        lower({ $0.eq4 += 1 }, distances.eq4, [6, 5, 4][macro.eq4])
        // The threat has one vector a level: nothing is taken off, but it counts in the mean.
        lower({ $0.eq5 += 1 }, 0, 1)
        let highest = Double(top) / 10
        var taken = 0.0
        for next in below {
            taken += (highest - Double(next.score) / 10) * (Double(next.distance) / Double(next.depth))
        }
        let mean = below.isEmpty ? 0 : taken / Double(below.count)
        // Halves go up; what is a half exactly lies a little off in binary.
        return ((min(10, max(0, highest - mean)) + 1e-6) * 10 + 0.5).rounded(.down) / 10
    }

    /// The score of the next macrovector below in impact and requirements, which hang together.
    private func belowImpact(_ macro: Macro) -> Int? {
        var byRequirement = macro
        byRequirement.eq6 += 1
        var byImpact = macro
        byImpact.eq3 += 1
        switch (macro.eq3, macro.eq6) {
        case (0, 0): return [byRequirement.score, byImpact.score].compactMap { $0 }.max()
        case (1, 0): return byRequirement.score
        default: return byImpact.score
        }
    }

    /// How far the vector lies below the first most severe vector of its macrovector that is nowhere less severe.
    private func distances(_ macro: Macro) -> (eq1: Int, eq2: Int, eq36: Int, eq4: Int) {
        let impact = Self.highest36[macro.eq3 == 2 ? 4 : macro.eq3 * 2 + macro.eq6]
        for one in Self.highest1[macro.eq1] {
            for two in Self.highest2[macro.eq2] {
                for three in impact {
                    let parts = [one, two, three, Self.highest4[macro.eq4]].map(steps)
                    if parts.allSatisfy({ $0.allSatisfy { $0 >= 0 } }) {
                        let sums = parts.map { $0.reduce(0, +) }
                        return (sums[0], sums[1], sums[2], sums[3])
                    }
                }
            }
        }
        preconditionFailure("every vector lies below a most severe one of its macrovector")
    }

    /// Steps of severity by which the vector lies below the values of a highest vector, metric by metric.
    private func steps(_ highest: String) -> [Int] {
        highest.split(separator: "/").map { field in
            let parts = field.split(separator: ":")
            let order = Self.order(String(parts[0]))
            guard let mine = order.firstIndex(of: Character(value(String(parts[0])))),
                let top = order.firstIndex(of: Character(String(parts[1])))
            else { preconditionFailure("\(field) has no severity") }
            return order.distance(from: top, to: mine)
        }
    }

    /// A metric's values, the most severe first.
    private static func order(_ metric: String) -> String {
        switch metric {
        case "AV": "NALP"
        case "PR": "NLH"
        case "UI": "NPA"
        case "AC": "LH"
        case "AT": "NP"
        case "CR", "IR", "AR": "HML"
        case "SI", "SA": "SHLN"
        default: "HLN"
        }
    }

    private static let highest1 = [
        ["AV:N/PR:N/UI:N"], ["AV:A/PR:N/UI:N", "AV:N/PR:L/UI:N", "AV:N/PR:N/UI:P"],
        ["AV:P/PR:N/UI:N", "AV:A/PR:L/UI:P"],
    ]
    private static let highest2 = [["AC:L/AT:N"], ["AC:H/AT:N", "AC:L/AT:P"]]
    private static let highest36 = [
        ["VC:H/VI:H/VA:H/CR:H/IR:H/AR:H"],
        ["VC:H/VI:H/VA:L/CR:M/IR:M/AR:H", "VC:H/VI:H/VA:H/CR:M/IR:M/AR:M"],
        ["VC:L/VI:H/VA:H/CR:H/IR:H/AR:H", "VC:H/VI:L/VA:H/CR:H/IR:H/AR:H"],
        [
            "VC:L/VI:H/VA:L/CR:H/IR:M/AR:H", "VC:L/VI:H/VA:H/CR:H/IR:M/AR:M", "VC:H/VI:L/VA:H/CR:M/IR:H/AR:M",
            "VC:H/VI:L/VA:L/CR:M/IR:H/AR:H", "VC:L/VI:L/VA:H/CR:H/IR:H/AR:M",
        ],
        ["VC:L/VI:L/VA:L/CR:H/IR:H/AR:H"],
    ]
    private static let highest4 = ["SC:H/SI:S/SA:S", "SC:H/SI:H/SA:H", "SC:L/SI:L/SA:L"]

    /// The scores of the 270 macrovectors in tenths, as FIRST publishes them
    /// (https://www.first.org/cvss/v4-0/specification-document, section 8.3): a line for each of EQ1, EQ2 and the
    /// pairs of EQ3 and EQ6 (00, 01, 10, 11, 21); in it EQ4 and EQ5 from 00 to 22.
    private static let scores: [[Int]] = [
        [100, 98, 95, 100, 93, 91, 93, 89, 81],
        [99, 95, 92, 96, 87, 81, 90, 80, 68],
        [98, 95, 90, 93, 89, 81, 88, 78, 69],
        [95, 92, 84, 92, 81, 65, 80, 70, 48],
        [92, 82, 72, 79, 69, 50, 69, 55, 27],
        [99, 95, 92, 95, 90, 84, 92, 82, 72],
        [97, 92, 85, 91, 83, 71, 81, 71, 53],
        [95, 92, 85, 92, 80, 70, 84, 71, 50],
        [93, 85, 73, 82, 72, 59, 70, 52, 30],
        [86, 75, 52, 71, 52, 29, 63, 29, 17],
        [98, 94, 91, 94, 86, 77, 87, 74, 63],
        [95, 87, 81, 89, 74, 64, 75, 63, 49],
        [94, 88, 76, 86, 74, 59, 72, 57, 52],
        [89, 77, 67, 76, 58, 50, 57, 52, 25],
        [83, 70, 54, 65, 58, 26, 53, 21, 13],
        [95, 88, 76, 90, 75, 61, 77, 68, 52],
        [90, 76, 70, 77, 62, 53, 66, 59, 30],
        [89, 76, 62, 74, 57, 47, 61, 57, 24],
        [78, 67, 58, 59, 57, 23, 52, 29, 16],
        [71, 59, 30, 58, 26, 15, 23, 13, 6],
        [93, 86, 75, 86, 74, 56, 70, 52, 40],
        [87, 72, 58, 74, 61, 34, 54, 40, 22],
        [85, 74, 62, 72, 55, 46, 53, 34, 19],
        [75, 55, 51, 57, 41, 19, 36, 19, 8],
        [64, 51, 20, 47, 21, 11, 24, 9, 4],
        [88, 73, 60, 73, 59, 41, 54, 45, 20],
        [75, 53, 50, 55, 40, 20, 43, 22, 11],
        [75, 58, 40, 61, 48, 20, 46, 17, 8],
        [55, 45, 21, 51, 18, 9, 18, 7, 2],
        [53, 24, 14, 24, 12, 5, 10, 3, 1],
    ]
}
