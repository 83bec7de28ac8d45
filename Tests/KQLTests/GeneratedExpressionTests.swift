import KQL
import Tables
import Testing

/// Expressions made at random, written with as few brackets as the language's precedence allows, read back as they were made.
@Suite struct GeneratedExpressionTests {
    private struct Dice {
        var state: UInt64

        mutating func below(_ n: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(n))
        }

        mutating func pick<T>(_ items: [T]) -> T { items[below(items.count)] }
    }

    /// What an expression is written as, what shape it has, and how tight its outermost operator binds.
    private struct Made {
        let text: String
        let shape: String
        let level: Int

        /// As an operand of an operator that binds as tight as `level`, in brackets where it must be.
        func operand(of level: Int) -> String { self.level < level ? "(\(text))" : text }
    }

    /// From the loosest to the tightest: the order of Kusto's operators.
    private enum Level {
        static let or = 1, and = 2, equality = 3, relation = 4, sum = 5, product = 6, text = 7, sign = 8, path = 9
    }

    private static func make(_ dice: inout Dice, depth: Int) -> Made {
        if depth == 0 || dice.below(6) == 0 { return leaf(&dice) }
        func part(_ dice: inout Dice) -> Made { make(&dice, depth: depth - 1) }
        func joined(_ op: String, _ level: Int, _ a: Made, _ b: Made, rightLevel: Int) -> Made {
            Made(
                text: "\(a.operand(of: level)) \(op) \(b.operand(of: rightLevel))",
                shape: "(\(op) \(a.shape) \(b.shape))",
                level: level)
        }
        let (a, b) = (part(&dice), part(&dice))
        switch dice.below(11) {
        // The left side of what is read from the left needs no brackets at the same level, the right one does.
        case 0: return joined("or", Level.or, a, b, rightLevel: Level.and)
        case 1: return joined("and", Level.and, a, b, rightLevel: Level.equality)
        case 2:
            let op = dice.pick(["==", "!="])
            let left = Made(text: a.operand(of: Level.relation), shape: a.shape, level: Level.path)
            return joined(op, Level.equality, left, b, rightLevel: Level.relation)
        case 3:
            let op = dice.pick(["<", ">", "<=", ">="])
            let left = Made(text: a.operand(of: Level.sum), shape: a.shape, level: Level.path)
            return joined(op, Level.relation, left, b, rightLevel: Level.sum)
        case 4: return joined(dice.pick(["+", "-"]), Level.sum, a, b, rightLevel: Level.product)
        case 5: return joined(dice.pick(["*", "/", "%"]), Level.product, a, b, rightLevel: Level.text)
        case 6:
            return joined(
                dice.pick(["has", "contains", "!startswith", "=~"]), Level.text, a, b, rightLevel: Level.sign)
        case 7:
            let name = dice.pick(["f", "strcat", "iff"])
            return Made(
                text: "\(name)(\(a.text), \(b.text))", shape: "\(name)(\(a.shape) \(b.shape))", level: Level.path)
        case 8:
            let left = a.operand(of: Level.relation)
            return Made(text: "\(left) in (\(b.text), 1)", shape: "(in \(a.shape) \(b.shape) 1)", level: Level.equality)
        case 9:
            let left = a.operand(of: Level.relation)
            return Made(
                text: "\(left) between (\(b.text) .. 9)", shape: "(between \(a.shape) \(b.shape) 9)",
                level: Level.equality)
        default:
            let name = dice.pick(["Col", "bag"])
            return Made(text: "\(name).k[\(a.text)]", shape: "\(name).k[\(a.shape)]", level: Level.path)
        }
    }

    private static func leaf(_ dice: inout Dice) -> Made {
        let leaves = [
            ("a", "a"), ("Col", "Col"), ("['odd one']", "odd one"), ("5", "5"),
            ("'it''s'".replacing("''", with: "\\'"), "'it's'"),
            ("true", "true"), ("2h", "02:00:00"), ("1.5", "1.5"), ("long(null)", "long(null)"), ("now()", "now()"),
        ]
        let (text, shape) = dice.pick(leaves)
        return Made(text: text, shape: shape, level: Level.path)
    }

    @Test(arguments: 1...150) func whatIsWrittenReadsBack(seed: UInt64) throws {
        var dice = Dice(state: seed)
        for _ in 0..<10 {
            let made = Self.make(&dice, depth: 1 + dice.below(4))
            let found = try Shape.of(expression: made.text)
            #expect(found == made.shape, "\(made.text)")
        }
    }

    /// White space and comments between tokens change nothing.
    @Test(arguments: 1...50) func blanksChangeNothing(seed: UInt64) throws {
        var dice = Dice(state: seed &* 977)
        let made = Self.make(&dice, depth: 3)
        let bytes = Array(made.text.utf8)
        var text = ""
        var end: Int?
        for token in try Lexer.tokens(of: made.text).dropLast() {
            // Only where there was a blank before: `a.b` and `f(x)` stay together.
            if let end, end < token.range.lowerBound { text += dice.pick([" ", "\n", "\t ", " // why\n"]) }
            text += String(decoding: bytes[token.range], as: UTF8.self)
            end = token.range.upperBound
        }
        #expect(try Shape.of(expression: text) == made.shape, "\(text)")
    }
}
