import KQL
import Tables

/// The arguments of a plugin by their place.
struct PluginArguments {
    private let items: [PluginArgument]

    init(_ items: [PluginArgument]) { self.items = items }

    var count: Int { items.count }

    private func unwrapped(_ i: Int) -> PluginArgument? {
        guard items.indices.contains(i) else { return nil }
        if case .named(_, let inner) = items[i] { return inner }
        return items[i]
    }

    func name(_ i: Int) -> String? {
        if items.indices.contains(i), case .named(let name, _) = items[i] { name } else { nil }
    }

    func expression(_ i: Int) -> BoundExpr? { if case .expr(let e)? = unwrapped(i) { e } else { nil } }

    func plan(_ i: Int) -> Plan? { if case .plan(let p)? = unwrapped(i) { p } else { nil } }

    func aggregate(_ i: Int) -> BoundAggregate? { if case .aggregate(let a)? = unwrapped(i) { a } else { nil } }

    /// The expressions from a place on.
    func rest(from first: Int) -> [BoundExpr] { first < count ? (first..<count).compactMap { expression($0) } : [] }

    /// The value of an expression without columns; nil when there is none at that place, or it is the `~` that stands
    /// for the default.
    func constant(_ i: Int, _ evaluator: Evaluator) throws -> Value? {
        guard let e = expression(i), e.isConstant else { return nil }
        let v = try evaluator.constant(e)
        return v.isNull || v == .string("~") ? nil : v
    }
}
