/// Addresses of workbook pages.
package enum WorkbookAddress {
    /// The page of a workbook with what was asked before and one parameter set anew.
    package static func make(
        _ id: String, _ asked: [String: [String]], setting name: String? = nil, to value: String = ""
    ) -> Link {
        var all = asked
        if let name { all[name] = [value] }
        let query = all.sorted { $0.key < $1.key }.flatMap { name, values in values.map { (name: name, value: $0) } }
        return Link(path: ["workbooks", id], query: query)
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986.
    static func escape(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                out += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return out
    }
}
