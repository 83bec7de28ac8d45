import ArgumentParser
import Foundation
import KQL
import KQLEngine
import Tables

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Runs KQL over the workspace and prints the result.",
        discussion: """
            vestige query 'AgentHealthStatusWindows | where RealtimeProtection == "BAD" | project DeviceName'
            vestige query -f hunt.kql --format csv > hunt.csv
            echo 'IoTEvents_CL | count' | vestige query --format json
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, ndjson, csv }

    @Argument(help: "The query. Without it, it is read from --file or standard input.")
    var query: String?

    @Option(name: [.short, .long], help: "A file that holds the query.")
    var file: String?

    @Option(help: "How the result is written.")
    var format = Format.table

    @OptionGroup var session: SessionOptions

    func run() async throws {
        let text = try QueryText.read(query, file: file)
        let result = try Engine(provider: try Session.queryProvider(session)).run(text)
        let table = result.primary
        switch format {
        case .json: Console.out(try ResultEncoding.compact(table) + [10])
        case .ndjson: try ndjson(table)
        case .csv: try csv(table)
        case .table: try show(result)
        }
    }

    private func ndjson(_ table: ResultTable) throws {
        let keys = table.schema.columns.map { Array((JSONWriter.quoted($0.name) + ":").utf8) }
        let columns = try table.schema.columns.indices.map { try table.batch.column($0) }
        var out: [UInt8] = []
        for row in 0..<table.count {
            out.append(123)
            for (c, column) in columns.enumerated() {
                if c > 0 { out.append(44) }
                out += keys[c]
                ResultEncoding.append(column[row], table.schema[c].type, dynamicAsText: false, to: &out)
            }
            out += [125, 10]
        }
        Console.out(out)
    }

    private func csv(_ table: ResultTable) throws {
        func field(_ text: String) -> String {
            text.contains { $0 == "," || $0 == "\"" || $0.isNewline } ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
        }
        var out = table.schema.names.map(field).joined(separator: ",") + "\r\n"
        for row in try table.rows() { out += row.map { field($0.text) }.joined(separator: ",") + "\r\n" }
        Console.out(out)
    }

    private func show(_ result: QueryResult) throws {
        for (i, table) in result.tables.enumerated() {
            if result.tables.count > 1 { session.console.say("\(i == 0 ? "" : "\n")\(table.name)") }
            var text = TextTable(table.schema.names, numbers: table.schema.columns.map { $0.type.isNumeric })
            for row in try table.rows() { text.append(row.map(\.text)) }
            Console.out(text.rendered(width: Console.outputWidth) { session.console.hasColor ? "\u{1B}[1m\($0)\u{1B}[0m" : $0 })
        }
        session.console.say("\(Human.count(result.primary.count)) rows, \(Human.count(result.rowsScanned)) read, \(Human.seconds(result.duration))")
    }
}
