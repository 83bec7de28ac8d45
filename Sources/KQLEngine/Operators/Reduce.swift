import KQL
import Tables

/// Groups texts by the terms that many of them share.
///
/// After Vaarandi's SLCT: a term at a position is frequent when more than `threshold` of the rows have it; a text's
/// pattern keeps its frequent terms and has `*` for the others; patterns that are not frequent themselves are told
/// together as `others`. Terms of digits only always vary. Source: the page of the reduce operator and the paper it
/// names.
struct TermReducer {
    private let threshold: Double
    /// Characters between terms; nil for every one that is no letter and no digit.
    private let separators: Set<Character>?

    init(threshold: Double, characters: String) {
        self.threshold = threshold
        separators = characters.isEmpty ? nil : Set(characters)
    }

    private enum Piece: Hashable {
        case term(String)
        case separator(String)
    }

    private func pieces(_ text: String) -> [Piece] {
        var out: [Piece] = []
        var current = ""
        var isSeparator = false
        func flush() {
            if !current.isEmpty { out.append(isSeparator ? .separator(current) : .term(current)) }
            current = ""
        }
        for ch in text {
            let separates = separators?.contains(ch) ?? !(ch.isLetter || ch.isNumber)
            if separates != isSeparator {
                flush()
                isSeparator = separates
            }
            current.append(ch)
        }
        flush()
        return out
    }

    private struct Place: Hashable {
        let position: Int
        let term: String
    }

    /// For each text the pattern it belongs to, and each pattern once with its first text and its count.
    func reduce(_ texts: [String]) throws -> (
        assigned: [String], patterns: [(pattern: String, count: Int64, representative: String)]
    ) {
        let cut = try texts.map { text in
            try Interrupted.check()
            return pieces(text)
        }
        var counts: [Place: Int] = [:]
        for parts in cut {
            for (i, part) in parts.enumerated() {
                if case .term(let t) = part { counts[Place(position: i, term: t), default: 0] += 1 }
            }
        }
        let least = threshold * Double(texts.count)
        func pattern(_ parts: [Piece]) -> String? {
            var out = ""
            var hasTerm = false
            var pending = ""
            for (i, part) in parts.enumerated() {
                switch part {
                case .separator(let s): pending = s
                case .term(let t):
                    let varies = t.allSatisfy(\.isNumber) || Double(counts[Place(position: i, term: t)] ?? 0) <= least
                    if varies {
                        if out.hasSuffix("*") { pending = "" }
                        if separators == nil { out += pending }
                        if !out.hasSuffix("*") { out += "*" }
                    } else {
                        if !(out.hasSuffix("*") && separators != nil) { out += pending }
                        out += t
                        hasTerm = true
                    }
                    pending = ""
                }
            }
            return hasTerm ? out + pending : nil
        }
        var totals: [String: (count: Int64, first: Int)] = [:]
        let proposed = cut.map(pattern)
        for (i, p) in proposed.enumerated() { if let p { totals[p, default: (0, i)].count += 1 } }
        let assigned = proposed.map { p -> String in
            guard let p, let total = totals[p], Double(total.count) > least else { return "others" }
            return p
        }
        var order: [String] = []
        var groups: [String: (count: Int64, representative: String)] = [:]
        for (p, text) in zip(assigned, texts) {
            if groups[p] == nil {
                order.append(p)
                groups[p] = (0, p == "others" ? "" : text)
            }
            groups[p]?.count += 1
        }
        let patterns = order.map {
            (pattern: $0, count: groups[$0]?.count ?? 0, representative: groups[$0]?.representative ?? "")
        }
        return (assigned, patterns.sorted { $0.count > $1.count })
    }
}

extension Executor {
    func reduce(_ plan: ReducePlan, _ schema: Schema) throws -> BatchIterator {
        let all = try table(plan.input)
        let column = try evaluator.column(plan.source, all)
        let reducer = TermReducer(threshold: plan.threshold, characters: plan.characters)
        let (assigned, patterns) = try reducer.reduce((0..<all.count).map { column[$0].text })
        if plan.keepsRows {
            let added = LazyColumn(Column(.string, values: assigned.map { .string($0) }))
            return once(
                Batch(
                    schema: schema, columns: all.schema.columns.indices.map { all.lazyColumn($0) } + [added],
                    count: all.count))
        }
        return once(
            Batch(
                schema: schema,
                rows: patterns.map { [.string($0.pattern), .long($0.count), .string($0.representative)] }))
    }
}
