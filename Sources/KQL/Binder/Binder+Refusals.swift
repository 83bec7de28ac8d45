import Tables

/// What Microsoft's parser refuses although a meaning could be found: a query that runs here must run there.
extension Binder {
    func notAllowed(_ type: ScalarType, _ range: Range<Int>) -> Diagnostic {
        Diagnostic(
            "KS116",
            "The value of type '\(type.name)' is not allowed in this context; convert it first, as with tostring().",
            range)
    }

    /// Conditions are `bool`: a number or a `dynamic` is none until it is converted.
    func expectCondition(_ e: BoundExpr, _ range: Range<Int>, _ who: String, isOpen: Bool) throws {
        if e.type == .bool || isOpen && e.type == .dynamic { return }
        throw Diagnostic("KS107", "\(who) expects a condition of type bool, not \(e.type.name).", range)
    }

    /// Groups have no `dynamic` key.
    func refuseDynamicKeys(_ keys: [BoundColumn], _ items: [NamedExpr], _ input: Plan) throws {
        if input.isOpen { return }
        for (i, key) in keys.enumerated() where key.expr.type == .dynamic {
            throw notAllowed(.dynamic, i < items.count ? items[i].expr.range : 0..<0)
        }
    }

    /// Functions of several values of one kind need a type that all have.
    func commonType(_ name: Name, _ values: [BoundExpr], isOpen: Bool) throws -> ScalarType {
        let type = TypeFacts.common(values.map(\.type))
        if type == .dynamic, !isOpen, values.contains(where: { $0.type != .dynamic }) {
            throw Diagnostic(
                "KS232", "No common type can be determined from the arguments of '\(name.text)'.", name.range)
        }
        return type
    }

    func expectCount(_ name: Name, _ arguments: [CallArgument], _ counts: ClosedRange<Int>) throws {
        guard !counts.contains(arguments.count) else { return }
        let expected =
            counts.lowerBound == counts.upperBound
            ? counted(counts.lowerBound)
            : counts.upperBound == Int.max
                ? "at least \(counted(counts.lowerBound))"
                : "between \(counts.lowerBound) and \(counts.upperBound) arguments"
        throw Diagnostic("KS119", "The function '\(name.text)' expects \(expected).", name.range)
    }
}

extension TypeFacts {
    /// Whether `<` and the like are defined: numbers with numbers, times with times of their kind
    /// (https://learn.microsoft.com/kusto/query/numerical-operators,
    /// https://learn.microsoft.com/kusto/query/datetime-timespan-arithmetic).
    static func canOrder(_ a: ScalarType, _ b: ScalarType) -> Bool {
        switch (a, b) {
        case (.datetime, .datetime), (.timespan, .timespan), (.dynamic, .dynamic), (.bool, .bool): true
        case (.dynamic, _): b.isNumeric
        case (_, .dynamic): a.isNumeric
        case (.bool, _): b.isNumeric
        case (_, .bool): a.isNumeric
        default: a.isNumeric && b.isNumeric
        }
    }

    /// Whether `value between (low .. high)` is defined.
    static func canLie(_ value: ScalarType, _ low: ScalarType, _ high: ScalarType) -> Bool {
        switch value {
        case .datetime: low == .datetime && (high == .datetime || high == .timespan)
        case .timespan: low == .timespan && high == .timespan
        case .dynamic: low.isNumeric && high.isNumeric
        case .bool, .string, .guid: false
        default: low == .dynamic && high == .dynamic || low.isNumeric && high.isNumeric
        }
    }

    /// Whether values have a greatest and a least, as `max` and `arg_max` need.
    static func isOrderable(_ type: ScalarType) -> Bool { type != .dynamic && type != .guid }
}
