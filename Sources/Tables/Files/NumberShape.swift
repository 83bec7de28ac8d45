/// What a text that looks like a number is, and what would be lost if it became one.
package enum NumberShape: Sendable {
    /// A whole number that `long` holds, written as `long` is written.
    case whole(Int64)
    /// A number that `real` holds exactly, written as `real` is written.
    case real
    /// A number that `real` holds exactly, but writes in another way: `1.50`, `9.7e-05`.
    case loose
    /// A number of which digits would be lost: `18446744073709551615`, `0.12345678901234567890`.
    case long
    /// `1,5`: a number where the comma is the decimal point.
    case comma
    /// No number, or one that is likelier a name: `007`, `+49`, `1e5`, `NaN`.
    case none

    /// Looks at a text.
    ///
    /// - Parameter isNumber: whether the file itself says that it is a number, as JSON does without quotation marks.
    package init(_ text: UnsafeBufferPointer<UInt8>, isNumber: Bool = false) {
        var i = 0
        let isNegative = text.first == 45
        if isNegative { i = 1 }
        let whole = Self.digits(text, &i)
        guard whole > 0, text.count <= 400 else {
            self = isNumber && whole == 0 ? .real : isNumber ? .long : .none
            return
        }
        let first = isNegative ? 1 : 0
        // A zero in front is part of a name, except the one before the point.
        if text[first] == 48, whole > 1 {
            self = .none
            return
        }
        if i == text.count {
            if isNegative, text[first] == 48 {
                self = isNumber ? .loose : .none
            } else {
                self = Int64(String(decoding: text, as: UTF8.self)).map { .whole($0) } ?? .long
            }
            return
        }
        if text[i] == 44 {
            i += 1
            self = Self.digits(text, &i) > 0 && i == text.count && !isNumber ? .comma : .none
            return
        }
        let hasPoint = text[i] == 46
        if hasPoint {
            i += 1
            guard Self.digits(text, &i) > 0 else {
                self = .none
                return
            }
        }
        if i < text.count {
            guard text[i] | 32 == 101 else {
                self = .none
                return
            }
            i += 1
            let isSigned = i < text.count && (text[i] == 43 || text[i] == 45)
            if isSigned { i += 1 }
            // 1e5 may be a building or a serial number; 1e-05 and 1.0e5 are what programs write.
            guard Self.digits(text, &i) > 0, i == text.count, isSigned || hasPoint || isNumber else {
                self = .none
                return
            }
        }
        self = Self.exactness(String(decoding: text, as: UTF8.self))
    }

    private static func digits(_ text: UnsafeBufferPointer<UInt8>, _ i: inout Int) -> Int {
        let start = i
        while i < text.count, text[i] >= 48, text[i] <= 57 { i += 1 }
        return i - start
    }

    /// Whether the nearest floating number stands for just these digits.
    private static func exactness(_ text: String) -> NumberShape {
        guard let number = Double(text), number.isFinite else { return .long }
        let mantissa = text.prefix { $0 != "e" && $0 != "E" }
        var digits = mantissa.utf8.filter { $0 >= 48 && $0 <= 57 }
        while digits.count > 1, digits.first == 48 { digits.removeFirst() }
        while digits.count > 1, digits.last == 48 { digits.removeLast() }
        if number == 0 { return digits == [48] ? .loose : .long }
        let (shortest, _, _) = RealText.shortest(number)
        // Below the normal numbers digits fade away.
        guard number.magnitude >= Double.leastNormalMagnitude, shortest.utf8.elementsEqual(digits) else { return .long }
        return RealText.format(number) == text ? .real : .loose
    }

    /// Whether a word is a number as JSON has them, or as programs write them beside it: `NaN`, `Infinity`, `007`.
    static func isJSON(_ word: UnsafeBufferPointer<UInt8>) -> Bool {
        var i = 0
        if word.first == 45 { i = 1 }
        guard digits(word, &i) > 0 else {
            let rest = word.dropFirst(i)
            return rest.elementsEqual("Infinity".utf8) || i == 0 && rest.elementsEqual("NaN".utf8)
        }
        if i < word.count, word[i] == 46 {
            i += 1
            if digits(word, &i) == 0 { return false }
        }
        if i < word.count, word[i] | 32 == 101 {
            i += 1
            if i < word.count, word[i] == 43 || word[i] == 45 { i += 1 }
            if digits(word, &i) == 0 { return false }
        }
        return i == word.count
    }
}
