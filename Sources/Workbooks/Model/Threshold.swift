import Foundation
import KQLEngine
import Tables

/// A rule that gives a cell an icon or a colour; of a list, the first that holds counts.
struct Threshold: Sendable {
    enum Comparison: String, Sendable {
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case contains
        case startsWith
        case endsWith
        case isEmpty = "is Empty"
        case regex
        case otherwise = "Default"
    }

    /// nil for an operator that nobody knows: such a rule never holds.
    let comparison: Comparison?
    let value: String
    /// The name of an icon or of a colour.
    let representation: String
    /// With `{0}` for the cell; nil for the cell as it is.
    let template: String?

    init(_ rule: JSON) {
        comparison = Comparison(rawValue: rule.words("operator") ?? Comparison.otherwise.rawValue)
        value = rule.text("thresholdValue") ?? ""
        representation = rule.text("representation") ?? ""
        template = rule.text("text")
    }

    func holds(for cell: Value) -> Bool {
        let text = cell.text
        switch comparison {
        case nil: return false
        case .otherwise: return true
        case .equal: return text == value
        case .notEqual: return text != value
        case .contains: return text.localizedCaseInsensitiveContains(value)
        case .startsWith: return text.lowercased().hasPrefix(value.lowercased())
        case .endsWith: return text.lowercased().hasSuffix(value.lowercased())
        case .isEmpty: return text.isEmpty
        case .regex: return (try? KQLEngine.Regex(value))?.matches(text) ?? false
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard let a = cell.doubleValue ?? Double(text), let b = Double(value) else { return false }
            switch comparison {
            case .less: return a < b
            case .lessOrEqual: return a <= b
            case .greater: return a > b
            default: return a >= b
            }
        }
    }

    /// What stands in the cell, given what would stand there without the rule.
    func label(_ shown: String) -> String {
        guard let template else { return shown }
        return template.replacing("{0}", with: shown).replacing("{1}", with: "")
    }
}
