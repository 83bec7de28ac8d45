import Foundation

/// The ways in which others write a secret back: as it is, in base64 and base64url (also behind something else, as in
/// `Basic` sign-in),
/// URL-encoded with either case of hexadecimal, as in a form, in JSON, in HTML, in hexadecimal; whole, cut off at its
/// end, or a long
/// part of it.
struct SecretSpellings: Sendable {
    /// Bytes of a secret below which it cannot be told from ordinary words.
    static let bytesMin = 6
    /// Bytes that a form begins with, by which it is found.
    private static let headBytes = 6
    /// Bytes of a cut-off form that tell it at the end of a text or a quotation.
    private static let cutBytes = 8
    /// Bytes of a secret whose rarer spellings are known too.
    private static let rareBytesMax = 512
    /// Bytes between two parts of one secret that belong to it too: a spelling nobody thought of, or a line's end.
    private static let gapMax = 6

    private let forms: [[UInt8]]
    private let heads: [UInt64: [Int]]
    /// Hashes of all parts of `partBytes` that have enough different bytes; none of a short secret.
    private let parts: Set<UInt64>
    private let partBytes: Int

    init(_ text: String) {
        let raw = Array(text.utf8)
        var found: Set<[UInt8]> = []
        if raw.count >= Self.bytesMin {
            found = Set(Self.spellings(text, raw)).filter { $0.count >= Self.headBytes }
        }
        forms = found.sorted { $0.count > $1.count }
        var heads: [UInt64: [Int]] = [:]
        for (i, form) in forms.enumerated() { heads[Self.head(form), default: []].append(i) }
        self.heads = heads
        partBytes = max(12, min(24, raw.count / 2))
        var parts: Set<UInt64> = []
        if raw.count >= 16 {
            for form in forms {
                Self.eachPart(form, partBytes) { _, hash, variety in if variety > 5 { parts.insert(hash) } }
            }
        }
        self.parts = parts
    }

    // MARK: Spellings

    private static func spellings(_ text: String, _ raw: [UInt8]) -> [[UInt8]] {
        var forms: [[UInt8]] = [raw]
        forms += base64(raw)
        let escaped: [(UInt8) -> Bool] = [
            { !isUnreserved($0) }, { !isUnreserved($0) && !Array("!*'()".utf8).contains($0) },
            { !isUnreserved($0) && !Array("!$&'()*+,;=:@/?".utf8).contains($0) },
        ]
        for isEscaped in escaped {
            for digits in [upper, lower] {
                let form = raw.flatMap { isEscaped($0) ? [37, digits[Int($0 >> 4)], digits[Int($0 & 15)]] : [$0] }
                forms.append(form)
                forms.append(form.count == raw.count ? form : replace(form, [37, 50, 48], [43]))
            }
        }
        forms += json(text)
        forms.append(html(text, ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;"]))
        forms.append(html(text, ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&#34;", "'": "&#x27;", "+": "&#43;"]))
        if raw.count <= rareBytesMax {
            for digits in [upper, lower] {
                forms.append(raw.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
                forms.append(raw.flatMap { [37, digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
            }
            // What was encoded once is encoded once more where one answer quotes another.
            for form in json(text) { forms += json(String(decoding: form, as: UTF8.self)) }
            forms.append(
                raw.flatMap { isUnreserved($0) ? [$0] : [37, 50, 53, upper[Int($0 >> 4)], upper[Int($0 & 15)]] })
        }
        return forms
    }

    private static let upper = Array("0123456789ABCDEF".utf8)
    private static let lower = Array("0123456789abcdef".utf8)

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        isWordByte(byte) && byte < 128 || byte == 45 || byte == 46 || byte == 95 || byte == 126
    }

    /// At each of the three places where a text can begin in base64, without the characters that depend on what is
    /// beside it.
    private static func base64(_ raw: [UInt8]) -> [[UInt8]] {
        (0..<3).flatMap { offset -> [[UInt8]] in
            let all = Array(Data([UInt8](repeating: 0, count: offset) + raw).base64EncodedString().utf8)
            let whole = all[(offset == 0 ? 0 : offset + 1)..<((offset + raw.count) * 8 / 6)]
            return [Array(whole), whole.map { $0 == 43 ? 45 : $0 == 47 ? 95 : $0 }]
        }
    }

    /// As JSON writes it: with only what must be escaped, with slashes, and with all that is risky in a page, as
    /// several libraries do.
    private static func json(_ text: String) -> [[UInt8]] {
        func form(_ escaped: Set<Unicode.Scalar>, _ digits: [UInt8], slash: Bool, ascii: Bool) -> [UInt8] {
            var out: [UInt8] = []
            func code(_ unit: UInt16) {
                out += [92, 117] + [12, 8, 4, 0].map { digits[Int(unit >> UInt16($0)) & 15] }
            }
            for scalar in text.unicodeScalars {
                if escaped.contains(scalar) || ascii && scalar.value > 126 || scalar.value < 32 && scalar != "\n" {
                    for unit in String(scalar).utf16 { code(unit) }
                    continue
                }
                switch scalar {
                case "\"": out += [92, 34]
                case "\\": out += [92, 92]
                case "\n": out += [92, 110]
                case "/" where slash: out += [92, 47]
                default: out += String(scalar).utf8
                }
            }
            return out
        }
        let risky: Set<Unicode.Scalar> = ["<", ">", "&", "'", "+", "\"", "`"]
        return [
            form([], lower, slash: false, ascii: false), form([], lower, slash: true, ascii: false),
            form([], lower, slash: false, ascii: true), form(["<", ">", "&"], lower, slash: false, ascii: false),
            form(risky, upper, slash: false, ascii: true), form(risky, lower, slash: false, ascii: true),
        ]
    }

    private static func html(_ text: String, _ names: [Character: String]) -> [UInt8] {
        text.flatMap { Array((names[$0] ?? String($0)).utf8) }
    }

    private static func replace(_ bytes: [UInt8], _ what: [UInt8], _ with: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at...].starts(with: what) {
                out += with
                at += what.count
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return out
    }

    // MARK: Finding

    private static func head(_ form: [UInt8]) -> UInt64 { form.prefix(headBytes).reduce(0) { $0 << 8 | UInt64($1) } }

    /// Calls `body` with every part of so many bytes: where it begins, its hash, and a measure of how many different
    /// bytes it has.
    private static func eachPart(_ bytes: [UInt8], _ count: Int, _ body: (Int, UInt64, Int) -> Void) {
        guard bytes.count >= count else { return }
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        let last = (1..<count).reduce(UInt64(1)) { power, _ in power &* factor }
        var hash: UInt64 = 0
        var counts = [Int](repeating: 0, count: 256)
        var variety = 0
        for (i, byte) in bytes.enumerated() {
            if i >= count {
                let old = bytes[i - count]
                hash &-= (UInt64(old) &+ 1) &* last
                counts[Int(old)] -= 1
                if counts[Int(old)] == 0 { variety -= 1 }
            }
            hash = hash &* factor &+ UInt64(byte) &+ 1
            counts[Int(byte)] += 1
            if counts[Int(byte)] == 1 { variety += 1 }
            if i >= count - 1 { body(i - count + 1, hash, variety) }
        }
    }

    /// Whether any form begins somewhere: a look that a long answer can bear.
    func mayOccur(in bytes: [UInt8]) -> Bool {
        guard !heads.isEmpty else { return false }
        // By the last two of a head's bytes, which are asked first.
        var ends = [Bool](repeating: false, count: 65_536)
        for head in heads.keys { ends[Int(head & 0xFFFF)] = true }
        return bytes.withUnsafeBufferPointer { bytes in
            var key: UInt64 = 0
            for byte in bytes {
                key = (key << 8 | UInt64(byte)) & 0xFFFF_FFFF_FFFF
                if ends[Int(key & 0xFFFF)], heads[key] != nil { return true }
            }
            return false
        }
    }

    /// Where the secret stands in a text.
    ///
    /// - Parameter wholeOnly: whether only all of a spelling counts. Tokens begin alike: a part of one may be
    ///   another's.
    func occurrences(in bytes: [UInt8], wholeOnly: Bool = false) -> [Range<Int>] {
        guard !forms.isEmpty, bytes.count >= Self.headBytes else { return [] }
        var marks: [Range<Int>] = []
        var key: UInt64 = 0
        for i in bytes.indices {
            key = (key << 8 | UInt64(bytes[i])) & 0xFFFF_FFFF_FFFF
            let start = i - Self.headBytes + 1
            guard start >= 0, let candidates = heads[key] else { continue }
            let lengths = candidates.compactMap {
                length(of: forms[$0], at: start, in: bytes, wholeOnly: wholeOnly)
            }
            if let length = lengths.max() { marks.append(start..<start + length) }
        }
        if !parts.isEmpty, !wholeOnly {
            Self.eachPart(bytes, partBytes) { start, hash, _ in
                if parts.contains(hash) { marks.append(start..<start + partBytes) }
            }
        }
        return Self.joined(marks, gap: Self.gapMax)
    }

    /// How much of a form stands at a place; nil when it is too little to tell.
    private func length(of form: [UInt8], at start: Int, in bytes: [UInt8], wholeOnly: Bool) -> Int? {
        var length = Self.headBytes
        while length < form.count, start + length < bytes.count, bytes[start + length] == form[length] { length += 1 }
        if length == form.count { return length }
        guard !wholeOnly, length >= Self.cutBytes, Set(form.prefix(length)).count > 4 else { return nil }
        if length >= (form.count + 1) / 2 { return length }
        return Self.isEnd(bytes[(start + length)...]) ? length : nil
    }

    /// Whether a text, or what it quotes, is cut off here.
    private static func isEnd(_ rest: ArraySlice<UInt8>) -> Bool {
        guard let next = rest.first else { return true }
        return [34, 39, 60, 92, 10, 13].contains(next) || rest.starts(with: "...".utf8) || rest.starts(with: "…".utf8)
    }

    /// Where a text too short to be told from others stands as a word of its own.
    static func words(_ word: [UInt8], in bytes: [UInt8]) -> [Range<Int>] {
        guard word.count >= 3, bytes.count >= word.count else { return [] }
        return (0...bytes.count - word.count).compactMap { i in
            let end = i + word.count
            guard bytes[i] == word[0], bytes[i..<end].elementsEqual(word), i == 0 || !isWordByte(bytes[i - 1]),
                end == bytes.count || !isWordByte(bytes[end])
            else { return nil }
            return i..<end
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte >= 128
    }

    // MARK: Replacing

    private static func joined(_ marks: [Range<Int>], gap: Int) -> [Range<Int>] {
        var out: [Range<Int>] = []
        for mark in marks.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = out.last, mark.lowerBound <= last.upperBound + gap {
                out[out.count - 1] = last.lowerBound..<max(last.upperBound, mark.upperBound)
            } else {
                out.append(mark)
            }
        }
        return out
    }

    /// A text with `mark` in the place of what is marked; no character is cut in two.
    static func replaced(_ marks: [Range<Int>], in bytes: [UInt8], by mark: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var at = 0
        for range in joined(marks, gap: 0) {
            var (from, to) = (range.lowerBound, range.upperBound)
            while from > at, bytes[from] & 0xC0 == 0x80 { from -= 1 }
            while to < bytes.count, bytes[to] & 0xC0 == 0x80 { to += 1 }
            guard from >= at else { continue }
            out += bytes[at..<from] + mark
            at = to
        }
        return out + bytes[at...]
    }
}
