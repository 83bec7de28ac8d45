/// A vulnerability of the simulated fleet. Ids, dates and scores are real; the texts are ours.
struct Vulnerability: Sendable {
    let id: String
    let vendor: String
    let product: String
    let platforms: [String]
    let published: String
    let summary: String
    let fix: String
    let score: Double
    let isExploited: Bool

    var severity: String { score >= 9 ? "Critical" : score >= 7 ? "High" : score >= 4 ? "Medium" : "Low" }

    fileprivate init(_ record: AssetTable.Record) {
        id = record.text("id")
        vendor = record.text("vendor")
        product = record.text("product")
        platforms = record.list("platforms")
        published = record.text("published")
        summary = record.text("summary")
        fix = record.text("fix")
        score = record.number("score")
        isExploited = record.flag("isExploited")
    }
}

/// The vulnerabilities that the simulated products have: `Assets/vulnerabilities.csv`.
enum Vulnerabilities {
    static let all = AssetTable(PackageResources.vulnerabilities_csv, name: "vulnerabilities.csv").records.map(
        Vulnerability.init)
}
