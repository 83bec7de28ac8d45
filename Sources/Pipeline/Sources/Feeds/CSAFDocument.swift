import Tables

/// A CSAF 2.0 document: a VEX or an advisory, whose product statuses say the same.
struct CSAFDocument {
    private let document: JSON
    private var products: [String: VexDocument.Product] = [:]
    private var groups: [String: [String]] = [:]

    /// The lists of a product status (3.2.3.9), those that say less first: of contradictions the worse one counts.
    private static let lists: [(name: String, status: VexDocument.Status)] = [
        ("known_affected", .affected), ("first_affected", .affected), ("last_affected", .affected),
        ("under_investigation", .underInvestigation), ("fixed", .fixed), ("first_fixed", .fixed),
        ("known_not_affected", .notAffected),
    ]

    init(_ document: JSON) {
        self.document = document
        let tree = document["product_tree"]
        for branch in tree?["branches"]?.array ?? [] { walk(branch, VexDocument.Product()) }
        for product in tree?["full_product_names"]?.array ?? [] { add(product, VexDocument.Product()) }
        for relation in tree?["relationships"]?.array ?? [] {
            // A component of a platform is still that component; its name tells of which platform.
            let component = relation["product_reference"]?.string.flatMap { products[$0] } ?? VexDocument.Product()
            if let product = relation["full_product_name"] { add(product, component) }
        }
        for group in tree?["product_groups"]?.array ?? [] {
            guard let id = group["group_id"]?.string else { continue }
            groups[id] = Self.texts(group["product_ids"])
        }
    }

    private mutating func walk(_ branch: JSON, _ above: VexDocument.Product) {
        var product = above
        let name = Self.text(branch["name"])
        switch branch["category"]?.string {
        case "vendor": product.vendor = name
        case "product_name": product.product = name
        case "product_version", "product_version_range": product.version = name
        default: break
        }
        if let leaf = branch["product"] { add(leaf, product) }
        for child in branch["branches"]?.array ?? [] { walk(child, product) }
    }

    private mutating func add(_ leaf: JSON, _ above: VexDocument.Product) {
        guard let id = leaf["product_id"]?.string else { return }
        var product = above
        (product.id, product.name) = (id, Self.text(leaf["name"]))
        if let helper = leaf["product_identification_helper"] {
            product.cpe = helper["cpe"]?.string ?? product.cpe
            product.purl = helper["purl"]?.string ?? product.purl
        }
        product.complete()
        products[id] = product
    }

    func statements() -> [VexDocument.Statement] {
        let tracking = document["document"]?["tracking"]
        var base = VexDocument.Statement()
        base.document = Self.text(tracking?["id"])
        base.documentStatus = Self.text(tracking?["status"])
        base.author = Self.text(document["document"]?["publisher"]?["name"])
        base.time = Self.text(tracking?["current_release_date"] ?? tracking?["initial_release_date"])
        return (document["vulnerabilities"]?.array ?? []).flatMap { statements(on: $0, base) }
    }

    private func statements(on vulnerability: JSON, _ base: VexDocument.Statement) -> [VexDocument.Statement] {
        var base = base
        base.cve = Self.text(vulnerability["cve"])
        if base.cve.isEmpty { base.cve = Self.text(vulnerability["ids"]?[0]?["text"]) }
        let flags = vulnerability["flags"]?.array ?? []
        let impacts = (vulnerability["threats"]?.array ?? []).filter { $0["category"]?.string == "impact" }
        let actions = vulnerability["remediations"]?.array ?? []
        var seen: Set<String> = []
        var found: [VexDocument.Statement] = []
        for list in Self.lists {
            for id in Self.texts(vulnerability["product_status"]?[list.name]) where seen.insert(id).inserted {
                var statement = base
                statement.status = list.status
                statement.product = products[id] ?? VexDocument.Product(id: id, name: id)
                if let flag = flags.first(where: { concerns($0, id) }) {
                    statement.justification = Self.text(flag["label"])
                    statement.time = flag["date"]?.string ?? statement.time
                }
                statement.impact = Self.text(impacts.first { concerns($0, id) }?["details"])
                statement.action = Self.text(actions.first { concerns($0, id) }?["details"])
                found.append(statement)
            }
        }
        return found
    }

    /// Whether a flag, a threat or a remediation is of a product; one that names none is of all.
    private func concerns(_ item: JSON, _ product: String) -> Bool {
        let (ids, names) = (Self.texts(item["product_ids"]), Self.texts(item["group_ids"]))
        if ids.isEmpty, names.isEmpty { return true }
        return ids.contains(product) || names.contains { groups[$0]?.contains(product) == true }
    }

    private static func text(_ value: JSON?) -> String { value?.string ?? "" }
    private static func texts(_ value: JSON?) -> [String] { (value?.array ?? []).compactMap(\.string) }
}
