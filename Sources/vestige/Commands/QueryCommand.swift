import ArgumentParser
import Foundation
import KQL
import KQLEngine
import Pipeline
import Tables

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Runs KQL over the workspace, or a service elsewhere, and prints the result.",
        discussion: """
            vestige query 'AgentHealthStatusWindows | where RealtimeProtection == "BAD" | project DeviceName'
            vestige query -f hunt.kql --format csv > hunt.csv
            echo 'IoTEvents_CL | count' | vestige query --format json
            vestige query '.show tables'
            vestige query --on https://help.kusto.windows.net/Samples 'StormEvents | count'

            At a terminal and without a query, it is a prompt: type queries, see results.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, record, json, ndjson, csv
        /// For spreadsheets: what they would run as a formula is text.
        case csvExcel = "csv-excel"
    }

    @Argument(help: "The query. Without it, it is read from --file or standard input.")
    var query: String?

    @Option(name: [.short, .long], help: "A file that holds the query.")
    var file: String?

    @Option(help: "How the result is written.")
    var format = Format.table

    @Option(
        help: ArgumentHelp(
            "A Kusto cluster or Log Analytics workspace to ask instead of the workspace.", valueName: "url"))
    var on: String?

    @Option(help: "The database there; the address may name it too.")
    var database: String?

    @Option(help: ArgumentHelp("Only rows of this time: P7D, PT12H, 2026-01-01/2026-02-01.", valueName: "duration"))
    var timespan: String?

    @Option(
        name: [.customShort("p"), .customLong("parameter")],
        help: ArgumentHelp("A value for 'declare query_parameters'.", valueName: "name=value"))
    var parameters: [String] = []

    @Option(help: ArgumentHelp("Seconds that a query of the workspace may run.", valueName: "seconds"))
    var timeout: Double?

    @Option(help: ArgumentHelp("Rows of a query of the workspace at most.", valueName: "number"))
    var maxRows: Int?

    @OptionGroup var session: SessionOptions

    func validate() throws {
        if let timeout, !(timeout > 0 && timeout.isFinite) {
            throw ValidationError("--timeout needs a number of seconds above 0")
        }
        if let maxRows, maxRows < 1 { throw ValidationError("--max-rows needs a number above 0") }
    }

    private var limits: QueryLimits { QueryLimits(seconds: timeout, rows: maxRows) }

    func run() async throws {
        let values = try parameterValues()
        let target = try await QueryTarget.open(on, database: database, session)
        do {
            try await run(target, values)
            await target.close()
        } catch {
            await target.close()
            throw error
        }
    }

    private func run(_ target: QueryTarget, _ values: [String: String]) async throws {
        let printer = ResultPrinter(format: format, console: session.console)
        if query == nil, file == nil, Console.inputIsTerminal, Console.outputIsTerminal {
            await Prompt(target: target, printer: printer, timespan: timespan, limits: limits, parameters: values).run()
            return
        }
        let text = try QueryText.read(query, file: file)
        let result = try await target.ask(text, parameters: values, timespan: timespan, limits: limits)
        for warning in result.warnings { session.console.say(warning.render(in: text)) }
        try printer.print(result)
        // The rows that did come are useful, but nobody may take them for all.
        if let truncation = result.truncation {
            throw OperatorError(
                "rows are missing at the end", got: truncation,
                next: "narrow the query, or put 'set notruncation;' before it")
        }
    }

    private func parameterValues() throws -> [String: String] {
        var values: [String: String] = [:]
        for text in parameters {
            guard let sign = text.firstIndex(of: "="), sign != text.startIndex else {
                throw ValidationError("--parameter needs name=value, not \"\(text)\"")
            }
            values[String(text[..<sign])] = String(text[text.index(after: sign)...])
        }
        return values
    }
}
