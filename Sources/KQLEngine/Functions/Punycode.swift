/// RFC 3492: text of any script as letters, digits and hyphens.
enum Punycode {
    private static let (base, tMin, tMax, skew, damp) = (36, 1, 26, 38, 700)

    private static func adapt(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var d = isFirst ? delta / damp : delta / 2
        d += d / count
        var k = 0
        while d > (base - tMin) * tMax / 2 {
            d /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * d / (d + skew)
    }

    private static func threshold(_ k: Int, _ bias: Int) -> Int { max(tMin, min(tMax, k - bias)) }

    /// Nil when the text is too long to be encoded.
    static func encode(_ text: String) -> String? {
        let input = text.unicodeScalars.map { Int($0.value) }
        var out = input.filter { $0 < 128 }.map { UInt8($0) }
        let basic = out.count
        var handled = basic
        if basic > 0, basic < input.count { out.append(45) }
        var (n, delta, bias) = (128, 0, 72)
        while handled < input.count {
            guard let m = input.filter({ $0 >= n }).min() else { return nil }
            let (step, overflow) = (m - n).multipliedReportingOverflow(by: handled + 1)
            if overflow { return nil }
            delta += step
            n = m
            for c in input {
                if c < n { delta += 1 }
                guard c == n else { continue }
                var q = delta
                var k = base
                while true {
                    let t = threshold(k, bias)
                    if q < t { break }
                    out.append(digit(t + (q - t) % (base - t)))
                    q = (q - t) / (base - t)
                    k += base
                }
                out.append(digit(q))
                bias = adapt(delta, handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func digit(_ d: Int) -> UInt8 { UInt8(d < 26 ? d + 97 : d - 26 + 48) }

    /// Nil when the text is not in the encoding.
    static func decode(_ text: String) -> String? {
        let u = Array(text.utf8)
        guard u.allSatisfy({ $0 < 128 }) else { return nil }
        let split = u.lastIndex(of: 45)
        var out = u[..<(split ?? 0)].map { UInt32($0) }
        var at = split.map { $0 + 1 } ?? 0
        var (n, i, bias) = (128, 0, 72)
        while at < u.count {
            let old = i
            var weight = 1
            var k = base
            while true {
                guard at < u.count, let d = value(u[at]) else { return nil }
                at += 1
                let (part, overflow) = d.multipliedReportingOverflow(by: weight)
                guard !overflow, i < Int.max - part else { return nil }
                i += part
                let t = threshold(k, bias)
                if d < t { break }
                let (next, tooLong) = weight.multipliedReportingOverflow(by: base - t)
                if tooLong { return nil }
                weight = next
                k += base
            }
            bias = adapt(i - old, out.count + 1, isFirst: old == 0)
            n += i / (out.count + 1)
            i %= out.count + 1
            guard n <= 0x10FFFF, Unicode.Scalar(UInt32(n)) != nil else { return nil }
            out.insert(UInt32(n), at: i)
            i += 1
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: out.compactMap { Unicode.Scalar($0) })
        return String(view)
    }

    private static func value(_ b: UInt8) -> Int? {
        switch b {
        case 48...57: Int(b) - 48 + 26
        case 65...90: Int(b) - 65
        case 97...122: Int(b) - 97
        default: nil
        }
    }

    /// The labels of a domain name apart; the ideographic and half-width full stops count as dots.
    private static func labels(_ domain: String) -> [String] {
        domain.split(omittingEmptySubsequences: false) { ".\u{3002}\u{FF61}\u{FF0E}".contains($0) }.map(String.init)
    }

    static func encodeDomain(_ domain: String) -> String? {
        var out: [String] = []
        for label in labels(domain) {
            if label.utf8.allSatisfy({ $0 < 128 }) {
                out.append(label)
            } else if let code = encode(label) {
                out.append("xn--" + code)
            } else {
                return nil
            }
        }
        return out.joined(separator: ".")
    }

    static func decodeDomain(_ domain: String) -> String? {
        var out: [String] = []
        for label in domain.split(separator: ".", omittingEmptySubsequences: false) {
            if label.lowercased().hasPrefix("xn--") {
                guard let text = decode(String(label.dropFirst(4))) else { return nil }
                out.append(text)
            } else {
                out.append(String(label))
            }
        }
        return out.joined(separator: ".")
    }
}
