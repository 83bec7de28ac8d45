/// A CVSS vector of version 2.0, 3.0, 3.1 or 4.0, read and scored as FIRST's specifications say.
package struct CVSS: Sendable, Hashable {
    package enum Version: String, Sendable, Hashable, CaseIterable {
        case v2 = "2.0"
        case v30 = "3.0"
        case v31 = "3.1"
        case v40 = "4.0"
    }

    /// Why a text is no vector.
    package struct Problem: Error, Sendable, Hashable {
        /// A sentence without a full stop.
        package let message: String
    }

    package let version: Version
    /// The values by metric, as written; a metric that is not written has none.
    private let values: [String: String]

    /// Reads a vector. A vector of version 2 has no prefix, but `CVSS:2.0/` and brackets around it are taken.
    ///
    /// The metrics may stand in any order: publishers break that of version 4, and no score depends on it.
    package init(_ text: some StringProtocol) throws(Problem) {
        guard !text.isEmpty else { throw Problem(message: "the vector is empty") }
        var rest = Substring(text)
        if let prefix = Self.prefix(of: rest) {
            guard let version = Version(rawValue: String(prefix)) else {
                throw Problem(message: "there is no version \(prefix.prefix(20)) of CVSS")
            }
            self.version = version
            let length = "CVSS:".count + prefix.count
            guard rest.count > length else { throw Problem(message: "the vector ends behind its version") }
            rest = rest.dropFirst(length + 1)
        } else {
            version = .v2
            if rest.hasPrefix("("), rest.hasSuffix(")") { rest = rest.dropFirst().dropLast() }
        }
        values = try Self.values(rest, CVSSMetrics.of(version))
    }

    /// The text between `CVSS:` and the first slash.
    private static func prefix(of text: Substring) -> Substring? {
        text.hasPrefix("CVSS:") ? text.dropFirst("CVSS:".count).prefix { $0 != "/" } : nil
    }

    private static func values(_ text: Substring, _ metrics: [CVSSMetrics.Metric]) throws(Problem) -> [String: String] {
        var values: [String: String] = [:]
        for field in text.split(separator: "/", omittingEmptySubsequences: false) {
            guard let colon = field.firstIndex(of: ":") else {
                let what = field.isEmpty ? "an empty field" : "\"\(field.prefix(20))\", which has no value"
                throw Problem(message: "the vector has \(what)")
            }
            let name = String(field[..<colon])
            let value = String(field[field.index(after: colon)...])
            guard let metric = metrics.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
                throw Problem(message: "there is no metric \"\(name.prefix(20))\" in this version")
            }
            guard metric.values.contains(where: { $0.utf8.elementsEqual(value.utf8) }) else {
                throw Problem(
                    message: "\(name) is \(metric.values.joined(separator: ", ")), not \"\(value.prefix(20))\"")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(message: "\(name) stands twice")
            }
        }
        for metric in metrics where metric.group == .base && values[metric.name] == nil {
            throw Problem(message: "the metric \(metric.name) is missing")
        }
        return values
    }

    /// A metric's value; nil when it is not written or written as not defined.
    package subscript(metric: String) -> String? {
        guard let value = values[metric], value != (version == .v2 ? "ND" : "X") else { return nil }
        return value
    }

    /// A base metric's value.
    func base(_ metric: String) -> String {
        guard let value = values[metric] else { preconditionFailure("\(metric) is no base metric of \(version)") }
        return value
    }

    /// Whether a metric of a group is written and defined.
    private func has(_ group: CVSSMetrics.Group) -> Bool {
        CVSSMetrics.of(version).contains { $0.group == group && self[$0.name] != nil }
    }

    /// The score of the base metrics, 0 to 10.
    package var base: Double {
        switch version {
        case .v2: CVSS2(self).base
        case .v30, .v31: CVSS3(self).base
        case .v40: CVSS4(self, baseOnly: true).score
        }
    }

    /// What people mean by the score: the base score; for version 4.0 the score of the vector as it stands.
    package var score: Double { version == .v40 ? CVSS4(self).score : base }

    /// With the temporal metrics; nil for version 4.0, and for version 2 when there are none.
    package var temporal: Double? {
        switch version {
        case .v2: has(.threat) ? CVSS2(self).temporal : nil
        case .v30, .v31: CVSS3(self).temporal
        case .v40: nil
        }
    }

    /// With the environmental metrics; nil for version 4.0, and for version 2 when there are none.
    package var environmental: Double? {
        switch version {
        case .v2: has(.environmental) ? CVSS2(self).environmental : nil
        case .v30, .v31: CVSS3(self).environmental
        case .v40: nil
        }
    }

    /// None, Low, Medium, High or Critical; version 2 as NVD rates it, which knows no None and no Critical.
    package var severity: String {
        switch (score, version) {
        case (..<4, .v2): "Low"
        case (..<7, .v2): "Medium"
        case (_, .v2): "High"
        case (..<0.1, _): "None"
        case (..<4, _): "Low"
        case (..<7, _): "Medium"
        case (..<9, _): "High"
        default: "Critical"
        }
    }

    /// Which metrics went into the score of version 4.0: CVSS-B, CVSS-BT, CVSS-BE or CVSS-BTE; nil for the others.
    package var nomenclature: String? {
        guard version == .v40 else { return nil }
        return "CVSS-B" + (has(.threat) ? "T" : "") + (has(.environmental) ? "E" : "")
    }

    // What triage asks.

    /// Whether attacks can be automated, by the vector alone: over the network, without hurdles, rights and a person.
    ///
    /// Version 4.0 says it itself where `AU` is written.
    package var isAutomatable: Bool {
        switch version {
        case .v2: base("AV") == "N" && base("AC") == "L" && base("Au") == "N"
        case .v30, .v31: Self.isOpen(self)
        case .v40: self["AU"].map { $0 == "Y" } ?? (Self.isOpen(self) && base("AT") == "N")
        }
    }

    private static func isOpen(_ v: CVSS) -> Bool {
        v.base("AV") == "N" && v.base("AC") == "L" && v.base("PR") == "N" && v.base("UI") == "N"
    }

    /// Whether an attacker gets all of confidentiality and integrity.
    package var isTotal: Bool {
        switch version {
        case .v2: base("C") == "C" && base("I") == "C"
        case .v30, .v31: base("C") == "H" && base("I") == "H"
        case .v40: base("VC") == "H" && base("VI") == "H"
        }
    }

    /// Whether an attacker must be at the device, or have an account on it.
    package var isLocal: Bool { ["L", "P"].contains(base("AV")) }
}
