import Foundation
import Tables

/// Functions that take structured text apart.
extension ScalarFunctions {
    static func csv(_ line: String) -> [String] {
        var out: [String] = []
        var field = ""
        var quoted = false
        let chars = Array(line.unicodeScalars)
        var i = 0
        var current = String.UnicodeScalarView()
        while i < chars.count {
            let c = chars[i]
            if quoted {
                if c == "\"" {
                    if i + 1 < chars.count, chars[i + 1] == "\"" {
                        current.append(c)
                        i += 1
                    } else {
                        quoted = false
                    }
                } else {
                    current.append(c)
                }
            } else if c == "\"" {
                quoted = true
            } else if c == "," {
                out.append(String(current))
                current = .init()
            } else if c == "\n" || c == "\r" {
                break
            } else {
                current.append(c)
            }
            i += 1
        }
        field = String(current)
        out.append(field)
        return out
    }

    private static func bag(_ pairs: [(String, String)]) -> Value { .bag(Bag(pairs.map { ($0.0, .string($0.1)) })) }

    private static func url(_ text: String) -> Value {
        var rest = Substring(text)
        var scheme = "", user = "", password = "", host = "", port = "", path = "", fragment = ""
        var query = Bag()
        if let r = rest.range(of: "://") {
            scheme = String(rest[..<r.lowerBound])
            rest = rest[r.upperBound...]
        }
        if let hash = rest.firstIndex(of: "#") {
            fragment = String(rest[rest.index(after: hash)...])
            rest = rest[..<hash]
        }
        if let q = rest.firstIndex(of: "?") {
            for pair in rest[rest.index(after: q)...].split(separator: "&") {
                let kv = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                query[String(kv[0])] = .string(kv.count > 1 ? String(kv[1]) : "")
            }
            rest = rest[..<q]
        }
        var authority = rest
        if let slash = rest.firstIndex(of: "/") {
            path = String(rest[slash...])
            authority = rest[..<slash]
        }
        if let at = authority.lastIndex(of: "@") {
            let credentials = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = String(credentials[0])
            password = credentials.count > 1 ? String(credentials[1]) : ""
            authority = authority[authority.index(after: at)...]
        }
        if !authority.hasPrefix("["), let colon = authority.lastIndex(of: ":") {
            port = String(authority[authority.index(after: colon)...])
            host = String(authority[..<colon])
        } else {
            host = String(authority)
        }
        var out = Bag()
        for (k, v) in [
            ("Scheme", scheme), ("Host", host), ("Port", port), ("Path", path), ("Username", user),
            ("Password", password),
        ] {
            out[k] = .string(v)
        }
        out["Query Parameters"] = .bag(query)
        out["Fragment"] = .string(fragment)
        return .bag(out)
    }

    private static func path(_ text: String) -> Value {
        var scheme = "", root = ""
        var rest = text
        if let r = rest.range(of: "://") {
            scheme = String(rest[..<r.lowerBound])
            rest = String(rest[r.upperBound...])
        }
        let u = Array(rest.utf8)
        if u.count >= 2, u[1] == 58, (65...90).contains(u[0] & 0xDF) { root = String(rest.prefix(2)) }
        var stream = ""
        var main = rest
        let afterRoot = rest.dropFirst(root.count)
        // A colon after the drive's sets off an alternate data stream.
        if let colon = afterRoot.firstIndex(of: ":") {
            stream = String(afterRoot[afterRoot.index(after: colon)...])
            main = String(rest[..<colon])
        }
        let cut = main.lastIndex(where: { $0 == "/" || $0 == "\\" })
        let directory = cut.map { String(main[..<$0]) } ?? ""
        let file = cut.map { String(main[main.index(after: $0)...]) } ?? main
        let name = directory.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? ""
        let ext = file.lastIndex(of: ".").map { String(file[file.index(after: $0)...]) } ?? ""
        return bag([
            ("Scheme", scheme), ("RootPath", root), ("DirectoryPath", directory), ("DirectoryName", name),
            ("Filename", file),
            ("Extension", ext), ("AlternateDataStreamName", stream),
        ])
    }

    /// Four numbers packed into a decimal, so that versions compare.
    private static func version(_ text: String) -> Value {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...4).contains(parts.count) else { return .null }
        var total: UInt128 = 0
        for i in 0..<4 {
            var n: UInt128 = 0
            if i < parts.count {
                guard parts[i].utf8.count <= 8, let v = UInt128(parts[i]) else { return .null }
                n = v
            }
            total = total * 100_000_000 + n
        }
        return .decimal(Decimal(coefficient: total, exponent: 0, isNegative: false))
    }

    /// Splits a command line as the Windows C runtime does.
    private static func windowsArguments(_ text: String) -> [String] {
        var out: [String] = []
        var current = ""
        var quoted = false
        var started = false
        var slashes = 0
        for c in text {
            if c == "\\" {
                slashes += 1
                continue
            }
            if c == "\"" {
                current += String(repeating: "\\", count: slashes / 2)
                if slashes % 2 == 1 { current.append("\"") } else { quoted.toggle() }
                started = true
                slashes = 0
                continue
            }
            current += String(repeating: "\\", count: slashes)
            slashes = 0
            if c == " " || c == "\t", !quoted {
                if started || !current.isEmpty { out.append(current) }
                current = ""
                started = false
            } else {
                current.append(c)
            }
        }
        current += String(repeating: "\\", count: slashes)
        if started || !current.isEmpty { out.append(current) }
        return out
    }

    static var parsing: [String: ScalarKernel] {
        let query = ScalarKernel.lenient { a, _ in
            var bag = Bag()
            for pair in a[0].text.split(separator: "&") {
                let kv = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                bag[percentDecode(String(kv[0]))] = .string(kv.count > 1 ? percentDecode(String(kv[1])) : "")
            }
            return .bag(Bag([("Query Parameters", .bag(bag))]))
        }
        return [
            "parse_csv": .lenient { a, _ in .array(csv(a[0].text).map { .string($0) }) },
            "parse_url": .lenient { a, _ in url(a[0].text) }, "parseurl": .lenient { a, _ in url(a[0].text) },
            "parse_urlquery": query, "parseurlquery": query,
            "parse_path": .lenient { a, _ in path(a[0].text) },
            "parse_version": .lenient { a, _ in version(a[0].text) },
            "parse_command_line": .lenient { a, _ in
                a[0].text.isEmpty ? .null : .array(windowsArguments(a[0].text).map { .string($0) })
            },
            "parse_user_agent": .lenient { a, c in try UserAgent.parse(a[0].text, a.count > 1 ? a[1] : nil, c) },
            "parse_xml": .lenient { a, _ in XMLText.parse(a[0].text) ?? .null },
        ]
    }
}

/// XML as `parse_xml` turns it into bags: attributes under `@name`, text under `#text`, repeated elements as arrays.
enum XMLText {
    static func parse(_ text: String) -> Value? {
        var scanner = Scanner(Array(text.utf8))
        scanner.skipProlog()
        guard let (name, value) = scanner.element(0) else { return nil }
        return .bag(Bag([(name, value)]))
    }

    private struct Scanner {
        let u: [UInt8]
        var i = 0

        init(_ u: [UInt8]) { self.u = u }

        func starts(_ s: String) -> Bool { u[i...].starts(with: s.utf8) }

        mutating func skipSpace() { while i < u.count, u[i] <= 32 { i += 1 } }

        mutating func skip(past s: String) {
            let end = Array(s.utf8)
            while i < u.count, !u[i...].starts(with: end) { i += 1 }
            i = min(u.count, i + end.count)
        }

        mutating func skipProlog() {
            while true {
                skipSpace()
                if starts("<?") {
                    skip(past: "?>")
                } else if starts("<!--") {
                    skip(past: "-->")
                } else if starts("<!") {
                    skip(past: ">")
                } else {
                    return
                }
            }
        }

        mutating func name() -> String {
            let start = i
            while i < u.count, u[i] > 32, !Array("/>=".utf8).contains(u[i]) { i += 1 }
            return String(decoding: u[start..<i], as: UTF8.self)
        }

        static func unescape(_ s: String) -> String {
            var out = s
            for (a, b) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")] {
                out = out.replacing(a, with: b)
            }
            return out
        }

        mutating func element(_ depth: Int) -> (String, Value)? {
            guard depth < 200, i < u.count, u[i] == 60 else { return nil }
            i += 1
            let tag = name()
            guard !tag.isEmpty else { return nil }
            var bag = Bag()
            while true {
                skipSpace()
                guard i < u.count else { return nil }
                if u[i] == 47 {
                    i += 2
                    return (tag, bag.count == 0 ? .null : .bag(bag))
                }
                if u[i] == 62 {
                    i += 1
                    break
                }
                let key = name()
                skipSpace()
                guard i < u.count, u[i] == 61 else { return nil }
                i += 1
                skipSpace()
                guard i < u.count, u[i] == 34 || u[i] == 39 else { return nil }
                let quote = u[i]
                i += 1
                let start = i
                while i < u.count, u[i] != quote { i += 1 }
                bag["@" + key] = .string(Scanner.unescape(String(decoding: u[start..<i], as: UTF8.self)))
                i += 1
            }
            var text = ""
            while i < u.count {
                if starts("</") {
                    skip(past: ">")
                    let trimmed = text.trimmed
                    if bag.count == 0 { return (tag, .string(trimmed)) }
                    if !trimmed.isEmpty { bag["#text"] = .string(trimmed) }
                    return (tag, .bag(bag))
                }
                if starts("<![CDATA[") {
                    i += 9
                    let start = i
                    skip(past: "]]>")
                    text += String(decoding: u[start..<max(start, i - 3)], as: UTF8.self)
                } else if starts("<!--") {
                    skip(past: "-->")
                } else if u[i] == 60 {
                    guard let (child, value) = element(depth + 1) else { return nil }
                    if let old = bag[child] {
                        if case .array(let items) = old {
                            bag[child] = .array(items + [value])
                        } else {
                            bag[child] = .array([old, value])
                        }
                    } else {
                        bag[child] = value
                    }
                } else {
                    let start = i
                    while i < u.count, u[i] != 60 { i += 1 }
                    text += Scanner.unescape(String(decoding: u[start..<i], as: UTF8.self))
                }
            }
            return nil
        }
    }
}
