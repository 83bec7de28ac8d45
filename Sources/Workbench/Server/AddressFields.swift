import Foundation
import Tables

/// The fields of an address's query part, written as forms and most clients write them: a blank is `+` or `%20`
/// (https://url.spec.whatwg.org/#urlencoded-parsing).
enum AddressFields {
    /// Later fields replace earlier ones of the same name.
    static func bag(_ query: String) -> Bag {
        Bag(
            query.split(separator: "&").map { field in
                let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (decoded(parts[0]), .string(parts.count > 1 ? decoded(parts[1]) : ""))
            })
    }

    /// What is no escape stays as it is written.
    private static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        var out: [UInt8] = []
        var i = 0
        while i < bytes.count {
            if bytes[i] == 43 {
                out.append(32)
            } else if bytes[i] == 37, i + 2 < bytes.count,
                let code = UInt8(String(decoding: bytes[i + 1...i + 2], as: UTF8.self), radix: 16)
            {
                out.append(code)
                i += 2
            } else {
                out.append(bytes[i])
            }
            i += 1
        }
        return String(decoding: out, as: UTF8.self)
    }
}
