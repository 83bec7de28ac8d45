import KQL
import Tables

extension Executor {
    /// `reduce by`: texts whose words agree in most places share a pattern, with `*` where they differ.
    func reduce(_ input: Plan, _ source: BoundExpr, _ schema: Schema) throws -> BatchIterator {
        struct Cluster {
            var words: [String]
            var count: Int64
            var representative: String
        }
        var clusters: [Cluster] = []
        let next = try run(input)
        while let batch = try next() {
            try context.check()
            let column = try evaluator.column(source, batch)
            for row in 0..<batch.count {
                let text = column[row].text
                let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
                let home = clusters.indices.first { i in
                    let c = clusters[i].words
                    guard c.count == words.count else { return false }
                    let same = zip(c, words).filter { $0 == $1 || $0 == "*" }.count
                    return words.count == 1 ? c == words : same * 2 > words.count
                }
                if let home {
                    clusters[home].words = zip(clusters[home].words, words).map { $0 == $1 ? $0 : "*" }
                    clusters[home].count += 1
                } else {
                    clusters.append(Cluster(words: words, count: 1, representative: text))
                }
            }
        }
        clusters.sort { $0.count > $1.count }
        return once(
            Batch(
                schema: schema,
                rows: clusters.map { [.string($0.words.joined(separator: " ")), .long($0.count), .string($0.representative)] }))
    }
}
