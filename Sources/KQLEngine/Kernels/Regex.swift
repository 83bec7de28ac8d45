import CRE2

/// A compiled RE2 pattern: the engine, and so the meaning, that Kusto uses; linear in the text's length.
package final class Regex {
    private let handle: OpaquePointer
    package let groupCount: Int

    /// Nil when the pattern is not valid.
    package convenience init?(_ pattern: String, caseSensitive: Bool = true) {
        // The other spelling of a named group, which older libraries do not read.
        self.init(
            compiling: pattern.contains("(?<") ? Regex.pythonGroups(pattern) : pattern, caseSensitive: caseSensitive)
    }

    private static func pythonGroups(_ pattern: String) -> String {
        let u = Array(pattern.utf8)
        var out: [UInt8] = []
        var i = 0
        while i < u.count {
            if u[i] == 92, i + 1 < u.count {
                out += u[i...i + 1]
                i += 2
            } else if i + 3 < u.count, u[i] == 40, u[i + 1] == 63, u[i + 2] == 60, u[i + 3] != 61, u[i + 3] != 33 {
                out += Array("(?P<".utf8)
                i += 3
            } else {
                out.append(u[i])
                i += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private init?(compiling pattern: String, caseSensitive: Bool) {
        var reason = [CChar](repeating: 0, count: 200)
        var copy = pattern
        let compiled = copy.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                vestige_re2_compile($0.baseAddress, $0.count, caseSensitive, &reason, reason.count)
            }
        }
        guard let compiled else { return nil }
        handle = compiled
        groupCount = Int(vestige_re2_groups(compiled))
    }

    deinit { vestige_re2_free(handle) }

    /// The number of the group called `name`, or nil.
    package func group(named name: String) -> Int? {
        var copy = name
        let i = copy.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { vestige_re2_group_named(handle, $0.baseAddress, $0.count) }
        }
        return i < 0 ? nil : Int(i)
    }

    package func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        withBase(text) { base, count in vestige_re2_search(handle, base, count, 0, nil, 0) }
    }

    package func matches(_ text: String) -> Bool {
        var copy = text
        return copy.withUTF8 { matches($0) }
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

    /// The groups of the first match at or after `start` as byte ranges; nil for one that took no part.
    package func search(_ text: UnsafeBufferPointer<UInt8>, from start: Int = 0) -> [Range<Int>?]? {
        var offsets = [Int](repeating: -1, count: 2 * (groupCount + 1))
        let found = withBase(text) { base, count in
            vestige_re2_search(handle, base, count, start, &offsets, Int32(groupCount + 1))
        }
        guard found else { return nil }
        return (0...groupCount).map { offsets[2 * $0] < 0 ? nil : offsets[2 * $0]..<offsets[2 * $0 + 1] }
    }

    /// Every match, none overlapping another.
    package func searchAll(_ text: UnsafeBufferPointer<UInt8>) -> [[Range<Int>?]] {
        var out: [[Range<Int>?]] = []
        var at = 0
        while at <= text.count, let groups = search(text, from: at), let whole = groups[0] {
            out.append(groups)
            at = whole.isEmpty ? whole.upperBound + 1 : whole.upperBound
        }
        return out
    }

    /// `text` with every match replaced; `\1` in `replacement` stands for a group.
    package func replace(_ text: String, with replacement: String) -> String {
        var copy = text
        let pattern = Array(replacement.utf8)
        return copy.withUTF8 { bytes in
            var out: [UInt8] = []
            var last = 0
            for groups in searchAll(bytes) {
                guard let whole = groups[0] else { continue }
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
