import KQL

/// Reads keys and values from text, as `parse-kv` does.
///
/// The first value of a key counts; white space around keys and values is dropped. Without delimiters, every character
/// that is neither a letter nor a digit is one. Source: the page of the parse-kv operator.
struct KeyValueReader {
    let syntax: KeyValueSyntax
    let regex: Regex?
    let wanted: Set<String>

    func read(_ text: String) throws -> [String: String] {
        if let regex { return try matches(of: regex, in: text) }
        return syntax.pair == nil && syntax.key == nil ? loose(Array(text)) : delimited(Array(text))
    }

    private func matches(of regex: Regex, in text: String) throws -> [String: String] {
        var out: [String: String] = [:]
        var copy = text
        try copy.withUTF8 { bytes in
            for found in try regex.searchAll(bytes) where found.count > 2 {
                guard let k = found[1], let v = found[2] else { continue }
                let key = String(decoding: bytes[k], as: UTF8.self).trimmed
                if wanted.contains(key), out[key] == nil {
                    out[key] = String(decoding: bytes[v], as: UTF8.self).trimmed
                }
            }
        }
        return out
    }

    /// What stands between quotes at `at`, and where it ends.
    private func quoted(_ chars: [Character], _ at: Int) -> (text: String, end: Int)? {
        guard at < chars.count, let pair = syntax.quotes.first(where: { $0.first == chars[at] }), let close = pair.last
        else { return nil }
        var out = ""
        var i = at + 1
        while i < chars.count, chars[i] != close {
            if syntax.escapes.contains(chars[i]), i + 1 < chars.count { i += 1 }
            out.append(chars[i])
            i += 1
        }
        return i < chars.count ? (out, i + 1) : nil
    }

    private func starts(_ mark: [Character], _ chars: [Character], _ at: Int) -> Bool {
        !mark.isEmpty && at + mark.count <= chars.count && chars[at..<at + mark.count].elementsEqual(mark)
    }

    private func delimited(_ chars: [Character]) -> [String: String] {
        let pair = Array(syntax.pair ?? " ")
        let mark = Array(syntax.key ?? "=")
        var out: [String: String] = [:]
        var i = 0
        func skipBlank() {
            while i < chars.count, chars[i].isWhitespace, !starts(pair, chars, i) || pair == [" "] { i += 1 }
        }
        while i < chars.count {
            skipBlank()
            var key: String
            if let (text, end) = quoted(chars, i) {
                key = text
                i = end
                skipBlank()
            } else {
                key = ""
                while i < chars.count, !starts(mark, chars, i), !starts(pair, chars, i) {
                    key.append(chars[i])
                    i += 1
                }
            }
            guard starts(mark, chars, i) else {
                i += starts(pair, chars, i) ? pair.count : 1
                continue
            }
            i += mark.count
            while i < chars.count, chars[i].isWhitespace, !starts(pair, chars, i) { i += 1 }
            var value: String
            if let (text, end) = quoted(chars, i) {
                value = text
                i = end
            } else {
                value = ""
                while i < chars.count {
                    if starts(pair, chars, i), !syntax.greedy || wantedKeyFollows(chars, i + pair.count, mark) { break }
                    value.append(chars[i])
                    i += 1
                }
                value = value.trimmed
            }
            key = key.trimmed
            if out[key] == nil { out[key] = value }
        }
        return out
    }

    private func wantedKeyFollows(_ chars: [Character], _ at: Int, _ mark: [Character]) -> Bool {
        wanted.contains { key in
            var i = at
            while i < chars.count, chars[i].isWhitespace { i += 1 }
            let quote = syntax.quotes.first { i < chars.count && $0.first == chars[i] }
            if quote != nil { i += 1 }
            let name = Array(key)
            guard starts(name, chars, i) else { return false }
            i += name.count
            if quote != nil { i += 1 }
            while i < chars.count, chars[i].isWhitespace, !starts(mark, chars, i) { i += 1 }
            return starts(mark, chars, i)
        }
    }

    /// Words in a row: a wanted one names the next.
    private func loose(_ chars: [Character]) -> [String: String] {
        var out: [String: String] = [:]
        var words: [String] = []
        var i = 0
        while i < chars.count {
            if let (text, end) = quoted(chars, i) {
                words.append(text)
                i = end
            } else if chars[i].isLetter || chars[i].isNumber {
                var word = ""
                while i < chars.count, chars[i].isLetter || chars[i].isNumber {
                    word.append(chars[i])
                    i += 1
                }
                words.append(word)
            } else {
                i += 1
            }
        }
        for (key, value) in zip(words, words.dropFirst()) where wanted.contains(key) && out[key] == nil {
            out[key] = value
        }
        return out
    }
}
