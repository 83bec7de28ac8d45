import KQL
import Tables

/// Computes bound expressions over batches, a column at a time.
struct Evaluator {
    let context: QueryContext
    /// Rows before this batch, for functions that need the whole table see one batch only.
    let executor: Executor

    func column(_ e: BoundExpr, _ batch: Batch) throws -> Column {
        try Interrupted.check()
        switch e {
        case .column(let i, let type):
            let column = try batch.column(i)
            return column.type == type ? column : try convert(column, to: type)
        case .literal(let value, let type): return Column(constant: value, type, count: batch.count)
        case .toScalar(let id, let plan, let type):
            return Column(constant: try executor.scalar(id, plan).converted(to: type), type, count: batch.count)
        case .convert(let inner, let type): return try convert(try column(inner, batch), to: type)
        case .inTable(let op, let value, let id, let plan):
            let list = try executor.set(id, plan)
            let operand = try column(value, batch)
            return try call(op, [operand, Column(constant: list, .dynamic, count: batch.count)], .bool, batch.count)
        case .call(let name, let arguments, let type):
            if name == "and" || name == "or" { return try logic(name, arguments, batch) }
            if name == "case" { return try cases(arguments, type, batch) }
            if Builtins.rowFunctions.contains(name) {
                return try RowFunctions.evaluate(name, try arguments.map { try column($0, batch) }, type, batch.count)
            }
            if name == "ingestion_time",
                let i = batch.schema.index(of: "_IngestionTime") ?? batch.schema.index(of: "TimeGenerated")
            {
                return try batch.column(i)
            }
            if arguments.contains(where: \.isCall), let (entries, codes) = try entries(of: [e], batch) {
                return try call(name, try arguments.map { try column($0, entries) }, type, entries.count).spread(codes)
            }
            return try call(name, try arguments.map { try column($0, batch) }, type, batch.count)
        }
    }

    /// The entries of the one column with a dictionary that all of `expressions` depend on, as a batch of their own,
    /// and each row's entry; nil when they depend on more, or when it has as many entries as rows.
    func entries(of expressions: [BoundExpr], _ batch: Batch) throws -> (batch: Batch, codes: [UInt32])? {
        guard let c = expressions.first?.onlyColumn, expressions.allSatisfy({ $0.onlyColumn == c }),
            batch.schema[c].type == .string
        else { return nil }
        let column = try batch.column(c)
        guard !column.isConstant, case .string(let vector) = column.storage, let codes = vector.codes,
            vector.entryCount < batch.count
        else { return nil }
        let entries = Column(
            .string, .string(StringVector(bytes: vector.bytes, ends: vector.ends, codes: nil)), count: vector.entryCount
        )
        let columns = batch.schema.columns.indices.map { i in
            LazyColumn {
                if i == c {
                    entries
                } else {
                    throw QueryError.runtime("column \(i) of a dictionary's entries was read")
                }
            }
        }
        return (Batch(schema: batch.schema, columns: columns, count: vector.entryCount), codes)
    }

    /// The rows for which a condition holds.
    func selection(_ e: BoundExpr, _ batch: Batch) throws -> [Int32] {
        if case .call("and", let parts, _) = e, parts.count == 2 {
            let first = try selection(parts[0], batch)
            if first.isEmpty { return [] }
            if first.count == batch.count { return try selection(parts[1], batch) }
            let rest = batch.gather(first)
            return try selection(parts[1], rest).map { first[Int($0)] }
        }
        let column = try column(e, batch)
        guard case .bool(let values) = column.storage else { return [] }
        let stride = column.stride
        var out: [Int32] = []
        out.reserveCapacity(batch.count / 4)
        if let nulls = column.nulls {
            for i in 0..<batch.count where values[i * stride] && !nulls[i * stride] { out.append(Int32(i)) }
        } else {
            for i in 0..<batch.count where values[i * stride] { out.append(Int32(i)) }
        }
        return out
    }

    /// The value of an expression that needs no columns.
    func constant(_ e: BoundExpr) throws -> Value {
        guard !e.readsColumns else {
            throw QueryError.runtime("a constant is expected, not a value that differs from row to row")
        }
        return try value(e)
    }

    private func value(_ e: BoundExpr) throws -> Value {
        try column(e, Batch(schema: Schema([ColumnSpec]()), columns: [Column](), count: 1))[0]
    }

    private func convert(_ column: Column, to type: ScalarType) throws -> Column {
        if column.type == type { return column }
        if type == .long, column.type == .int { return retyped(column, type) }
        if type == .real, case .int64(let values) = column.storage, column.type == .int || column.type == .long {
            return Column(
                .real, .real(values.map(Double.init)), nulls: column.nulls, count: column.count,
                isConstant: column.isConstant)
        }
        return try Evaluator.mapValues(column, type) { $0.converted(to: type) }
    }

    private func retyped(_ c: Column, _ type: ScalarType) -> Column {
        Column(type, c.storage, nulls: c.nulls, count: c.count, isConstant: c.isConstant)
    }

    /// Applies `f` to every value, once per distinct one where the column is dictionary-coded.
    static func mapValues(_ column: Column, _ type: ScalarType, _ f: (Value) throws -> Value) throws -> Column {
        if column.isConstant { return Column(constant: try f(column[0]), type, count: column.count) }
        if case .string(let vector) = column.storage, let codes = vector.codes, vector.entryCount < column.count {
            var builder = ColumnBuilder(type)
            for e in 0..<vector.entryCount {
                try Interrupted.check()
                builder.append(try f(.string(vector.entry(e))))
            }
            return builder.finish().spread(codes)
        }
        var builder = ColumnBuilder(type)
        for i in 0..<column.count {
            try Interrupted.check()
            builder.append(try f(column[i]))
        }
        return builder.finish()
    }

    // MARK: Calls

    func call(_ name: String, _ arguments: [Column], _ type: ScalarType, _ count: Int) throws -> Column {
        if let fast = try VectorKernels.evaluate(name, arguments, type, count, context) { return fast }
        guard let kernel = ScalarFunctions.all[name] ?? OperatorKernels.all[name] else {
            throw QueryError.notSupported("\(name)()")
        }
        if name == "rand" || name == "new_guid" { context.note(.never) }
        let isGrown = ValueSize.growing.contains(name)
        if arguments.allSatisfy(\.isConstant), name != "rand", name != "new_guid" {
            let values = arguments.map { $0[0] }
            return Column(constant: try apply(kernel, values, isGrown), type, count: count)
        }
        let varying = arguments.indices.filter { !arguments[$0].isConstant }
        if varying.count == 1, case .string(let vector) = arguments[varying[0]].storage, let codes = vector.codes,
            vector.entryCount < count
        {
            var values = arguments.map { $0.isConstant ? $0[0] : .null }
            var builder = ColumnBuilder(type)
            for e in 0..<vector.entryCount {
                values[varying[0]] = .string(vector.entry(e))
                builder.append(try apply(kernel, values, isGrown))
            }
            return builder.finish().spread(codes)
        }
        var values = arguments.map { $0.isConstant ? $0[0] : .null }
        var builder = ColumnBuilder(type)
        for row in 0..<count {
            for k in varying { values[k] = arguments[k][row] }
            builder.append(try apply(kernel, values, isGrown))
        }
        return builder.finish()
    }

    private func apply(_ kernel: ScalarKernel, _ values: [Value], _ isGrown: Bool) throws -> Value {
        try Interrupted.check()
        if kernel.propagatesNull { for value in values where value.isNull { return .null } }
        let result = try kernel.run(values, context)
        try ValueSize.check(result, isGrown: isGrown)
        return result
    }

    // MARK: Logic

    /// Three-valued `and` and `or`.
    private func logic(_ name: String, _ arguments: [BoundExpr], _ batch: Batch) throws -> Column {
        let a = try column(arguments[0], batch)
        let b = try column(arguments[1], batch)
        guard case .bool(let x) = a.storage, case .bool(let y) = b.storage else {
            throw QueryError.runtime("'\(name)' needs conditions")
        }
        let isAnd = name == "and"
        let constant = a.isConstant && b.isConstant
        let n = constant ? 1 : batch.count
        let (sa, sb) = (a.stride, b.stride)
        if a.nulls == nil, b.nulls == nil {
            let out = (0..<n).map { isAnd ? x[$0 * sa] && y[$0 * sb] : x[$0 * sa] || y[$0 * sb] }
            return Column(.bool, .bool(out), count: batch.count, isConstant: constant)
        }
        var out = [Bool](repeating: false, count: n)
        var nulls = out
        for i in 0..<n {
            let left: Bool? = a.nulls?[i * sa] == true ? nil : x[i * sa]
            let right: Bool? = b.nulls?[i * sb] == true ? nil : y[i * sb]
            if left == !isAnd || right == !isAnd {
                out[i] = !isAnd
            } else if let left, let right {
                out[i] = isAnd ? left && right : left || right
            } else {
                nulls[i] = true
            }
        }
        return Column(.bool, .bool(out), nulls: nulls, count: batch.count, isConstant: constant)
    }

    /// `case`: each branch is computed only for the rows that reach it.
    private func cases(_ arguments: [BoundExpr], _ type: ScalarType, _ batch: Batch) throws -> Column {
        var pending = (0..<batch.count).map { Int32($0) }
        var pieces: [(rows: [Int32], column: Column)] = []
        var i = 0
        while i + 1 < arguments.count, !pending.isEmpty {
            let part = pending.count == batch.count ? batch : batch.gather(pending)
            let chosen = try selection(arguments[i], part)
            if !chosen.isEmpty {
                let rows = chosen.map { pending[Int($0)] }
                let input = rows.count == batch.count ? batch : batch.gather(rows)
                pieces.append((rows, try column(arguments[i + 1], input)))
                var flags = [Bool](repeating: false, count: pending.count)
                for c in chosen { flags[Int(c)] = true }
                pending = pending.indices.filter { !flags[$0] }.map { pending[$0] }
            }
            i += 2
        }
        if !pending.isEmpty {
            let input = pending.count == batch.count ? batch : batch.gather(pending)
            pieces.append((pending, try column(arguments[arguments.count - 1], input)))
        }
        if pieces.count == 1, pieces[0].rows.count == batch.count { return pieces[0].column }
        if pieces.isEmpty { return ColumnBuilder(type).finish() }
        let joined = Column.concatenate(pieces.map { $0.column.flattened() }, type: type)
        var position = [Int32](repeating: 0, count: batch.count)
        var at: Int32 = 0
        for piece in pieces {
            for row in piece.rows {
                position[Int(row)] = at
                at += 1
            }
        }
        return joined.gather(position)
    }
}

extension BoundExpr {
    /// Whether some part is a column.
    fileprivate var readsColumns: Bool {
        switch self {
        case .column: true
        case .literal, .toScalar: false
        case .call(_, let arguments, _): arguments.contains(where: \.readsColumns)
        case .convert(let e, _), .inTable(_, let e, _, _): e.readsColumns
        }
    }

    /// Whether it is a function of other expressions; a function of a column alone is computed per entry anyway.
    fileprivate var isCall: Bool {
        switch self {
        case .call, .convert, .inTable: true
        case .column, .literal, .toScalar: false
        }
    }
}

extension Column {
    /// A column whose row `i` is this column's row `codes[i]`.
    func spread(_ codes: [UInt32]) -> Column {
        if isConstant { return Column(type, storage, nulls: nulls, count: codes.count, isConstant: true) }
        if case .string(let vector) = storage {
            let own = vector.codes.map { c in codes.map { c[Int($0)] } } ?? codes
            return Column(
                .string, .string(StringVector(bytes: vector.bytes, ends: vector.ends, codes: own)), count: codes.count)
        }
        return gather(codes.map { Int32(bitPattern: $0) })
    }
}
