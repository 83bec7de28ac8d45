import ArgumentParser
import Content
import Forensics

/// Queries of the content that carry rows to be tried over: what `hunt test` and `rules test` run.
struct TestedQueries {
    struct Entry {
        let name: String
        let query: String
        let tests: [ContentTest]
    }

    let library: ContentLibrary
    let entries: [Entry]

    /// Runs every test in its variations and tells which fail.
    ///
    /// - Throws: `ExitCode` 1 when one fails.
    func run(_ console: Console) throws {
        let trial = ContentTrial(library)
        var failed = 0
        for entry in entries {
            let failures = trial.failures(entry.tests, of: entry.query)
            failed += Set(failures.map(\.test.place)).count
            for failure in failures { Console.out("\(entry.name)  \(failure)\n") }
        }
        let untested = entries.filter(\.tests.isEmpty).map(\.name)
        if !untested.isEmpty { console.warn("no rows to try: \(untested.joined(separator: ", "))") }
        let tests = entries.reduce(0) { $0 + $1.tests.count }
        let verdict = failed == 0 ? "all right" : "\(failed) failed"
        Console.out("\(entries.count) queries, \(tests) tests: \(verdict)\n")
        guard failed == 0 else { throw ExitCode(1) }
    }
}
