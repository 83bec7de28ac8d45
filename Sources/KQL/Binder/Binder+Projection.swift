import Tables

extension Binder {
    /// The columns of `project`-like lists. `base` is what `extend` adds to; nil for a new row.
    func bindColumns(
        _ items: [NamedExpr], _ scope: RowScope, _ environment: Environment, base: Schema? = nil, isPrint: Bool = false
    ) throws -> [BoundColumn] {
        var columns: [BoundColumn] = base?.columns.enumerated().map { BoundColumn($1.name, .column($0, $1.type)) } ?? []
        var names = NameSet()
        for column in columns { names.insert(column.name) }
        func put(_ name: String, _ e: BoundExpr, isNamed: Bool) {
            if base != nil, let i = columns.firstIndex(where: { $0.name == name }) {
                columns[i] = BoundColumn(name, e)
            } else {
                columns.append(BoundColumn(names.unique(name), e))
            }
        }
        for (place, item) in items.enumerated() {
            if case .star = item.expr.kind, item.names.isEmpty {
                for (i, c) in scope.schema.columns.enumerated() where !columns.contains(where: { $0.name == c.name }) {
                    put(c.name, .column(i, c.type), isNamed: true)
                }
                continue
            }
            if let (call, outputs) = try bindTuple(item.expr, scope, environment) {
                for (k, output) in outputs.enumerated() {
                    if !item.names.isEmpty, k >= item.names.count { break }
                    let name = k < item.names.count ? item.names[k].text : output.name
                    put(
                        name, .call("tuple_item", [call, .literal(.long(Int64(k)), .long)], output.type), isNamed: true)
                }
                continue
            }
            let e = try bindScalar(item.expr, scope, environment)
            if item.names.count > 1 {
                for (k, name) in item.names.enumerated() {
                    put(name.text, .call("index", [e, .literal(.long(Int64(k)), .long)], .dynamic), isNamed: true)
                }
            } else if let name = item.names.first {
                put(name.text, e, isNamed: true)
            } else if isPrint {
                // Whatever it is made of, a value without a name is called after its place.
                columns.append(BoundColumn(names.unique("print_\(place)"), e))
            } else if let name = Naming.name(of: item.expr) {
                put(name, e, isNamed: false)
            } else {
                columns.append(BoundColumn(names.numbered(), e))
            }
        }
        return columns
    }

    /// The columns whose names fit one of the patterns.
    func matching(_ patterns: [NamePattern], _ input: Plan, _ environment: Environment) throws -> [Int] {
        var out: [Int] = []
        for pattern in patterns {
            let found = input.schema.columns.indices.filter { Wildcard.matches(pattern.text, input.schema[$0].name) }
            if found.isEmpty, !pattern.isWildcard, !input.isOpen {
                throw unknownName(pattern.text, pattern.range, RowScope(schema: input.schema), environment)
            }
            for i in found where !out.contains(i) { out.append(i) }
        }
        return out
    }

    func keep(_ input: Plan, _ indices: [Int]) -> Plan {
        project(input, indices.map { BoundColumn(input.schema[$0].name, .column($0, input.schema[$0].type)) })
    }

    func bindReorder(_ items: [Reordering], _ input: Plan, _ environment: Environment) throws -> Plan {
        var order: [Int] = []
        for item in items {
            let pattern = item.pattern
            var found = input.schema.columns.indices.filter { Wildcard.matches(pattern.text, input.schema[$0].name) }
            if found.isEmpty, !pattern.isWildcard, !input.isOpen {
                throw unknownName(pattern.text, pattern.range, RowScope(schema: input.schema), environment)
            }
            if let ascending = item.isAscending {
                found.sort { a, b in
                    let (x, y) = (input.schema[a].name, input.schema[b].name)
                    if item.byNumbers, let c = numbersApart(x, y) { return ascending ? c : !c }
                    return ascending ? x < y : x > y
                }
            }
            for i in found where !order.contains(i) { order.append(i) }
        }
        for i in input.schema.columns.indices where !order.contains(i) { order.append(i) }
        return keep(input, order)
    }

    /// Whether `x` comes before `y` when digits in them count as numbers; nil when they are alike.
    private func numbersApart(_ x: String, _ y: String) -> Bool? {
        func parts(_ s: String) -> [(text: String, number: Int?)] {
            var out: [(text: String, number: Int?)] = []
            for ch in s {
                let isDigit = ch.isASCII && ch.isNumber
                if let last = out.last, (last.number != nil) == isDigit {
                    out[out.count - 1].text.append(ch)
                } else {
                    out.append((String(ch), isDigit ? 0 : nil))
                }
                if isDigit { out[out.count - 1].number = Int(out[out.count - 1].text) ?? Int.max }
            }
            return out
        }
        for (a, b) in zip(parts(x), parts(y)) {
            if let m = a.number, let n = b.number {
                if m != n { return m < n }
            } else if a.text != b.text {
                return a.text < b.text
            }
        }
        return x == y ? nil : x.count < y.count
    }

    func bindRename(_ items: [NamedExpr], _ input: Plan, _ environment: Environment) throws -> Plan {
        var names = input.schema.names
        for item in items {
            guard let new = item.names.first, case .name(let old) = item.expr.kind else {
                throw Diagnostic("KS005", "project-rename expects NewName = OldName.", item.range)
            }
            guard let i = input.schema.index(of: old) else {
                if input.isOpen { continue }
                throw unknownName(old, item.expr.range, RowScope(schema: input.schema), environment)
            }
            names[i] = new.text
        }
        return project(input, input.schema.columns.enumerated().map { BoundColumn(names[$0], .column($0, $1.type)) })
    }

    func bindOrder(_ items: [OrderBy], _ scope: RowScope, _ environment: Environment) throws -> [SortKey] {
        try items.map { item in
            let ascending = item.isAscending ?? false
            return SortKey(
                expr: try bindScalar(item.expr.expr, scope, environment), isAscending: ascending,
                nullsFirst: item.nullsFirst ?? ascending)
        }
    }
}

/// Names with `*` in them.
package enum Wildcard {
    package static func matches(_ pattern: String, _ name: String) -> Bool {
        let p = Array(pattern.utf8)
        let n = Array(name.utf8)
        var i = 0
        var j = 0
        var star = -1
        var mark = 0
        while j < n.count {
            if i < p.count, p[i] == 42 {
                star = i
                mark = j
                i += 1
            } else if i < p.count, p[i] == n[j] {
                i += 1
                j += 1
            } else if star >= 0 {
                i = star + 1
                mark += 1
                j = mark
            } else {
                return false
            }
        }
        while i < p.count, p[i] == 42 { i += 1 }
        return i == p.count
    }
}
