/// One member of a class, or an escape that stands alone: how it is written in both forms, and which code points it is.
struct RegexClassItem {
    /// Between brackets, for texts of ASCII alone.
    let ascii: String
    /// Between brackets, for any text; nil when only the complement of a set says it.
    let wide: String?
    /// The code points, for any text or for ASCII; nil for a script, whose code points nobody here knows.
    let points: (Bool) -> CodePoints?
    var isNegated = false
    /// One character, which may begin a range.
    var single: UInt32?

    static func character(_ value: UInt32) -> RegexClassItem {
        let set = CodePoints([value...value])
        return RegexClassItem(ascii: set.text, wide: set.text, points: { _ in set }, single: value)
    }

    static func set(_ ascii: CodePoints, _ wide: String?, isNegated: Bool, _ points: @escaping () -> CodePoints?)
        -> RegexClassItem
    {
        let known = CodePoints([0...127])
        let plain = isNegated ? known.subtracting(ascii) : ascii
        return RegexClassItem(
            ascii: plain.text, wide: wide,
            points: { isUnicode in
                let set = isUnicode ? points() : ascii
                return isNegated ? set?.complement : set
            }, isNegated: isNegated)
    }

    /// Alone, outside of a class.
    var asciiText: String { ascii.isEmpty ? "[^\\x{0}-\\x{10ffff}]" : "[\(ascii)]" }

    var wideText: String {
        if let wide { return "[\(wide)]" }
        return points(true).map { "[\($0.text)]" } ?? "[^\\x{0}-\\x{10ffff}]"
    }

    /// Alone, without the marks of word boundaries.
    func withoutMarks() throws(RegexProblem) -> String {
        guard let set = points(true) else {
            throw RegexProblem(message: "a script beside a word boundary is not in the local engine")
        }
        return "[\(set.subtracting(RegexMarks.points).text)]"
    }
}

/// What stands between brackets.
indirect enum RegexClass {
    case items([Member], isNegated: Bool)
    case operation(String, RegexClass, RegexClass, isNegated: Bool)

    enum Member {
        case item(RegexClassItem)
        case range(UInt32, UInt32)
        case nested(RegexClass)
    }

    var isNegated: Bool {
        switch self {
        case .items(_, let isNegated), .operation(_, _, _, let isNegated): isNegated
        }
    }

    /// Whether RE2 has no brackets for it, so that its code points are counted.
    var needsSets: Bool {
        guard case .items(let members, _) = self else { return true }
        return members.contains { member in
            switch member {
            case .item(let item): item.wide == nil
            case .range: false
            case .nested(let inner): inner.needsSets || inner.isNegated
            }
        }
    }

    /// Between brackets; only of a class that does not need sets.
    func body(isUnicode: Bool) -> String {
        guard case .items(let members, let isNegated) = self else { return "" }
        return (isNegated ? "^" : "")
            + members.map { member in
                switch member {
                case .item(let item): isUnicode ? item.wide ?? item.ascii : item.ascii
                case .range(let low, let high): CodePoints([low...high]).text
                case .nested(let inner): inner.body(isUnicode: isUnicode)
                }
            }.joined()
    }

    func set(isUnicode: Bool) throws(RegexProblem) -> CodePoints {
        switch self {
        case .items(let members, let isNegated):
            var out = CodePoints.empty
            for member in members {
                switch member {
                case .item(let item):
                    guard let set = item.points(isUnicode) else {
                        throw RegexProblem(message: "operations on classes of a script are not in the local engine")
                    }
                    out = out.union(set)
                case .range(let low, let high): out = out.union(CodePoints([low...high]))
                case .nested(let inner): out = out.union(try inner.set(isUnicode: isUnicode))
                }
            }
            return isNegated ? out.complement : out
        case .operation(let op, let left, let right, let isNegated):
            let (a, b) = (try left.set(isUnicode: isUnicode), try right.set(isUnicode: isUnicode))
            let out =
                switch op {
                case "&&": a.intersection(b)
                case "--": a.subtracting(b)
                default: a.union(b).subtracting(a.intersection(b))
                }
            return isNegated ? out.complement : out
        }
    }
}

extension CodePoints {
    func holds(_ c: Unicode.Scalar) -> Bool { ranges.contains { $0.contains(c.value) } }
}

/// Reads classes and escapes.
struct RegexClassReader {
    private let u: [Unicode.Scalar]
    private let isVerbose: Bool
    private let isUnicode: Bool
    /// Whether a bracket inside of a class opens another.
    private let nests: Bool
    private var depth = 0

    init(_ u: [Unicode.Scalar], isVerbose: Bool, isUnicode: Bool, nests: Bool = true) {
        self.u = u
        self.isVerbose = isVerbose
        self.isUnicode = isUnicode
        self.nests = nests
    }

    private func at(_ i: Int) -> Unicode.Scalar? { i < u.count ? u[i] : nil }

    private func skipBlank(_ i: inout Int) {
        while isVerbose, let c = at(i), c.properties.isWhitespace { i += 1 }
    }

    /// A class, its opening bracket not yet taken.
    mutating func bracket(_ i: inout Int) throws(RegexProblem) -> RegexClass {
        depth += 1
        defer { depth -= 1 }
        guard depth < 50 else { throw RegexProblem(message: "a class is nested more than 50 levels deep") }
        i += 1
        let isNegated = at(i) == "^"
        if isNegated { i += 1 }
        var members: [RegexClass.Member] = []
        var whole: RegexClass?
        var operation: String?
        func flush() {
            let side = RegexClass.items(members, isNegated: false)
            if let op = operation, let left = whole {
                whole = .operation(op, left, side, isNegated: false)
            } else {
                whole = side
            }
            members = []
        }
        var isFirst = true
        while true {
            skipBlank(&i)
            guard let c = at(i) else { throw RegexProblem(message: "a class has no closing ]") }
            if c == "]", !isFirst {
                i += 1
                break
            }
            isFirst = false
            if let op = ["&&", "--", "~~"].first(where: { $0.unicodeScalars.first == c && at(i + 1) == c }) {
                flush()
                operation = op
                i += 2
                continue
            }
            members.append(try member(&i))
        }
        if operation == nil { return .items(members, isNegated: isNegated) }
        flush()
        if case .operation(let op, let a, let b, _)? = whole {
            return .operation(op, a, b, isNegated: isNegated)
        }
        return .items([], isNegated: isNegated)
    }

    private mutating func member(_ i: inout Int) throws(RegexProblem) -> RegexClass.Member {
        if at(i) == "[" {
            if at(i + 1) == ":", let item = posix(&i) { return .item(item) }
            if nests { return .nested(try bracket(&i)) }
        }
        let item = try one(&i)
        guard let low = item.single, at(i) == "-", let next = at(i + 1), next != "]", next != "-" else {
            return .item(item)
        }
        let saved = i
        i += 1
        guard let high = try one(&i).single else {
            i = saved
            return .item(item)
        }
        guard low <= high else { throw RegexProblem(message: "a range in a class runs backwards") }
        return .range(low, high)
    }

    private mutating func one(_ i: inout Int) throws(RegexProblem) -> RegexClassItem {
        guard let c = at(i) else { throw RegexProblem(message: "a class has no closing ]") }
        if c == "\\" { return try escape(&i) }
        i += 1
        return .character(c.value)
    }

    /// `[:name:]`, or nil when it is none.
    private func posix(_ i: inout Int) -> RegexClassItem? {
        var end = i + 2
        var name = ""
        while let c = at(end), c != ":", c != "]" {
            name.unicodeScalars.append(c)
            end += 1
        }
        let isNegated = name.hasPrefix("^")
        guard at(end) == ":", at(end + 1) == "]",
            let set = UnicodeSets.posix[String(isNegated ? name.dropFirst() : name[...])]
        else { return nil }
        i = end + 2
        return .set(set, isNegated ? set.complement.text : set.text, isNegated: isNegated) { set }
    }

    /// An escape, its backslash not yet taken.
    mutating func escape(_ i: inout Int) throws(RegexProblem) -> RegexClassItem {
        guard let c = at(i + 1) else { throw RegexProblem(message: "the pattern ends with a lone \\") }
        i += 2
        switch c {
        case "d", "D":
            return perl(c == "D", CodePoints([48...57]), c == "D" ? "\\P{Nd}" : "\\p{Nd}") { UnicodeSets.digits }
        case "s", "S":
            let spaces = UnicodeSets.whiteSpace
            return perl(
                c == "S", CodePoints([9...13, 32...32]), c == "S" ? spaces.complement.text : spaces.text
            ) { spaces }
        case "w", "W":
            let text =
                "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200c}\\x{200d}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}"
                + "\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}"
            return perl(c == "W", UnicodeSets.asciiWord, c == "W" ? nil : text) { UnicodeSets.word }
        case "p", "P": return try property(&i, isNegated: c == "P")
        case "a": return .character(7)
        case "f": return .character(12)
        case "t": return .character(9)
        case "n": return .character(10)
        case "r": return .character(13)
        case "v": return .character(11)
        case "x": return try coded(&i, digits: 2)
        case "u": return try coded(&i, digits: 4)
        case "U": return try coded(&i, digits: 8)
        case "0"..."7": return try octal(&i)
        default:
            guard c.value < 128, !c.properties.isAlphabetic, !("0"..."9").contains(c) else {
                throw RegexProblem(message: "'\\\(c)' is no escape of Kusto's regular expressions")
            }
            return .character(c.value)
        }
    }

    private func perl(_ isNegated: Bool, _ ascii: CodePoints, _ wide: String?, _ points: @escaping () -> CodePoints)
        -> RegexClassItem
    {
        if isUnicode { return .set(ascii, wide, isNegated: isNegated, points) }
        return .set(ascii, isNegated ? ascii.complement.text : ascii.text, isNegated: isNegated) { ascii }
    }

    private func coded(_ i: inout Int, digits: Int) throws(RegexProblem) -> RegexClassItem {
        var text = ""
        if at(i) == "{" {
            i += 1
            while let c = at(i), c != "}" {
                text.unicodeScalars.append(c)
                i += 1
            }
            i += 1
        } else {
            while text.count < digits, let c = at(i) {
                text.unicodeScalars.append(c)
                i += 1
            }
        }
        guard let value = UInt32(text, radix: 16), Unicode.Scalar(value) != nil else {
            throw RegexProblem(message: "'\(text)' is not the code of a character")
        }
        return .character(value)
    }

    private func octal(_ i: inout Int) throws(RegexProblem) -> RegexClassItem {
        var text = ""
        i -= 1
        while text.count < 3, let c = at(i), ("0"..."7").contains(c) {
            text.unicodeScalars.append(c)
            i += 1
        }
        guard text.count > 1 || text == "0", let value = UInt32(text, radix: 8) else {
            throw RegexProblem(message: "references to groups are not part of Kusto's regular expressions")
        }
        return .character(value)
    }

    /// `\pL` and `\p{Letter}`, the `p` already taken.
    private func property(_ i: inout Int, isNegated: Bool) throws(RegexProblem) -> RegexClassItem {
        var written = ""
        if at(i) == "{" {
            i += 1
            while let c = at(i), c != "}" {
                written.unicodeScalars.append(c)
                i += 1
            }
            i += 1
        } else if let c = at(i) {
            written.unicodeScalars.append(c)
            i += 1
        }
        let isOff = written.hasPrefix("^") != isNegated
        let name = UnicodeSets.canonical(written.hasPrefix("^") ? String(written.dropFirst()) : written)
        guard !name.isEmpty else { throw RegexProblem(message: "\\p needs the name of a class") }
        // RE2 has the general categories and the scripts; what else there is must be counted.
        let own = "\\\(isOff ? "P" : "p"){\(name)}"
        guard let test = UnicodeSets.test(name) else {
            return RegexClassItem(ascii: own, wide: own, points: { _ in nil }, isNegated: isOff)
        }
        let plain = UnicodeSets.all(below: 128, test)
        let isCategory = name.count <= 2 && name != "LC"
        return .set(plain, isCategory ? own : nil, isNegated: isOff) { UnicodeSets.all(test) }
    }
}
