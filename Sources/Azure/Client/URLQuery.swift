/// The query of an address.
package enum URLQuery {
    /// A path, and its parameters with what is not allowed in a query written as `%XX`.
    ///
    /// Names go as they are: those of OData begin with `$`.
    package static func address(_ path: String, _ parameters: [(String, String)]) -> String {
        guard !parameters.isEmpty else { return path }
        let query = parameters.map { "\($0)=\(encoded($1))" }.joined(separator: "&")
        return path + (path.contains("?") ? "&" : "?") + query
    }

    /// A text in which only letters, digits and what never divides a query stay as they are.
    static func encoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            if allowed.contains(byte) {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                out += byte < 16 ? "%0" : "%"
                out += String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }

    private static let allowed = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~$,:'".utf8)
}
