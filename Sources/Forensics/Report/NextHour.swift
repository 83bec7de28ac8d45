import Tables

/// What to do in the next hour, each with the claims that justify it.
package struct NextStep: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case isolate = "Isolate"
        case askPlant = "Ask the plant"
        case accounts = "Lock accounts"
        case remove = "Stop and remove"
        case close = "Close the way in"
        case backups = "Save the backups"
        case keep = "Keep the evidence"
        case look = "Look"
    }

    package let kind: Kind
    package let text: String
    /// Ids of claims.
    package let because: [String]
}

extension CaseStory {
    /// The steps, in the order in which they are urgent. What people rejected asks for nothing.
    package var nextHour: [NextStep] {
        guard summary.verdict == .intrusion else { return withoutIntrusion }
        var steps: [NextStep] = []
        func add(_ kind: NextStep.Kind, _ text: String, _ because: [Item]) {
            steps.append(NextStep(kind: kind, text: text, because: because.prefix(8).map(\.claim.id)))
        }
        let standing = standing
        func of(_ kind: Claim.Kind) -> [Item] { standing.filter { $0.claim.kind == kind } }
        let active = standing.filter { [.entry, .movement, .technique, .harm].contains($0.claim.kind) }
        let touched = Set(active.map(\.claim.subject)).union(of(.movement).map(\.claim.object))
        let computers = summary.devices.filter { !$0.isPlant && touched.contains($0.name) }
        let plant = summary.devices.filter { $0.isPlant && touched.contains($0.name) }
        if !computers.isEmpty {
            let names = Set(computers.map(\.name))
            add(
                .isolate,
                "\(Self.list(computers.map(\.name))) from the network, in this order: the first was reached "
                    + "first", Self.firsts(active.filter { names.contains($0.claim.subject) }))
        }
        if !plant.isEmpty {
            let names = Set(plant.map(\.name))
            add(
                .askPlant,
                "\(Self.list(plant.map(\.name))): what runs there must not be cut off without the "
                    + "operator; compare program and parameters with the backup",
                Self.firsts(active.filter { names.contains($0.claim.subject) }))
        }
        let accounts = of(.movement).filter { $0.claim.facts[.account] != nil }
        if !accounts.isEmpty {
            let names = Set(accounts.compactMap { $0.claim.facts[.account] }).sorted()
            add(.accounts, "\(Self.list(names)): end sessions and change passwords; somebody moved as them", accounts)
        }
        let left = of(.harm).filter { Self.leftBehind.contains($0.claim.object) }
        if !left.isEmpty {
            let what = left.map { "\($0.claim.object) on \($0.claim.subject)" }
            add(.remove, Self.list(what), left)
        }
        let destroyed = of(.harm).filter { Self.destroying.contains($0.claim.object) }
        if !destroyed.isEmpty {
            add(
                .backups,
                "take copies out of reach before anything else is restored: \(destroyed[0].claim.object) was "
                    + "seen on \(Self.list(Array(Set(destroyed.map(\.claim.subject))).sorted()))", destroyed)
        }
        if let cause = closing(of(.cause), entry: of(.entry).first?.claim) {
            let others = summary.gaps.first { $0.control == cause.claim.object }
            let also = others.map {
                $0.count == 0 ? "; no other device has the gap" : "; \($0.count) more have the gap"
            }
            add(.close, "\(cause.claim.object) on \(cause.claim.subject)\(also ?? "")", [cause])
        }
        if let first = computers.first {
            add(
                .keep, "memory, logs and sessions of \(first.name) before it is switched off or cleaned",
                Self.firsts(active.filter { $0.claim.subject == first.name }))
        }
        return steps
    }

    private var withoutIntrusion: [NextStep] {
        switch summary.verdict {
        case .prevented:
            let held = standing.filter { $0.claim.kind == .prevented }
            guard !held.isEmpty else { return [] }
            return [
                NextStep(
                    kind: .look,
                    text: "at \(Self.list(Array(Set(held.map(\.claim.subject))).sorted())): what was stopped there may "
                        + "be tried elsewhere, and what let it come so far is still open",
                    because: held.prefix(8).map(\.claim.id))
            ]
        case .unknown:
            return [
                NextStep(kind: .look, text: "for the rows that are missing (see below), and ask again", because: [])
            ]
        case .none, .intrusion: return []
        }
    }

    /// What somebody left to come back by.
    private static let leftBehind: Set<String> = [
        "persistence-added", "account-created", "account-changed", "remote-tool-installed",
    ]
    private static let destroying: Set<String> = ["files-encrypted", "data-destroyed", "recovery-inhibited"]

    /// The gap to close first: on the device of the entry, and the best proved.
    private func closing(_ causes: [Item], entry: Claim?) -> Item? {
        func rank(_ item: Item) -> Int {
            let proof = item.claim.facts[.proof].flatMap { Cause.Proof(rawValue: $0) } ?? .unknown
            return (item.claim.subject == entry?.subject ? 10 : 0) + (proof == .wouldHaveBlocked ? 5 : 0)
        }
        let named = causes.filter { $0.claim.object != "none-effective" }
        return named.max { (rank($0), -$0.claim.time) < (rank($1), -$1.claim.time) }
    }

    /// The first claim on each device.
    private static func firsts(_ items: [Item]) -> [Item] {
        var seen: Set<String> = []
        return items.filter { seen.insert($0.claim.subject).inserted }
    }

    /// Names as a sentence has them; the first eight.
    private static func list(_ names: [String]) -> String {
        names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
    }
}
