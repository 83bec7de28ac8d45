import Tables

/// An OpenVEX document.
struct OpenVEXDocument {
    private let document: JSON

    static func matches(_ document: JSON) -> Bool {
        guard document["statements"]?.array != nil else { return false }
        let contexts = document["@context"]?.array?.compactMap(\.string) ?? [document["@context"]?.string ?? ""]
        return contexts.contains { $0.contains("openvex") }
    }

    init(_ document: JSON) { self.document = document }

    func statements() -> [VexDocument.Statement] {
        (document["statements"]?.array ?? []).flatMap { item -> [VexDocument.Statement] in
            guard let status = item["status"]?.string.flatMap(VexDocument.Status.init) else { return [] }
            var base = VexDocument.Statement()
            base.document = document["@id"]?.string ?? ""
            base.author = document["author"]?.string ?? ""
            base.time = Self.first([
                item["last_updated"], item["timestamp"], document["last_updated"], document["timestamp"],
            ])
            base.cve = Self.vulnerability(item["vulnerability"])
            base.status = status
            base.justification = item["justification"]?.string ?? ""
            base.impact = item["impact_statement"]?.string ?? ""
            base.action = item["action_statement"]?.string ?? ""
            return (item["products"]?.array ?? []).map { product in
                var statement = base
                statement.product = Self.product(product)
                return statement
            }
        }
    }

    /// The CVE's id, which may stand as the name, as an alias, or at the end of an address.
    private static func vulnerability(_ value: JSON?) -> String {
        let names = [value?.string, value?["name"]?.string] + (value?["aliases"]?.array ?? []).map(\.string)
        let found = names.compactMap { $0 }
        if let cve = found.first(where: { $0.uppercased().hasPrefix("CVE-") }) { return cve }
        let tail = (value?["@id"]?.string ?? "").split(separator: "/").last.map(String.init)
        return found.first ?? tail ?? ""
    }

    private static func product(_ value: JSON) -> VexDocument.Product {
        var product = VexDocument.Product()
        product.id = value.string ?? value["@id"]?.string ?? ""
        product.name = product.id
        product.purl = value["identifiers"]?["purl"]?.string ?? (product.id.hasPrefix("pkg:") ? product.id : "")
        product.cpe = first([value["identifiers"]?["cpe23"], value["identifiers"]?["cpe22"]])
        if product.id.isEmpty { product.id = product.purl.isEmpty ? product.cpe : product.purl }
        product.complete()
        return product
    }

    private static func first(_ values: [JSON?]) -> String { values.lazy.compactMap { $0?.string }.first ?? "" }
}

/// A CycloneDX document with analyses of vulnerabilities.
struct CycloneDXDocument {
    private let document: JSON
    private var products: [String: VexDocument.Product] = [:]

    /// The states of an analysis; a false positive says that the product is not affected.
    private static let states: [String: VexDocument.Status] = [
        "exploitable": .affected, "in_triage": .underInvestigation, "resolved": .fixed,
        "resolved_with_pedigree": .fixed, "not_affected": .notAffected, "false_positive": .notAffected,
    ]

    init(_ document: JSON) {
        self.document = document
        if let root = document["metadata"]?["component"] { add(root) }
        for component in document["components"]?.array ?? [] { add(component) }
    }

    private mutating func add(_ component: JSON) {
        var product = VexDocument.Product()
        product.product = component["name"]?.string ?? ""
        product.name = product.product
        product.vendor = component["publisher"]?.string ?? component["group"]?.string ?? ""
        product.version = component["version"]?.string ?? ""
        product.cpe = component["cpe"]?.string ?? ""
        product.purl = component["purl"]?.string ?? ""
        product.id = component["bom-ref"]?.string ?? product.purl
        product.complete()
        products[product.id] = product
        for child in component["components"]?.array ?? [] { add(child) }
    }

    func statements() -> [VexDocument.Statement] {
        (document["vulnerabilities"]?.array ?? []).flatMap { item -> [VexDocument.Statement] in
            let analysis = item["analysis"]
            guard let status = analysis?["state"]?.string.flatMap({ Self.states[$0] }) else { return [] }
            var base = VexDocument.Statement()
            base.document = document["serialNumber"]?.string ?? ""
            base.author = document["metadata"]?["supplier"]?["name"]?.string ?? ""
            base.time =
                analysis?["lastUpdated"]?.string ?? analysis?["firstIssued"]?.string
                ?? document["metadata"]?["timestamp"]?.string ?? ""
            base.cve = item["id"]?.string ?? ""
            base.status = status
            base.justification = analysis?["justification"]?.string ?? ""
            base.impact = analysis?["detail"]?.string ?? ""
            base.action = item["recommendation"]?.string ?? ""
            return (item["affects"]?.array ?? []).map { affected in
                var statement = base
                // A reference into another document ends with the component's own (BOM-Link).
                let reference = affected["ref"]?.string ?? ""
                let local = reference.split(separator: "#").last.map(String.init) ?? reference
                statement.product =
                    products[reference] ?? products[local] ?? VexDocument.Product(id: reference, name: reference)
                if statement.product.version.isEmpty {
                    statement.product.version = affected["versions"]?[0]?["version"]?.string ?? ""
                }
                return statement
            }
        }
    }
}
