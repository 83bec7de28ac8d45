import Content
import KQLEngine
import Tables

/// Tries queries of the content over the rows that stand beside them, in tables that hold nothing else.
package struct ContentTrial: Sendable {
    /// What must make no difference to what a query finds.
    package enum Variation: String, Sendable, CaseIterable {
        case asWritten = "as written"
        case dayLater = "a day later"
        case reversed = "the other way round"
        /// Windows keeps the case of names and does not tell them apart by it; sensors report what was typed.
        case capitals = "in capitals"
    }

    /// A test that gave another number of results than it must, or none at all.
    package struct Failure: Sendable, CustomStringConvertible {
        package let test: ContentTest
        package let variation: Variation
        /// The number of results, or why there are none.
        package let got: Result<Int, QueryProblem>

        package var description: String {
            let how = variation == .asWritten ? "" : ", \(variation.rawValue)"
            let what =
                switch got {
                case .success(let count): "\(count) results, \(test.hits) wanted"
                case .failure(let problem): problem.message
                }
            return "\(test.place): \(test.name)\(how): \(what)"
        }
    }

    package struct QueryProblem: Error { package let message: String }

    /// The time at which tests are run: a Tuesday, at noon.
    private static let now =
        Int64(DateTime.days(year: 2026, month: 9, day: 1)) * DateTime.ticksPerDay + DateTime.ticksPerDay / 2
    private static let written: Set<String> = [
        "FileName", "FolderPath", "PreviousFileName", "ProcessCommandLine", "InitiatingProcessFileName",
        "InitiatingProcessFolderPath", "InitiatingProcessCommandLine", "InitiatingProcessParentFileName",
        "ProcessVersionInfoOriginalFileName", "RegistryKey", "RegistryValueName", "RemoteUrl", "AccountName",
    ]

    private let library: ContentLibrary

    package init(_ library: ContentLibrary) { self.library = library }

    /// Runs the tests of one query, each in every variation.
    package func failures(_ tests: [ContentTest], of query: String) -> [Failure] {
        tests.flatMap { test in
            Variation.allCases.compactMap { variation in
                let got = results(test, of: query, variation)
                if case .success(test.hits) = got { return nil }
                return Failure(test: test, variation: variation, got: got)
            }
        }
    }

    /// How many results a query gives over the rows of a test.
    package func results(_ test: ContentTest, of query: String, _ variation: Variation) -> Result<Int, QueryProblem> {
        let now = variation == .dayLater ? Self.now + DateTime.ticksPerDay : Self.now
        let tables = MemoryTables()
        for table in library.tables.values { tables.set(table.name, schema: table.schema, batches: []) }
        for (name, declaration) in library.functionDeclarations { tables.setFunction(name, declaration) }
        do {
            for (table, rows) in test.rows {
                var rows = rows
                if variation == .reversed { rows.reverse() }
                if variation == .capitals { rows = rows.map(Self.inCapitals) }
                let batch = try ContentTest.batch(rows, of: table, in: library, now: now, place: test.place)
                tables.set(table, schema: batch.schema, batches: [batch])
            }
            var options = QueryOptions()
            options.now = now
            return .success(try Engine(provider: tables).run(query, options: options).primary.count)
        } catch let error as QueryError { return .failure(QueryProblem(message: error.message)) } catch {
            return .failure(QueryProblem(message: (error as? ContentProblem)?.message ?? "\(error)"))
        }
    }

    /// A row with its names and command lines in capitals, unless it is of a system that tells them apart.
    private static func inCapitals(_ row: ContentTest.Row) -> ContentTest.Row {
        let isUnix = row.contains { column, text in
            column.hasSuffix("FolderPath") && text.hasPrefix("/")
                || column.hasSuffix("FileName") && !text.isEmpty && !text.contains(".") && text != "System"
        }
        if isUnix { return row }
        return row.map { written.contains($0.column) ? ($0.column, $0.text.uppercased()) : $0 }
    }
}
