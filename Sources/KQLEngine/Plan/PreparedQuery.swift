import KQL
import Tables

/// A query that was parsed and bound once, to be run over other rows of the same tables.
package struct PreparedQuery: Sendable {
    let query: BoundQuery
    let options: QueryOptions

    /// Runs the query over a provider's rows, whose tables have the columns that the query was bound to.
    ///
    /// - Throws: `QueryError`.
    package func run(over provider: any TableProvider) throws -> QueryResult {
        let start = ContinuousClock.now
        do {
            return try QueryRun.ensure("a transform", options, nil) {
                let context = QueryContext(provider: provider, options: options, now: Engine.clock())
                return try Engine.results(of: query, Executor(context), since: start)
            }
        } catch let problem as Diagnostic {
            throw QueryError.runtime(problem.message)
        } catch let problem as JSONError {
            throw QueryError.runtime(problem.description)
        }
    }
}
