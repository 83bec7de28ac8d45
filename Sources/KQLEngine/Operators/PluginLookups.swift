import KQL
import Tables

extension Executor {
    /// Joins addresses with the networks that hold them. The binder gives: the lookup table, the source address, the
    /// lookup table's network, pairs of further keys as columns of both, and whether rows without a network stay.
    func ipLookup(_ name: String, _ input: Plan, _ arguments: PluginArguments) throws -> Batch {
        guard let lookupPlan = arguments.plan(0), let source = arguments.expression(1),
            let network = arguments.expression(2)
        else {
            throw QueryError.runtime("\(name)() needs a lookup table, a column and the lookup table's network column")
        }
        let lookup = try table(lookupPlan)
        let all = try table(input)
        let networks = try evaluator.column(network, lookup)
        var keepsAll = false
        var extra: [String] = []
        for i in 3..<max(3, arguments.count) {
            if case .column(let c, _)? = arguments.expression(i) { extra.append(lookup.schema[c].name) }
            if case .bool(let b)? = try arguments.constant(i, evaluator) { keepsAll = b }
        }
        let pairs = try extra.map { key -> (Column, Column) in
            guard let mine = try all.column(named: key), let theirs = try lookup.column(named: key) else {
                throw QueryError.runtime("\(name)(): the key \(key) must be a column of both tables")
            }
            return (mine, theirs)
        }
        // Networks by the length of their prefix: an address is looked up once for each length.
        var byPrefix: [Int: [UInt128: [Int32]]] = [:]
        for row in 0..<lookup.count {
            guard let ip = IPv6(networks[row].text) else { continue }
            byPrefix[ip.prefix, default: [:]][ip.network, default: []].append(Int32(row))
        }
        let prefixes = byPrefix.keys.sorted(by: >)
        let addresses = try evaluator.column(source, all)
        var left: [Int32] = []
        var right: [Int32] = []
        for row in 0..<all.count {
            var matched = false
            if let ip = IPv6(addresses[row].text) {
                for prefix in prefixes {
                    for candidate in byPrefix[prefix]?[ip.address & IPv6.mask(prefix)] ?? []
                    where pairs.allSatisfy({ $0.0[row] == $0.1[Int(candidate)] }) {
                        left.append(Int32(row))
                        right.append(candidate)
                        matched = true
                    }
                }
            }
            if !matched, keepsAll {
                left.append(Int32(row))
                right.append(-1)
            }
        }
        let mine = try all.schema.columns.indices.map { try all.column($0).gather(left) }
        let theirColumns = lookup.schema.columns.indices.filter { !extra.contains(lookup.schema[$0].name) }
        let theirs = try theirColumns.map { try lookup.column($0).gatherOptional(right) }
        let schema = LookupSchema.of(name, all.schema, lookup.schema, extra: extra)
        return Batch(schema: schema, columns: name == "ipv6_lookup" ? theirs + mine : mine + theirs, count: left.count)
    }
}
