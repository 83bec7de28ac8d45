/// How a file of separated values is written, as its first records tell.
package struct CSVDialect: Sendable {
    package let separator: UInt8
    /// The columns' names.
    package let header: [String]
    /// Where the records behind the header begin.
    package let body: Int
    /// Records up to there: the header.
    package let records: Int
    /// Lines before the header that begin with `#`, without it.
    package let comments: [String]

    /// The separator as a person names it.
    package static func name(_ separator: UInt8) -> String {
        switch separator {
        case 9: "tab"
        case 33...126: "'\(Character(UnicodeScalar(separator)))'"
        default: "0x\(String(separator, radix: 16))"
        }
    }

    /// The likelier first. Hive and old mainframes separate with control characters.
    private static let candidates: [UInt8] = [44, 59, 9, 124, 94, 126, 31, 1]
    private static let sampleRecords = 50

    /// - Parameter separator: the separator, when somebody named it.
    package init(_ bytes: UnsafeBufferPointer<UInt8>, separator named: UInt8?) throws(FileProblem) {
        var at = 0
        var said = named
        var comments: [String] = []
        var headerMark = 0
        while at < bytes.count {
            if bytes[at] == 10 || bytes[at] == 13 {
                at += 1
                continue
            }
            let end = Self.lineEnd(bytes, at)
            let line = UnsafeBufferPointer(rebasing: bytes[at..<end])
            if let excel = Self.excelSeparator(line), comments.isEmpty {
                said = named ?? excel
            } else if bytes[at] == 35 {
                if Self.isLogHeader(line) {
                    throw FileProblem(
                        "its header stands in a comment, as in logs of Zeek and W3C; import reads a plain header",
                        offset: at)
                }
                let next = try Self.firstRecord(bytes, from: end, said)
                if Self.isHeader(line, next) {
                    headerMark = 1
                    break
                }
                comments.append(String(decoding: line.dropFirst(), as: UTF8.self))
            } else {
                break
            }
            at = end
        }
        at += headerMark
        let chosen = said ?? Self.separator(bytes, from: at)
        let first = try CSVRecords.texts(bytes, from: at, separator: chosen)
        guard let (fields, start, end) = first else {
            throw FileProblem(comments.isEmpty ? "the file is empty" : "there is nothing behind its comment lines")
        }
        header = fields.map(\.trimmed)
        for (i, name) in header.enumerated() where name.isEmpty {
            throw FileProblem("the header has no name for column \(i + 1)", record: 1, offset: start)
        }
        var seen = Set<String>()
        for name in header where !seen.insert(name).inserted {
            throw FileProblem("the header has the name \"\(name)\" twice", record: 1, offset: start)
        }
        (separator, body, records) = (chosen, end, 1)
        self.comments = comments
    }

    private static func lineEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ from: Int) -> Int {
        var end = from
        while end < bytes.count, bytes[end] != 10, bytes[end] != 13 { end += 1 }
        return end
    }

    /// The separator that Excel reads from a first line `sep=;`.
    private static func excelSeparator(_ line: UnsafeBufferPointer<UInt8>) -> UInt8? {
        let text = String(decoding: line.prefix(8), as: UTF8.self)
        let plain = text.hasPrefix("\"") ? String(text.dropFirst().prefix { $0 != "\"" }) : text
        guard plain.lowercased().hasPrefix("sep="), plain.utf8.count == 5 else { return nil }
        return plain.utf8.last
    }

    /// `#fields⇥ts⇥uid` or `#Fields: date time`.
    private static func isLogHeader(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        String(decoding: line.prefix(8), as: UTF8.self).lowercased().hasPrefix("#fields") && line.count > 7
            && (line[7] == 9 || line[7] == 58)
    }

    /// Whether a line that begins with `#` names the columns: names of the same number as the next record has fields.
    private static func isHeader(_ line: UnsafeBufferPointer<UInt8>, _ next: (count: Int, separator: UInt8)?) -> Bool {
        guard let next, next.count > 1 else { return false }
        let names = line.dropFirst().split(separator: next.separator, omittingEmptySubsequences: false)
        return names.count == next.count
            && names.allSatisfy { name in
                name.first.map { ($0 | 32) >= 97 && ($0 | 32) <= 122 || $0 == 95 } == true
                    && name.allSatisfy { byte in
                        (byte | 32) >= 97 && (byte | 32) <= 122 || byte >= 48 && byte <= 57 || byte == 95 || byte == 45
                    }
            }
    }

    private static func firstRecord(
        _ bytes: UnsafeBufferPointer<UInt8>, from: Int, _ said: UInt8?
    ) throws(FileProblem) -> (count: Int, separator: UInt8)? {
        let separator = said ?? separator(bytes, from: from)
        guard let record = try? CSVRecords.texts(bytes, from: from, separator: separator) else { return nil }
        return bytes[record.start] == 35 ? nil : (record.fields.count, separator)
    }

    /// The candidate with which the most records have as many fields as the first one, and more than one.
    private static func separator(_ bytes: UnsafeBufferPointer<UInt8>, from: Int) -> UInt8 {
        var best: (separator: UInt8, share: Double, width: Int)?
        for candidate in candidates {
            var at = from
            var widths: [Int] = []
            while widths.count < sampleRecords,
                let record = try? CSVRecords.texts(bytes, from: at, separator: candidate)
            {
                widths.append(record.fields.count)
                at = record.end
                if widths[0] < 2 { break }
            }
            guard let width = widths.first, width > 1 else { continue }
            let share = Double(widths.count { $0 == width }) / Double(widths.count)
            if best.map({ share > $0.share || share == $0.share && width > $0.width }) ?? true {
                best = (candidate, share, width)
            }
        }
        return best?.separator ?? 44
    }
}
