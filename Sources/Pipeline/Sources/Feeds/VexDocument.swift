import Foundation
import Tables

/// Statements on which products a vulnerability affects, of the three formats that publishers use, one record for each
/// vulnerability, product and status.
///
/// - CSAF 2.0 (https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html, sections 3.2 and 4.5)
/// - OpenVEX 0.2 (https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md)
/// - CycloneDX 1.4 and later (https://cyclonedx.org/docs/1.6/json/#vulnerabilities)
enum VexDocument {
    /// What a product's status is called, whichever the format: the words of OpenVEX.
    enum Status: String {
        case affected, underInvestigation = "under_investigation", fixed, notAffected = "not_affected"
    }

    /// A product as its document describes it.
    struct Product {
        var id = ""
        var name = ""
        var vendor = ""
        var product = ""
        var version = ""
        var cpe = ""
        var purl = ""

        /// Takes from the CPE and the package address what the document does not say otherwise.
        mutating func complete() {
            if let parts = CPE(cpe) { (vendor, product) = (parts.vendor, parts.product) }
            if version.isEmpty, let known = CPE(cpe)?.version { version = known }
            guard let parts = PackageAddress(purl) else { return }
            if vendor.isEmpty { vendor = parts.namespace }
            if product.isEmpty { product = parts.name }
            if version.isEmpty { version = parts.version }
        }
    }

    /// A statement on its way into a record.
    struct Statement {
        var document = ""
        var documentStatus = ""
        var author = ""
        var time = ""
        var cve = ""
        var product = Product()
        var status = Status.affected
        var justification = ""
        var impact = ""
        var action = ""

        var record: JSON {
            [
                "document": .string(document), "documentStatus": .string(documentStatus), "author": .string(author),
                "time": .string(time), "cve": .string(cve), "productId": .string(product.id),
                "productName": .string(product.name), "vendor": .string(product.vendor),
                "product": .string(product.product), "version": .string(product.version), "cpe": .string(product.cpe),
                "purl": .string(product.purl), "status": .string(status.rawValue),
                "justification": .string(justification), "impact": .string(impact), "action": .string(action),
            ]
        }
    }

    /// The records of a document; nil when it is of none of the formats.
    static func records(of document: JSON) -> [JSON]? {
        if document["document"]?["csaf_version"] != nil { return CSAFDocument(document).statements().map(\.record) }
        if OpenVEXDocument.matches(document) { return OpenVEXDocument(document).statements().map(\.record) }
        if document["bomFormat"]?.string == "CycloneDX" {
            return CycloneDXDocument(document).statements().map(\.record)
        }
        return nil
    }
}

/// The parts of a CPE name, in its formatted string or its URI form (NIST IR 7695).
struct CPE {
    let vendor: String
    let product: String
    /// Nil for any version.
    let version: String?

    init?(_ text: String) {
        let isFormatted = text.hasPrefix("cpe:2.3:")
        guard isFormatted || text.hasPrefix("cpe:/") else { return nil }
        let parts = Self.split(isFormatted ? String(text.dropFirst(8)) : String(text.dropFirst(5)))
        guard parts.count >= 3 else { return nil }
        (vendor, product) = (parts[1], parts[2])
        version = parts.count > 3 && !["*", "-", ""].contains(parts[3]) ? parts[3] : nil
    }

    /// At colons that no backslash stands before; the backslashes go.
    private static func split(_ text: String) -> [String] {
        var parts = [""]
        var isEscaped = false
        for character in text {
            if isEscaped {
                parts[parts.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == ":" {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts
    }
}

/// The parts of a package URL, `pkg:type/namespace/name@version?qualifiers#subpath`.
struct PackageAddress {
    let namespace: String
    let name: String
    let version: String

    init?(_ text: String) {
        guard text.hasPrefix("pkg:") else { return nil }
        var rest = text.dropFirst(4).prefix { $0 != "?" && $0 != "#" }
        var version = ""
        if let at = rest.lastIndex(of: "@"), at > rest.startIndex {
            version = String(rest[rest.index(after: at)...])
            rest = rest[..<at]
        }
        let parts = rest.split(separator: "/").map { String($0).removingPercentEncoding ?? String($0) }
        guard parts.count >= 2, let name = parts.last else { return nil }
        self.name = name
        self.version = version.removingPercentEncoding ?? version
        namespace = parts.dropFirst().dropLast().joined(separator: "/")
    }
}
