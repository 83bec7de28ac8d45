/// Names of tables, columns and functions in a query's text.
package enum EntityName {
    /// A name as it is written in KQL: bare where that is allowed, else in brackets and quotes
    /// (https://learn.microsoft.com/kusto/query/schema-entities/entity-names).
    package static func written(_ name: String) -> String {
        let bytes = Array(name.utf8)
        func isLetter(_ b: UInt8) -> Bool { b == 95 || (65...90).contains(b) || (97...122).contains(b) }
        let isBare = bytes.first.map(isLetter) == true && bytes.allSatisfy { isLetter($0) || (48...57).contains($0) }
        if isBare, !Keywords.contains(name) { return name }
        return "['" + name.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "']"
    }
}
