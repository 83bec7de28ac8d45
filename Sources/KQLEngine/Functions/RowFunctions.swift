import Tables

/// Functions that look at the rows before and after: they see a whole ordered table as one batch.
enum RowFunctions {
    static func evaluate(_ name: String, _ a: [Column], _ type: ScalarType, _ count: Int) throws -> Column {
        switch name {
        case "row_number":
            let start = a.isEmpty ? 1 : a[0].count > 0 ? a[0][0].longValue ?? 1 : 1
            var n = start
            return Column(
                .long,
                values: (0..<count).map { i -> Value in
                    if a.count > 1, a[1][i] == .bool(true) { n = start }
                    defer { n &+= 1 }
                    return .long(n)
                })
        case "row_cumsum":
            var sum: Value = .null
            return Column(
                type,
                values: (0..<count).map { i -> Value in
                    if a.count > 1, a[1][i] == .bool(true) { sum = .null }
                    let v = a[0][i]
                    if !v.isNull { sum = sum.isNull ? v : ValueOps.arithmetic("+", sum, v) }
                    return sum
                })
        case "prev", "next":
            let offset = a.count > 1 && count > 0 ? Int(a[1][0].longValue ?? 1) : 1
            let fallback: Value = a.count > 2 && count > 0 ? a[2][0] : .null
            return Column(
                type,
                values: (0..<count).map { i -> Value in
                    guard let j = name == "prev" ? i.subtracting(offset) : i.adding(offset), j >= 0, j < count else {
                        return fallback
                    }
                    return a[0][j]
                })
        case "row_rank_dense", "row_rank", "row_rank_min":
            let isMin = name == "row_rank_min"
            var rank: Int64 = 0
            var position: Int64 = 0
            return Column(
                .long,
                values: (0..<count).map { i -> Value in
                    let restarts = a.count > 1 && a[1][i] == .bool(true)
                    if i == 0 || restarts {
                        rank = 1
                        position = 1
                    } else {
                        position += 1
                        if a[0][i] != a[0][i - 1] { rank = isMin ? position : rank + 1 }
                    }
                    return .long(rank)
                })
        case "row_window_session":
            var start: Int64 = 0
            var last: Int64 = 0
            return Column(
                .datetime,
                values: (0..<count).map { i -> Value in
                    guard case .datetime(let t) = a[0][i], case .timespan(let whole) = a[1][i],
                        case .timespan(let gap) = a[2][i]
                    else { return .null }
                    let restarts = a.count > 3 && a[3][i] == .bool(true)
                    if i == 0 || restarts || t &- last > gap || t &- start > whole { start = t }
                    last = t
                    return .datetime(start)
                })
        default: throw QueryError.notSupported("\(name)()")
        }
    }
}
