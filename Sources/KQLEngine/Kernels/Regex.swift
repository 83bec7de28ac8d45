import CRE2
import KQL

/// A compiled regular expression of Kusto's dialect (`RegexPattern`), run by RE2: linear in the text's length.
package final class Regex {
    private let ascii: CompiledRegex
    private let pattern: RegexPattern
    private let caseSensitive: Bool
    private var wide: CompiledRegex?

    package var groupCount: Int { ascii.groupCount }

    /// - Throws: `RegexProblem` when the pattern is not valid, or cannot be told to RE2.
    package init(_ text: String, caseSensitive: Bool = true) throws(RegexProblem) {
        pattern = try RegexPattern(text)
        self.caseSensitive = caseSensitive
        ascii = try CompiledRegex(pattern.ascii, caseSensitive: caseSensitive)
    }

    /// The form for texts that are not ASCII, compiled when the first of them comes.
    private func unicode() -> CompiledRegex? {
        if pattern.unicode == pattern.ascii { return ascii }
        if wide == nil { wide = try? CompiledRegex(pattern.unicode, caseSensitive: caseSensitive) }
        return wide
    }

    private enum Form { case plain(CompiledRegex), marked(CompiledRegex) }

    private func form(for text: UnsafeBufferPointer<UInt8>) -> Form {
        if pattern.unicode == pattern.ascii, !pattern.isMarked { return .plain(ascii) }
        if !pattern.isAlwaysMarked, text.allSatisfy({ $0 < 0x80 }) { return .plain(ascii) }
        guard let wide = unicode() else { return .plain(ascii) }
        return pattern.isMarked ? .marked(wide) : .plain(wide)
    }

    /// The number of the group called `name`, or nil.
    package func group(named name: String) -> Int? { ascii.group(named: name) }

    package func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        switch form(for: text) {
        case .plain(let compiled): return compiled.matches(text)
        case .marked(let compiled):
            return RegexMarks.marked(text, dense: pattern.isDense).bytes.withUnsafeBufferPointer {
                compiled.matches($0)
            }
        }
    }

    package func matches(_ text: String) -> Bool {
        var copy = text
        return copy.withUTF8 { matches($0) }
    }

    /// The groups of the first match as byte ranges; nil for one that took no part.
    package func search(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>?]? {
        switch form(for: text) {
        case .plain(let compiled): return compiled.search(text)
        case .marked(let compiled):
            let (bytes, offsets) = RegexMarks.marked(text, dense: pattern.isDense)
            return bytes.withUnsafeBufferPointer { compiled.search($0) }.map { Regex.unmarked($0, offsets) }
        }
    }

    /// Every match, none overlapping another.
    package func searchAll(_ text: UnsafeBufferPointer<UInt8>) throws -> [[Range<Int>?]] {
        switch form(for: text) {
        case .plain(let compiled): return try compiled.searchAll(text)
        case .marked(let compiled):
            let (bytes, offsets) = RegexMarks.marked(text, dense: pattern.isDense)
            return try bytes.withUnsafeBufferPointer { try compiled.searchAll($0) }.map { Regex.unmarked($0, offsets) }
        }
    }

    private static func unmarked(_ groups: [Range<Int>?], _ offsets: [Int]) -> [Range<Int>?] {
        groups.map { $0.map { offsets[$0.lowerBound]..<offsets[$0.upperBound] } }
    }

    /// `text` with every match replaced; `\1` in `replacement` stands for a group.
    package func replace(_ text: String, with replacement: String) throws -> String {
        var copy = text
        let pattern = Array(replacement.utf8)
        return try copy.withUTF8 { bytes in
            var out: [UInt8] = []
            var last = 0
            for groups in try searchAll(bytes) {
                guard let whole = groups[0] else { continue }
                try ValueSize.checkText(out.count)
                out += bytes[last..<whole.lowerBound]
                var i = 0
                while i < pattern.count {
                    if pattern[i] == 92, i + 1 < pattern.count {
                        let next = pattern[i + 1]
                        if (48...57).contains(next) {
                            let g = Int(next - 48)
                            if g < groups.count, let r = groups[g] { out += bytes[r] }
                        } else {
                            out.append(next)
                        }
                        i += 2
                    } else {
                        out.append(pattern[i])
                        i += 1
                    }
                }
                last = whole.upperBound
            }
            out += bytes[last..<bytes.count]
            return String(decoding: out, as: UTF8.self)
        }
    }
}

/// One pattern of RE2's own dialect.
private final class CompiledRegex {
    private let handle: OpaquePointer
    let groupCount: Int

    init(_ pattern: String, caseSensitive: Bool) throws(RegexProblem) {
        var reason = [CChar](repeating: 0, count: 200)
        var copy = pattern
        let compiled = copy.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                vestige_re2_compile($0.baseAddress, $0.count, caseSensitive, &reason, reason.count)
            }
        }
        guard let compiled else {
            let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw RegexProblem(message: String(decoding: text, as: UTF8.self))
        }
        handle = compiled
        groupCount = Int(vestige_re2_groups(compiled))
    }

    deinit { vestige_re2_free(handle) }

    func group(named name: String) -> Int? {
        var copy = name
        let i = copy.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { vestige_re2_group_named(handle, $0.baseAddress, $0.count) }
        }
        return i < 0 ? nil : Int(i)
    }

    func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        withBase(text) { base, count in vestige_re2_search(handle, base, count, 0, nil, 0) }
    }

    private func withBase<T>(_ text: UnsafeBufferPointer<UInt8>, _ body: (UnsafePointer<CChar>, Int) -> T) -> T {
        guard let base = text.baseAddress else {
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1) { empty in
                empty[0] = 0
                return body(UnsafePointer(empty.baseAddress!), 0)
            }
        }
        return base.withMemoryRebound(to: CChar.self, capacity: text.count) { body($0, text.count) }
    }

    func search(_ text: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> [Range<Int>?]? {
        var offsets = [Int](repeating: -1, count: 2 * (groupCount + 1))
        let found = withBase(text) { base, count in
            vestige_re2_search(handle, base, count, start, &offsets, Int32(groupCount + 1))
        }
        guard found else { return nil }
        return (0...groupCount).map { offsets[2 * $0] < 0 ? nil : offsets[2 * $0]..<offsets[2 * $0 + 1] }
    }

    func searchAll(_ text: UnsafeBufferPointer<UInt8>) throws -> [[Range<Int>?]] {
        var out: [[Range<Int>?]] = []
        var at = 0
        while at <= text.count, let groups = search(text, from: at), let whole = groups[0] {
            try Interrupted.check()
            out.append(groups)
            at = whole.isEmpty ? whole.upperBound + 1 : whole.upperBound
        }
        return out
    }
}
