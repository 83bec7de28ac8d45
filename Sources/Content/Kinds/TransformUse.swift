import KQL
import Tables

/// Which columns of `source` a transform carries into a table's rows, and which it leaves behind.
///
/// Nothing that a service sends may be lost without a word: what a transform leaves behind is kept in `Unmapped`, also
/// when it is a user's own. A column counts as carried when a value that reaches the table is computed from it; a
/// condition alone carries nothing. Where the text does what is not followed here, such as a join or a plugin,
/// everything that it may read counts as carried: it is better to keep a field once than twice.
package struct TransformUse: Sendable {
    /// The names of the columns of `source` from which something reaches the table.
    package let carried: Set<String>

    /// - Parameters:
    ///   - transform: KQL over `source`; one that does not parse carries everything, as it will fail by itself.
    ///   - source: names of the columns that `source` has.
    ///   - table: names of the columns that count as the table's, `Unmapped` among them.
    package init(of transform: String, source: [String], table: Set<String>) {
        var flow = Flow(source)
        do {
            var tables: [String: Flow] = ["source": flow]
            for statement in try Parser.parse(transform) {
                switch statement {
                case .letValue(let name, let expr):
                    // A name for a scalar or a function is looked through where it is used.
                    if let inner = Flow.of(expr, tables) { tables[name.text] = inner }
                case .expression(let expr):
                    flow = Flow.of(expr, tables) ?? .everything(source)
                default: break
                }
            }
            carried = flow.reaching(table)
        } catch { carried = Set(source) }
    }
}

/// From which columns of `source` each column of a tabular expression comes.
private struct Flow {
    private var origins: [String: Set<String>]
    /// What counts as carried whatever the columns are.
    private var always: Set<String> = []
    private let source: [String]

    init(_ source: [String]) {
        self.source = source
        origins = Dictionary(source.map { ($0, [$0]) }) { first, _ in first }
    }

    static func everything(_ source: [String]) -> Flow {
        var flow = Flow(source)
        flow.always = Set(source)
        return flow
    }

    /// What reaches columns of these names.
    func reaching(_ names: Set<String>) -> Set<String> {
        origins.filter { names.contains($0.key) }.values.reduce(always) { $0.union($1) }
    }

    /// The flow of a tabular expression; nil for one that is none of `tables` with operators after it.
    static func of(_ expr: Expr, _ tables: [String: Flow]) -> Flow? {
        switch expr.kind {
        case .name(let name): return tables[name]
        case .pipe(let inner?, let operators):
            guard var flow = of(inner, tables) else { return nil }
            for one in operators { flow.apply(one.kind) }
            return flow
        default: return nil
        }
    }

    private mutating func apply(_ kind: Operator.Kind) {
        switch kind {
        case .filter, .sort, .top, .take, .sample, .projectReorder, .render, .alias, .assertSchema: break
        case .extend(let items), .serialize(let items):
            for item in items { set(item) }
        case .project(let items), .distinct(let items): replace(with: items)
        case .summarize(let items, by: let keys): replace(with: keys + items)
        case .projectAway(let patterns):
            origins = origins.filter { column in !patterns.contains { Self.matches(column.key, $0.text) } }
        case .projectKeep(let patterns):
            origins = origins.filter { column in patterns.contains { Self.matches(column.key, $0.text) } }
        case .projectRename(let items):
            let renamed = items.map { (names(of: $0), origin(of: $0.expr), ExprNames.root(of: $0.expr)) }
            for (_, _, old) in renamed { if let old { origins[old] = nil } }
            for (new, origin, _) in renamed { for name in new { origins[name] = origin } }
        case .mvExpand(let columns, properties: _, limit: _):
            for column in columns {
                guard let name = column.name?.text ?? ExprNames.root(of: column.expr) else { continue }
                origins[name] = origin(of: column.expr)
            }
        case .parse(let syntax):
            for case .column(let name, _) in syntax.parts { origins[name.text] = origin(of: syntax.expr) }
        case .parseKV(let expr, let columns, _):
            for column in columns { origins[column.name.text] = origin(of: expr) }
        default: always = Set(source)
        }
    }

    private mutating func set(_ item: NamedExpr) {
        let origin = origin(of: item.expr)
        for name in names(of: item) { origins[name] = origin }
    }

    private mutating func replace(with items: [NamedExpr]) {
        var next: [String: Set<String>] = [:]
        for item in items {
            let origin = origin(of: item.expr)
            // `arg_max(x, *)` and the like give columns by their own names.
            if ExprNames.hasStar(item.expr) { next.merge(origins) { first, _ in first } }
            for name in names(of: item) { next[name] = origin }
        }
        origins = next
    }

    /// The names that an expression's columns get, where they can be told.
    private func names(of item: NamedExpr) -> [String] {
        item.names.isEmpty ? ExprNames.root(of: item.expr).map { [$0] } ?? [] : item.names.map(\.text)
    }

    private func origin(of expr: Expr) -> Set<String> {
        if ExprNames.readsRow(expr) { return origins.values.reduce([]) { $0.union($1) } }
        return ExprNames.all(in: expr).reduce(into: []) { $0.formUnion(origins[$1] ?? []) }
    }

    /// Whether a name is what a pattern with `*` stands for.
    private static func matches(_ name: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1, let first = parts.first, let last = parts.last else { return name == pattern }
        guard name.hasPrefix(first), name.hasSuffix(last), name.count >= first.count + last.count else { return false }
        var rest = name.dropFirst(first.count).dropLast(last.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}

/// The names in scalar expressions.
private enum ExprNames {
    /// The column that an expression without a name of its own is called after.
    static func root(of expr: Expr) -> String? {
        switch expr.kind {
        case .name(let name): name
        case .member(let inner, _), .index(let inner, _): root(of: inner)
        default: nil
        }
    }

    static func hasStar(_ expr: Expr) -> Bool {
        guard case .call(_, let arguments) = expr.kind else { return false }
        return arguments.contains { if case .star = $0.value.kind { true } else { false } }
    }

    /// Whether an expression takes all columns of the row: `pack_all()`.
    static func readsRow(_ expr: Expr) -> Bool {
        if case .call(let name, _) = expr.kind, name.text == "pack_all" { return true }
        return children(of: expr).contains(where: readsRow)
    }

    static func all(in expr: Expr) -> Set<String> {
        if case .name(let name) = expr.kind { return [name] }
        return children(of: expr).reduce(into: []) { $0.formUnion(all(in: $1)) }
    }

    private static func children(of expr: Expr) -> [Expr] {
        switch expr.kind {
        case .unary(_, let inner), .member(let inner, _), .toScalar(let inner): [inner]
        case .binary(_, let left, let right, operatorRange: _), .index(let left, let right): [left, right]
        case .call(_, let arguments): arguments.map(\.value)
        case .memberCall(let inner, _, let arguments): [inner] + arguments.map(\.value)
        case .list(_, let inner, let items): [inner] + items
        case .between(negated: _, let value, let low, let high): [value, low, high]
        case .tuple(let items): items
        case .pipe(let inner, _): inner.map { [$0] } ?? []
        case .literal, .unreadable, .name, .star, .datatable, .externaldata, .lambda, .typeLiteral: []
        }
    }
}
