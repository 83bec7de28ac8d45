import Tables

/// Functions that give several values at once, and what they are called.
enum TupleFunctions {
    static func outputs(of function: String) -> [ColumnSpec]? {
        switch function {
        case "series_stats":
            Schema([
                ("min", .real), ("min_idx", .long), ("max", .real), ("max_idx", .long), ("avg", .real),
                ("stdev", .real), ("variance", .real),
            ]).columns
        case "series_fit_line":
            Schema([
                ("rsquare", .real), ("slope", .real), ("variance", .real), ("rvariance", .real),
                ("interception", .real), ("line_fit", .dynamic),
            ]).columns
        case "series_fit_2lines":
            Schema([
                ("rsquare", .real), ("split_idx", .long), ("variance", .real), ("rvariance", .real),
                ("line_fit", .dynamic),
                ("right_rsquare", .real), ("right_slope", .real), ("right_interception", .real),
                ("right_variance", .real),
                ("right_rvariance", .real), ("left_rsquare", .real), ("left_slope", .real),
                ("left_interception", .real),
                ("left_variance", .real), ("left_rvariance", .real),
            ]).columns
        case "series_fit_poly":
            Schema([
                ("rsquare", .real), ("coefficients", .dynamic), ("variance", .real), ("rvariance", .real),
                ("poly_fit", .dynamic),
            ]).columns
        case "series_periods_detect", "series_periods_validate":
            Schema([("periods", .dynamic), ("scores", .dynamic)]).columns
        case "series_decompose":
            Schema([("baseline", .dynamic), ("seasonal", .dynamic), ("trend", .dynamic), ("residual", .dynamic)])
                .columns
        case "series_decompose_anomalies":
            Schema([("ad_flag", .dynamic), ("ad_score", .dynamic), ("baseline", .dynamic)]).columns
        case "series_decompose_forecast":
            Schema([("forecast", .dynamic), ("seasonal", .dynamic), ("trend", .dynamic), ("residual", .dynamic)])
                .columns
        case "series_fft", "series_ifft":
            Schema([("real", .dynamic), ("imag", .dynamic)]).columns
        default: nil
        }
    }
}

extension Binder {
    func bindCall(
        _ name: Name, _ arguments: [CallArgument], _ range: Range<Int>, _ scope: RowScope, _ environment: Environment
    ) throws -> BoundExpr {
        if let binding = environment[name.text], case .function(let declaration, let home) = binding {
            return try callScalar(declaration, home, arguments, name.text, range, scope, environment)
        }
        if let special = try bindSpecialCall(name, arguments, range, scope, environment) { return special }
        guard let overloads = Builtins.scalars[name.text] else {
            if let stored = catalog.function(named: name.text) {
                return try callScalar(stored, .stored, arguments, name.text, range, scope, environment)
            }
            if Builtins.aggregates[name.text] != nil {
                throw Diagnostic(
                    "KS144", "The aggregate function '\(name.text)' is not allowed in this context.", name.range)
            }
            throw unknownFunction(name, environment)
        }
        let bound = try arguments.map { argument -> BoundExpr in
            if case .typeLiteral(let columns) = argument.value.kind {
                return .literal(.string(columns.first?.type.name ?? "dynamic"), .string)
            }
            return try bindScalar(argument.value, scope, environment)
        }
        if Builtins.rowFunctions.contains(name.text) { windowCalls.append(name) }
        // A value that is no text is what it is already.
        if ["parse_json", "parsejson", "todynamic", "toobject"].contains(name.text), bound.count == 1,
            bound[0].type == .dynamic
        {
            return bound[0]
        }
        try checkCount(name, overloads, bound.count, range)
        try expectRunnable(name, in: \.scalars)
        try checkPatterns(name, bound, arguments)
        let fitting = overloads.filter { $0.argumentCountMin <= bound.count && bound.count <= $0.argumentCountMax }
        let types = bound.map(\.type)
        // What takes the types as they are wins over what would cut numbers to whole ones.
        let isOpen = scope.isOpen
        let signature =
            fitting.first { matches($0, types, isOpen) && !narrows($0, types) }
            ?? fitting.first { matches($0, types, isOpen) } ?? fitting.first ?? overloads[0]
        try checkTypes(name, fitting, bound, arguments, isOpen: isOpen)
        return .call(name.text, bound, try result(of: signature, bound, arguments))
    }

    private func checkCount(_ name: Name, _ overloads: [Signature], _ count: Int, _ range: Range<Int>) throws {
        if overloads.contains(where: { $0.argumentCountMin <= count && count <= $0.argumentCountMax }) { return }
        let low = overloads.map(\.argumentCountMin).min() ?? 0
        let high = overloads.map(\.argumentCountMax).max() ?? 0
        let expected =
            low == high
            ? counted(low) : high == Int.max ? "at least \(counted(low))" : "between \(low) and \(high) arguments"
        throw Diagnostic("KS119", "The function '\(name.text)' expects \(expected).", name.range)
    }

    private func parameterTypes(_ s: Signature, _ count: Int) -> [Signature.ParameterType] {
        var out: [Signature.ParameterType] = []
        let extra = max(0, count - s.parameters.count)
        for p in s.parameters {
            out.append(p.type)
            if p.repeats { out += [Signature.ParameterType](repeating: p.type, count: extra) }
        }
        return Array(out.prefix(count))
    }

    private func matches(_ s: Signature, _ types: [ScalarType], _ isOpen: Bool) -> Bool {
        zip(parameterTypes(s, types.count), types).allSatisfy { TypeFacts.accepts($0, $1, isOpen: isOpen) }
    }

    /// Whether a whole number is wanted where there may be another.
    private func narrows(_ s: Signature, _ types: [ScalarType]) -> Bool {
        zip(parameterTypes(s, types.count), types).contains {
            $0 == .integer && ($1 == .real || $1 == .decimal || $1 == .dynamic)
        }
    }

    private func checkTypes(
        _ name: Name, _ overloads: [Signature], _ bound: [BoundExpr], _ arguments: [CallArgument], isOpen: Bool
    ) throws {
        let types = bound.map(\.type)
        if overloads.contains(where: { matches($0, types, isOpen) }) { return }
        guard let s = overloads.first else { return }
        for (i, (wanted, have)) in zip(parameterTypes(s, types.count), types).enumerated()
        where !TypeFacts.accepts(wanted, have, isOpen: isOpen) {
            let text: String =
                switch wanted {
                case .scalar(let t): t.name
                case .number: "number"
                case .integer: "integer"
                case .summable: "number, datetime or timespan"
                case .any, .typeLiteral: "scalar"
                }
            throw Diagnostic(
                "KS107", "The function '\(name.text)' expects a value of type \(text), not \(have.name).",
                arguments[i].value.range)
        }
    }

    private func result(of s: Signature, _ bound: [BoundExpr], _ arguments: [CallArgument]) throws -> ScalarType {
        switch s.result {
        case .type(let t): return t
        case .argument(let i): return i < bound.count ? bound[i].type : .dynamic
        case .common: return TypeFacts.common(bound.map(\.type))
        case .widest:
            let types = bound.map(\.type)
            return types.dropFirst().reduce(types.first ?? .long) { TypeFacts.widest($0, $1) ?? $0 }
        case .literal(let i):
            let index = i ?? arguments.count - 1
            if index < arguments.count, case .typeLiteral(let columns) = arguments[index].value.kind {
                return columns.first?.type ?? .dynamic
            }
            return .string
        case .special: return .dynamic
        }
    }

    // MARK: Functions with rules of their own

    private func bindSpecialCall(
        _ name: Name, _ arguments: [CallArgument], _ range: Range<Int>, _ scope: RowScope, _ environment: Environment
    ) throws -> BoundExpr? {
        func bindAll() throws -> [BoundExpr] { try arguments.map { try bindScalar($0.value, scope, environment) } }
        func need(_ counts: ClosedRange<Int>) throws { try expectCount(name, arguments, counts) }
        func expectCondition(_ e: BoundExpr, _ place: Int) throws {
            try self.expectCondition(
                e, arguments[place].value.range, "The function '\(name.text)'", isOpen: scope.isOpen)
        }
        if let graph = scope.graph, let found = try bindGraphCall(name, arguments, range, scope, graph, environment) {
            return found
        }
        switch name.text {
        case "iff", "iif":
            try need(3...3)
            let a = try bindAll()
            try expectCondition(a[0], 0)
            let type = TypeFacts.common([a[1].type, a[2].type])
            return .call("case", [convert(a[0], to: .bool), convert(a[1], to: type), convert(a[2], to: type)], type)
        case "case":
            guard arguments.count >= 3, arguments.count % 2 == 1 else {
                throw Diagnostic(
                    "KS119", "The function 'case' expects pairs of condition and value, and a last value.", name.range)
            }
            let a = try bindAll()
            var values: [ScalarType] = []
            for (i, e) in a.enumerated() {
                if i % 2 == 1 || i == a.count - 1 { values.append(e.type) } else { try expectCondition(e, i) }
            }
            let type = TypeFacts.common(values)
            let converted = a.enumerated().map { i, e in
                i % 2 == 0 && i < a.count - 1 ? convert(e, to: .bool) : convert(e, to: type)
            }
            return .call("case", converted, type)
        case "coalesce", "max_of", "min_of":
            try need(2...64)
            let a = try bindAll()
            // One column given twice is that column: a scan can then leave out what a condition on it excludes.
            if let only = Self.sameColumn(a) { return only }
            let type = try commonType(name, a, isOpen: scope.isOpen)
            return .call(name.text, a.map { convert($0, to: type) }, type)
        case "column_ifexists", "columnifexists":
            try need(2...2)
            guard case .literal(.string(let column), _) = try bindScalar(arguments[0].value, .none, environment) else {
                throw Diagnostic("KS112", "The column's name must be a constant string.", arguments[0].value.range)
            }
            if let i = scope.schema.index(of: column) { return .column(i, scope.schema[i].type) }
            return try bindScalar(arguments[1].value, scope, environment)
        case "bin_auto":
            try need(1...1)
            guard let size = settings["query_bin_auto_size"] else {
                throw Diagnostic("KS112", "bin_auto() needs 'set query_bin_auto_size=…;' before the query.", name.range)
            }
            let value = try bindAll()[0]
            let step = try bindScalar(size, .none, environment)
            guard let at = settings["query_bin_auto_at"] else { return .call("bin", [value, step], value.type) }
            return .call("bin_at", [value, step, try bindScalar(at, .none, environment)], value.type)
        case "datetime_diff":
            try need(3...3)
            let a = try bindAll()
            // Weeks are told as a real number, unlike every other part.
            let times = [convert(a[1], to: .datetime), convert(a[2], to: .datetime)]
            guard case .literal(.string(let part), _) = a[0] else {
                // Which part it is differs from row to row: all are told as whole numbers.
                return .convert(.call(name.text, [convert(a[0], to: .string)] + times, .real), .long)
            }
            return part.lowercased() == "week" ? .call(name.text, [a[0]] + times, .real) : nil
        case "gettype":
            // Values do not tell int from long; columns do.
            try need(1...1)
            let value = try bindAll()[0]
            guard value.type == .int else { return nil }
            return .call(
                "case",
                [
                    .call("isnull", [value], .bool), .call("gettype", [value], .string),
                    .literal(.string("int"), .string),
                ], .string)
        case "estimate_data_size":
            let columns = arguments.contains { if case .star = $0.value.kind { true } else { false } }
            guard columns else { return nil }
            return .call(name.text, scope.schema.columns.enumerated().map { .column($0, $1.type) }, .long)
        case "column_names_of":
            try need(1...1)
            let plan = try bindTabular(arguments[0].value, environment)
            return .literal(.array(plan.schema.names.map { .string($0) }), .dynamic)
        case "toscalar":
            try need(1...1)
            return try scalarSubquery(arguments[0].value, environment)
        case "materialize":
            try need(1...1)
            return try bindScalar(arguments[0].value, scope, environment)
        case "pack_all":
            try need(0...1)
            let ignoreNull =
                try arguments.first.map { try bindScalar($0.value, scope, environment) }
                ?? .literal(.bool(false), .bool)
            var packed: [BoundExpr] = [ignoreNull]
            for (i, c) in scope.schema.columns.enumerated() {
                packed.append(.literal(.string(c.name), .string))
                packed.append(.column(i, c.type))
            }
            return .call("pack_all", packed, .dynamic)
        case "bag_pack_columns":
            var packed: [BoundExpr] = []
            for argument in arguments {
                packed.append(.literal(.string(Naming.name(of: argument.value) ?? ""), .string))
                packed.append(try bindScalar(argument.value, scope, environment))
            }
            return .call("bag_pack", packed, .dynamic)
        case "pack_array":
            try need(1...32_767)
            if arguments.count == 1, case .star = arguments[0].value.kind {
                return .call("pack_array", scope.schema.columns.enumerated().map { .column($0, $1.type) }, .dynamic)
            }
            return .call("pack_array", try bindAll(), .dynamic)
        case "pack", "bag_pack", "pack_dictionary":
            guard !arguments.isEmpty, arguments.count % 2 == 0 else {
                throw Diagnostic("KS119", "The function '\(name.text)' expects pairs of key and value.", name.range)
            }
            return .call("bag_pack", try bindAll(), .dynamic)
        case "strcat", "strcat_delim":
            try need(name.text == "strcat" ? 1...64 : 3...65)
            return .call(name.text, try bindAll().map(asText), .string)
        case "table", "database", "cluster", "workspace":
            throw Diagnostic("KS107", "A scalar is expected here.", range)
        case "getschema": return nil
        default: break
        }
        if let outputs = TupleFunctions.outputs(of: name.text), let signature = Builtins.scalars[name.text]?.first {
            let a = try bindAll()
            try checkCount(name, [signature], a.count, range)
            if name.text.hasSuffix("_dynamic") { return nil }
            return .call("tuple_item", [.call(name.text, a, .dynamic), .literal(.long(0), .long)], outputs[0].type)
        }
        return nil
    }

    /// When `expr` is a call that gives several columns: the whole call, and the columns' names and types.
    func bindTuple(_ expr: Expr, _ scope: RowScope, _ environment: Environment) throws -> (BoundExpr, [ColumnSpec])? {
        guard case .call(let name, let arguments) = expr.kind, environment[name.text] == nil else { return nil }
        if name.text == "array_sort_asc" || name.text == "array_sort_desc" {
            let bound = try arguments.map { try bindScalar($0.value, scope, environment) }
            let arrays = zip(arguments, bound).filter { $1.type == .dynamic }
            guard arrays.count > 1 else { return nil }
            let columns = arrays.map {
                ColumnSpec(Naming.name(of: $0.0.value).map { "\($0)_sorted" } ?? name.text, .dynamic)
            }
            return (.call(name.text + "_tuple", bound, .dynamic), columns)
        }
        guard let outputs = TupleFunctions.outputs(of: name.text) else { return nil }
        guard case .call(_, let inner, _) = try bindCall(name, arguments, expr.range, scope, environment) else {
            return nil
        }
        let source = arguments.first.flatMap { Naming.name(of: $0.value) }
        let prefix = source.map { "\(name.text)_\($0)" } ?? name.text
        return (inner[0], outputs.map { ColumnSpec("\(prefix)_\($0.name)", $0.type) })
    }

    /// The column that all of these are; nil when they differ, or are something else.
    private static func sameColumn(_ items: [BoundExpr]) -> BoundExpr? {
        guard let first = items.first, case .column(let place, _) = first else { return nil }
        let areSame = items.allSatisfy { if case .column(place, _) = $0 { true } else { false } }
        return areSame ? first : nil
    }
}
