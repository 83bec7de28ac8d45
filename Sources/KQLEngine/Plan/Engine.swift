import KQL
import Tables

/// One table of a query's answer.
package struct ResultTable: Sendable {
    package let name: String
    package let batch: Batch

    package init(name: String, batch: Batch) {
        self.name = name
        self.batch = batch
    }

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
    /// Why rows are missing at the end of a table; nil when none are.
    package let truncation: String?
    /// What the service would refuse although it ran here.
    package let warnings: [Diagnostic]
    /// Whether asking again would give the same.
    package let repeatability: Repeatability

    package init(
        tables: [ResultTable], render: RenderSpec?, rowsScanned: Int, duration: Double, truncation: String? = nil,
        warnings: [Diagnostic] = [], repeatability: Repeatability = .never
    ) {
        self.repeatability = repeatability
        self.tables = tables
        self.render = render
        self.rowsScanned = rowsScanned
        self.duration = duration
        self.truncation = truncation
        self.warnings = warnings
    }

    /// Cells of all tables together.
    package var cellCount: Int { tables.reduce(0) { $0 + $1.count * max($1.schema.count, 1) } }

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
        _ text: String, options: QueryOptions = QueryOptions(), isCancelled: (() -> Bool)? = nil
    ) throws -> QueryResult {
        let start = ContinuousClock.now
        return try guarded(text, options, isCancelled) {
            let statements = try Parser.parse(text)
            let options = RequestSettings.apply(statements, to: options)
            let context = QueryContext(provider: provider, options: options, now: Engine.clock())
            let executor = Executor(context)
            let query = try binder(executor, options).bind(statements)
            return try Self.results(of: query, executor, since: start)
        }
    }

    /// Does `body` as the work of a query, where trees may be deep, and says what went wrong as a `QueryError`.
    private func guarded<T>(
        _ text: String, _ options: QueryOptions, _ isCancelled: (() -> Bool)? = nil, _ body: () throws -> T
    ) throws -> T {
        try QueryRun.ensure(text, options, isCancelled) {
            do { return try body() } catch let problem as Diagnostic {
                throw QueryError.invalid(problem, query: text)
            } catch let problem as JSONError {
                throw QueryError.runtime(problem.description)
            }
        }
    }

    /// Runs a bound query.
    ///
    /// - Parameter start: when the request began.
    static func results(
        of query: BoundQuery, _ executor: Executor, since start: ContinuousClock.Instant
    ) throws -> QueryResult {
        var tables: [ResultTable] = []
        var gate = ResultGate(executor.context.options)
        for (name, plan) in query.results {
            let whole = Batch.concatenate(try gate.collect(plan, executor), schema: plan.schema)
            // What was not read yet is read now; the columns of a long result on all cores.
            if whole.count > 10_000, executor.workerCount > 1 {
                try Workers.each(whole.schema.count) { _ = try whole.column($0) }
            } else {
                for c in whole.schema.columns.indices { _ = try whole.column(c) }
            }
            tables.append(ResultTable(name: name, batch: whole))
        }
        let elapsed = ContinuousClock.now - start
        return QueryResult(
            tables: tables, render: query.render, rowsScanned: executor.context.rowsScanned,
            duration: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18,
            truncation: gate.truncation, warnings: query.warnings, repeatability: executor.context.repeatability)
    }

    /// Parses and binds a query once, to be run over other rows of the same tables.
    ///
    /// - Returns: nil for a query whose columns or constants depend on rows, which is bound anew for each.
    /// - Throws: `QueryError`.
    package func prepare(_ text: String, options: QueryOptions) throws -> PreparedQuery? {
        try guarded(text, options) {
            let statements = try Parser.parse(text)
            let options = RequestSettings.apply(statements, to: options)
            let context = QueryContext(provider: provider, options: options, now: Engine.clock())
            let executor = Executor(context)
            var needsRows = false
            let binder = Binder(
                catalog: provider, parameters: options.parameters, engine: Engine.features,
                evaluate: Self.evaluating(executor),
                resolvePlugin: { plan in
                    needsRows = true
                    return plan.schema
                })
            let query = try binder.bind(statements)
            return needsRows || context.hasRead ? nil : PreparedQuery(query: query, options: options)
        }
    }

    /// Binds a query without running more than its plugins need.
    ///
    /// - Returns: what the service would refuse although it runs here.
    /// - Throws: `QueryError`.
    @discardableResult
    package func check(_ text: String) throws -> [Diagnostic] {
        try guarded(text, QueryOptions()) {
            let context = QueryContext(provider: provider, options: QueryOptions(), now: Engine.clock())
            return try binder(Executor(context), QueryOptions()).bind(try Parser.parse(text)).warnings
        }
    }

    /// The columns that a query's result would have; nil when the query is not valid. Nothing is read.
    package func schema(of text: String) -> Schema? {
        DeepStack.run {
            guard let statements = try? Parser.parse(text) else { return nil }
            return try? Binder(catalog: provider).bind(statements).results.last?.plan.schema
        } withoutThread: {
            nil
        }
    }

    /// Computes constants for the binder. What cannot be computed is left to the run, which says why; when the query
    /// has to stop, the binder's next step finds out.
    private static func evaluating(_ executor: Executor) -> (BoundExpr) -> Value? {
        { try? executor.evaluator.constant($0) }
    }

    private func binder(_ executor: Executor, _ options: QueryOptions) -> Binder {
        Binder(
            catalog: provider, parameters: options.parameters, engine: Engine.features,
            evaluate: Self.evaluating(executor),
            resolvePlugin: { plan in
                // What the plugin gives now is kept: running it again would be the same work.
                guard case .plugin(let name, let input, let arguments) = plan.kind else { return plan.schema }
                var first: Schema?
                var rows = 0
                let next = try executor.plugin(name, input, arguments, nil)
                while let batch = try next() {
                    first = first ?? batch.schema
                    rows += batch.count
                }
                return rows > 0 ? first : nil
            })
    }

    /// The functions and plugins that run here.
    static let features = EngineFeatures(
        scalars: Set(ScalarFunctions.all.keys).union(Builtins.rowFunctions).union(VectorKernels.alone),
        plugins: Executor.plugins)

    /// The machine's clock in ticks.
    static func clock() -> Int64 { SystemClock.now() }
}
