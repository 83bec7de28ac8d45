/// A problem found in a query, with its place.
package struct Diagnostic: Error, Sendable, Equatable {
    /// Kusto's code where the meaning is Kusto's (`KS…`), else one of ours (`VK…`).
    package let code: String
    package let message: String
    /// UTF-8 offsets into the query's text.
    package let range: Range<Int>
    /// A near-miss name, offered as a correction.
    package var suggestion: String?
    package var severity = Severity.error

    package enum Severity: String, Sendable {
        /// The query means nothing, here and wherever Microsoft's parser reads it.
        case error
        /// The query runs here, but the service refuses it although its parser does not.
        case warning
    }

    package init(_ code: String, _ message: String, _ range: Range<Int>, suggestion: String? = nil) {
        self.code = code
        self.message = message
        self.range = range
        self.suggestion = suggestion
    }

    /// Line and column, both from 1, of where the problem starts.
    package func position(in text: String) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for byte in text.utf8.prefix(range.lowerBound) {
            if byte == 10 {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }

    /// The message with its place, the source line and a marker below the offending text.
    package func render(in text: String, file: String = "query") -> String {
        let (line, column) = position(in: text)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let source = line <= lines.count ? String(lines[line - 1]).replacing("\t", with: " ") : ""
        let length = min(max(range.count, 1), max(source.count - column + 1, 1))
        let gutter = String(repeating: " ", count: String(line).count)
        let hint = suggestion.map { " did you mean \($0)?" } ?? ""
        return """
            \(severity.rawValue)[\(code)]: \(message)
              \(file):\(line):\(column)
             \(gutter) |
             \(line) | \(source)
             \(gutter) | \(String(repeating: " ", count: column - 1))\(String(repeating: "^", count: length))\(hint)
            """
    }
}

/// Finds the name somebody probably meant.
package enum NearMiss {
    /// The closest candidate within an edit distance of two, ignoring case; nil when none is near.
    package static func find(_ name: String, in candidates: some Sequence<String>) -> String? {
        let wanted = Array(name.lowercased().utf8)
        var best: (String, Int)?
        // What has no letters to show was never a name that somebody typed.
        for candidate in candidates
        where candidate != name && candidate.unicodeScalars.first.map({ $0.value > 32 }) == true {
            let other = Array(candidate.lowercased().utf8)
            guard abs(other.count - wanted.count) <= 2 else { continue }
            let d = distance(wanted, other)
            if d <= (wanted.count < 5 ? 1 : 2), d < best?.1 ?? Int.max { best = (candidate, d) }
        }
        return best?.0
    }

    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var previous = Array(0...b.count)
        for i in 0..<a.count {
            var current = [i + 1]
            for j in 0..<b.count {
                current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1)))
            }
            previous = current
        }
        return previous[b.count]
    }
}
