/// A secure-configuration control as the knowledge base describes it. Ids and titles are the vendor's published ones.
struct Control: Sendable {
    /// `Windows`, `macOS`, `Linux` or, for phones, tablets and whatever else, `Other`.
    let platform: String
    let id: String
    let name: String
    let category: String
    let subcategory: String
    let impact: Double
    /// Share of devices that comply at the start, in percent.
    let compliance: Int

    fileprivate init(_ record: AssetTable.Record) {
        platform = record.text("platform")
        id = record.text("id")
        name = record.text("name")
        category = record.text("category")
        subcategory = record.text("subcategory")
        impact = record.number("impact")
        compliance = record.integer("compliance")
    }
}

/// The controls that each platform's devices are assessed against: `Assets/controls.csv`.
enum Controls {
    static let all = AssetTable(PackageResources.controls_csv, name: "controls.csv").records.map(Control.init)

    /// What devices of a family are assessed against, in the file's order; families without controls of their own have
    /// those of `Other`.
    static func of(family: String) -> [Control] {
        guard let own = byPlatform[family] ?? byPlatform["Other"] else {
            preconditionFailure("controls.csv has no controls for '\(family)' and none for 'Other'")
        }
        return own
    }

    private static let byPlatform = Dictionary(grouping: all, by: \.platform)
}
