import KQL
import Tables

/// One table of a query's answer.
package struct ResultTable: Sendable {
    package let name: String
    package let batch: Batch

    package var schema: Schema { batch.schema }
    package var count: Int { batch.count }

    package func rows() throws -> [[Value]] { try batch.rows() }
}

package struct QueryResult: Sendable {
    package let tables: [ResultTable]
    package let render: RenderSpec?
    package let rowsScanned: Int
    /// Seconds.
    package let duration: Double

    /// The last table: what the query's final statement gives.
    package var primary: ResultTable { tables[tables.count - 1] }
}

/// Runs KQL over a table provider.
package struct Engine: Sendable {
    package let provider: any TableProvider

    package init(provider: any TableProvider) { self.provider = provider }

    /// Parses, binds and runs a query.
    ///
    /// - Throws: `QueryError`.
    package func run(
        _ text: String, options: QueryOptions = QueryOptions(), isCancelled: @escaping () -> Bool = { false }
    ) throws -> QueryResult {
        let start = ContinuousClock.now
        let context = QueryContext(provider: provider, options: options, now: Engine.clock(), isCancelled: isCancelled)
        let executor = Executor(context)
        do {
            let statements = try Parser.parse(text)
            let query = try binder(executor, options).bind(statements)
            var tables: [ResultTable] = []
            for (name, plan) in query.results {
                let batches = try executor.collect(plan)
                let rows = batches.reduce(0) { $0 + $1.count }
                if let limit = options.rowCountMax, rows > limit {
                    throw QueryError.limit("the result has \(rows) rows, more than the limit of \(limit); add 'take', filter, or raise truncationmaxrecords")
                }
                let whole = Batch.concatenate(batches, schema: plan.schema)
                for c in whole.schema.columns.indices { _ = try whole.column(c) }
                tables.append(ResultTable(name: name, batch: whole))
            }
            let elapsed = ContinuousClock.now - start
            return QueryResult(
                tables: tables, render: query.render, rowsScanned: context.rowsScanned,
                duration: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18)
        } catch let problem as Diagnostic {
            throw QueryError.invalid(problem, query: text)
        } catch let problem as JSONError {
            throw QueryError.runtime(problem.description)
        }
    }

    /// Binds a query without running more than its plugins need.
    package func check(_ text: String) throws {
        do {
            let context = QueryContext(provider: provider, options: QueryOptions(), now: Engine.clock())
            _ = try binder(Executor(context), QueryOptions()).bind(try Parser.parse(text))
        } catch let problem as Diagnostic {
            throw QueryError.invalid(problem, query: text)
        }
    }

    private func binder(_ executor: Executor, _ options: QueryOptions) -> Binder {
        Binder(
            catalog: provider, parameters: options.parameters,
            evaluate: { try? executor.evaluator.constant($0) },
            resolvePlugin: { plan in
                // What the plugin gives now is kept: running it again would be the same work.
                guard case .plugin(let name, let input, let arguments) = plan.kind else { return plan.schema }
                var first: Schema?
                let next = try executor.plugin(name, input, arguments, nil)
                while let batch = try next() { first = first ?? batch.schema }
                return first ?? plan.schema
            })
    }

    /// The machine's clock in ticks.
    private static func clock() -> Int64 { SystemClock.now() }
}
