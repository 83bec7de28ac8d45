import KQL
import Tables

/// A hunting query in Sentinel's form, with what investigations need to know of it below the key `vestige`
/// (https://learn.microsoft.com/azure/sentinel/hunts).
package struct HuntDefinition: Sendable {
    /// What a row that the query finds is worth.
    package enum Mark: String, Sendable, CaseIterable {
        /// Stands alone.
        case strong
        /// Needs a second one, a chain of processes to one, or a movement.
        case weak
        /// Says nothing by itself: everybody does it. Part of an intrusion when one of its own processes did it.
        case inside
        /// Never a mark: tells why something worked, or what held.
        case context
    }

    /// The GUID under which Sentinel knows the query.
    package let id: String
    /// What files, commands and claims call it.
    package let slug: String
    package let title: String
    package let description: String
    package let tactics: [String]
    /// ATT&CK ids in the numbering of version 18.
    package let techniques: [String]
    /// The same in the numbering of version 19, where it differs.
    package let techniquesV19: [String]
    package let query: String
    package let mark: Mark
    /// Weak marks of one group say the same thing twice; two of different groups say more.
    package let group: String
    /// The category of harm that a row proves when it belongs to an intrusion.
    package let harm: String?
    /// How somebody came in, where a row is the first of an intrusion: one of `entries`.
    package let entry: String?
    /// The control that stopped what a row tells of, where the action type does not name it.
    package let control: String?
    /// Whether what was stopped proves an attempt by itself: nobody's ordinary work meets it.
    package let isAttempt: Bool
    /// Tables without which the question cannot be answered.
    package let needs: [String]
    /// What the rows cannot tell.
    package let blind: [BlindSpot]
    /// Columns of the results that name devices, accounts and the like.
    package let entities: [EntityMapping]
    /// Rows that the query must find, or must not.
    package let tests: [ContentTest]
    package let version: String
    package let file: String

    /// The ways in that investigations tell apart.
    package static let entries: Set<String> = [
        "exploit-public-app", "exposed-remote-service", "phishing", "user-execution", "valid-account",
        "removable-media", "vendor-access", "internet-exposed-controller", "supply-chain", "other",
    ]

    init(yaml: Fields, file: String) throws {
        self.file = file
        try yaml.only([
            "id", "name", "description", "requiredDataConnectors", "tactics", "relevantTechniques", "query",
            "entityMappings", "version", "tags", "vestige",
        ])
        id = try yaml.string("id")
        title = try yaml.string("name")
        description = try yaml.string("description").trimmed
        tactics = try yaml.strings("tactics")
        techniques = try yaml.strings("relevantTechniques")
        query = try yaml.string("query")
        version = try yaml.string("version")
        guard let own = try yaml.optionalFields("vestige") else { throw yaml.fail("'vestige' is missing") }
        try own.only([
            "slug", "mark", "group", "harm", "entry", "control", "attempt", "techniquesV19", "blind", "needs", "tests",
        ])
        slug = try own.string("slug")
        let written = try own.string("mark")
        guard let mark = Mark(rawValue: written) else {
            let known = Mark.allCases.map(\.rawValue).joined(separator: ", ")
            throw own.fail("'mark' must be one of \(known), not \"\(written)\"", at: "mark")
        }
        self.mark = mark
        group = try own.optionalString("group") ?? slug
        harm = try own.optionalString("harm")
        entry = try own.optionalString("entry")
        control = try own.optionalString("control")
        isAttempt = try own.optionalBool("attempt") ?? false
        techniquesV19 = try own.strings("techniquesV19")
        needs = try own.strings("needs")
        blind = try own.placedStrings("blind").map { code in
            guard let spot = Int(code.text).flatMap(BlindSpot.init) else {
                let last = BlindSpot.allCases.count
                throw ContentProblem(code.place, "'blind' lists numbers from 1 to \(last), not \"\(code.text)\"")
            }
            return spot
        }
        entities = try yaml.list("entityMappings").map(EntityMapping.init)
        tests = try own.list("tests").map(ContentTest.init)
        guard GUID.isValid(id) else { throw yaml.fail("'id' must be a GUID, not \"\(id)\"", at: "id") }
        for (key, ids) in [("relevantTechniques", techniques), ("techniquesV19", techniquesV19)] {
            for technique in ids where technique.wholeMatch(of: /T\d{4}(\.\d{3})?/) == nil {
                throw (key == "techniquesV19" ? own : yaml).fail("\"\(technique)\" is not an ATT&CK technique", at: key)
            }
        }
        guard query.utf8.count <= 10_000 else {
            throw yaml.fail("the query has \(query.utf8.count) bytes; Sentinel takes 10,000", at: "query")
        }
    }
}

extension GUID {
    /// Whether a text is a GUID as Sentinel writes ids.
    static func isValid(_ text: String) -> Bool {
        text.wholeMatch(of: /[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/) != nil
    }
}
