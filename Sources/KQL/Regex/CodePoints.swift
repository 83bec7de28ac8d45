/// A set of Unicode code points, as ranges in order with gaps between them.
struct CodePoints: Equatable {
    private(set) var ranges: [ClosedRange<UInt32>]

    static let last: UInt32 = 0x10FFFF
    static let empty = CodePoints([])

    /// - Parameter ranges: in any order; they may overlap.
    init(_ ranges: [ClosedRange<UInt32>]) {
        var out: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let end = out.last, range.lowerBound <= end.upperBound || range.lowerBound == end.upperBound + 1 {
                out[out.count - 1] = end.lowerBound...max(end.upperBound, range.upperBound)
            } else {
                out.append(range)
            }
        }
        self.ranges = out
    }

    init(_ scalars: String) { self.init(scalars.unicodeScalars.map { $0.value...$0.value }) }

    var complement: CodePoints {
        var out: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { out.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= CodePoints.last { out.append(next...CodePoints.last) }
        return CodePoints(out)
    }

    func union(_ other: CodePoints) -> CodePoints { CodePoints(ranges + other.ranges) }

    func intersection(_ other: CodePoints) -> CodePoints {
        complement.union(other.complement).complement
    }

    func subtracting(_ other: CodePoints) -> CodePoints { intersection(other.complement) }

    /// The set between the brackets of a class.
    var text: String {
        func hex(_ n: UInt32) -> String { "\\x{\(String(n, radix: 16))}" }
        return ranges.map { range in
            range.count == 1
                ? hex(range.lowerBound) : "\(hex(range.lowerBound))-\(hex(range.upperBound))"
        }.joined()
    }
}

/// The sets that a class may name, from the Unicode tables of the standard library.
enum UnicodeSets {
    static let whiteSpace = CodePoints([
        9...13, 0x20...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000,
    ])
    static let asciiWord = CodePoints([48...57, 65...90, 95...95, 97...122])

    /// Every code point for which `body` holds. It walks through all of Unicode.
    static func all(below end: UInt32 = CodePoints.last + 1, _ body: (Unicode.Scalar) -> Bool) -> CodePoints {
        var out: [ClosedRange<UInt32>] = []
        var start: UInt32?
        for n in 0..<end {
            let holds = Unicode.Scalar(n).map(body) ?? false
            if holds, start == nil { start = n }
            if !holds, let from = start {
                out.append(from...n - 1)
                start = nil
            }
        }
        if let from = start { out.append(from...end - 1) }
        return CodePoints(out)
    }

    /// Letters, marks, decimal digits, connectors and joiners
    /// (https://learn.microsoft.com/kusto/query/regex#perl-character-classes-unicode-friendly).
    static let word = all(isWord)

    static func isWord(_ c: Unicode.Scalar) -> Bool {
        if c.value < 128 { return c.value == 95 || c.properties.isAlphabetic || (48...57).contains(c.value) }
        if c.properties.isAlphabetic || c.properties.isJoinControl { return true }
        switch c.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
        default: return false
        }
    }

    static let digits = all { $0.properties.generalCategory == .decimalNumber }

    /// The names that the classes between `[:` and `:]` have.
    static let posix: [String: CodePoints] = [
        "alnum": CodePoints([48...57, 65...90, 97...122]), "alpha": CodePoints([65...90, 97...122]),
        "ascii": CodePoints([0...127]), "blank": CodePoints("\t "), "cntrl": CodePoints([0...31, 127...127]),
        "digit": CodePoints([48...57]), "graph": CodePoints([33...126]), "lower": CodePoints([97...122]),
        "print": CodePoints([32...126]), "punct": CodePoints([33...47, 58...64, 91...96, 123...126]),
        "space": CodePoints([9...13, 32...32]), "upper": CodePoints([65...90]), "word": asciiWord,
        "xdigit": CodePoints([48...57, 65...70, 97...102]),
    ]

    /// Whether a code point is of a general category, by its short name, or has a property; nil for scripts and what is
    /// not known.
    static func test(_ name: String) -> ((Unicode.Scalar) -> Bool)? {
        switch name {
        case "Any": return { _ in true }
        case "ASCII": return { $0.value < 128 }
        case "Alphabetic": return { $0.properties.isAlphabetic }
        case "Uppercase": return { $0.properties.isUppercase }
        case "Lowercase": return { $0.properties.isLowercase }
        case "White_Space": return { $0.properties.isWhitespace }
        default:
            let isCased = name == "LC"
            let wanted = categories.filter { key, _ in
                isCased ? ["Lu", "Ll", "Lt"].contains(key) : key.hasPrefix(name)
            }
            guard (1...2).contains(name.count), !wanted.isEmpty else { return nil }
            let kinds = Set(wanted.values)
            return { kinds.contains($0.properties.generalCategory) }
        }
    }

    private static let categories: [String: Unicode.GeneralCategory] = [
        "Lu": .uppercaseLetter, "Ll": .lowercaseLetter, "Lt": .titlecaseLetter, "Lm": .modifierLetter,
        "Lo": .otherLetter, "Mn": .nonspacingMark, "Mc": .spacingMark, "Me": .enclosingMark, "Nd": .decimalNumber,
        "Nl": .letterNumber, "No": .otherNumber, "Pc": .connectorPunctuation, "Pd": .dashPunctuation,
        "Ps": .openPunctuation, "Pe": .closePunctuation, "Pi": .initialPunctuation, "Pf": .finalPunctuation,
        "Po": .otherPunctuation, "Sm": .mathSymbol, "Sc": .currencySymbol, "Sk": .modifierSymbol, "So": .otherSymbol,
        "Zs": .spaceSeparator, "Zl": .lineSeparator, "Zp": .paragraphSeparator, "Cc": .control, "Cf": .format,
        "Co": .privateUse,
    ]

    /// A property's name as the tables have it, from one of its spellings: case, spaces, dashes and underscores do
    /// not count.
    static func canonical(_ written: String) -> String {
        let value = written.split(separator: "=", maxSplits: 1).last.map(String.init) ?? written
        let plain = value.lowercased().filter { !"_- ".contains($0) }
        if let known = names[plain] { return known }
        if plain.count <= 2 { return plain.prefix(1).uppercased() + plain.dropFirst() }
        // A script: each word begins with a capital letter.
        return value.split(whereSeparator: { "_- ".contains($0) })
            .map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }.joined(separator: "_")
    }

    private static let names: [String: String] = [
        "letter": "L", "casedletter": "LC", "lc": "LC", "uppercaseletter": "Lu", "lowercaseletter": "Ll",
        "titlecaseletter": "Lt", "modifierletter": "Lm", "otherletter": "Lo", "mark": "M", "combiningmark": "M",
        "nonspacingmark": "Mn", "spacingmark": "Mc", "enclosingmark": "Me", "number": "N", "decimalnumber": "Nd",
        "digit": "Nd", "letternumber": "Nl", "othernumber": "No", "punctuation": "P", "punct": "P",
        "connectorpunctuation": "Pc", "dashpunctuation": "Pd", "openpunctuation": "Ps", "closepunctuation": "Pe",
        "initialpunctuation": "Pi", "finalpunctuation": "Pf", "otherpunctuation": "Po", "symbol": "S",
        "mathsymbol": "Sm", "currencysymbol": "Sc", "modifiersymbol": "Sk", "othersymbol": "So", "separator": "Z",
        "spaceseparator": "Zs", "lineseparator": "Zl", "paragraphseparator": "Zp", "other": "C", "control": "Cc",
        "cntrl": "Cc", "format": "Cf", "privateuse": "Co", "any": "Any", "ascii": "ASCII", "alphabetic": "Alphabetic",
        "alpha": "Alphabetic", "uppercase": "Uppercase", "upper": "Uppercase", "lowercase": "Lowercase",
        "lower": "Lowercase", "whitespace": "White_Space", "space": "White_Space",
    ]
}
