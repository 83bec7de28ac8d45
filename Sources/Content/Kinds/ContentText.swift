import Foundation

/// The text of a file that people wrote, in whatever editor: UTF-8, with or without a mark at its beginning.
enum ContentText {
    /// - Throws: `ContentProblem` for a file that is not there, or that is in another encoding, which is named.
    static func read(_ file: String) throws(ContentProblem) -> String {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw ContentProblem(file, "cannot be read")
        }
        return try decode([UInt8](data), file)
    }

    static func decode(_ bytes: [UInt8], _ file: String) throws(ContentProblem) -> String {
        if let encoding = foreignEncoding(bytes) {
            throw ContentProblem(file, "is \(encoding) text; save it as UTF-8")
        }
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        if let text = String(validating: body, as: UTF8.self) { return text }
        let lines = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let wrong = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
        throw ContentProblem("\(file):\(wrong + 1)", "is not UTF-8 text here; save the file as UTF-8")
    }

    /// The encoding of a text that is not made of single bytes; nil for one that is.
    private static func foreignEncoding(_ bytes: [UInt8]) -> String? {
        for (mark, name) in [
            ([0xFF, 0xFE, 0, 0], "UTF-32"), ([0, 0, 0xFE, 0xFF], "UTF-32"), ([0xFF, 0xFE], "UTF-16"),
            ([0xFE, 0xFF], "UTF-16"),
        ] as [([UInt8], String)] where bytes.starts(with: mark) { return name }
        // Without a mark: the letters of such a text have a NUL beside each.
        let head = bytes.prefix(64)
        guard head.contains(0) else { return bytes.contains(0) ? "not plain (it holds NUL bytes)" : nil }
        let nulls = head.count { $0 == 0 }
        return nulls * 2 > head.count ? "UTF-32" : "UTF-16"
    }
}
