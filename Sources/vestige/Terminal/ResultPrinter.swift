import KQL
import KQLEngine
import Tables

/// Writes a query's result to standard output.
struct ResultPrinter {
    let format: QueryCommand.Format
    let console: Console

    func print(_ result: QueryResult) throws {
        let table = result.primary
        switch format {
        case .json:
            Console.out(json: try ResultEncoding.compact(table) + [10])
        case .ndjson: try ndjson(table)
        case .csv: try csv(table)
        case .csvExcel: try spreadsheet(table)
        case .table, .record: try show(result)
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
        Console.out(json: out)
    }

    private func csv(_ table: ResultTable) throws {
        var out = CSV.line(table.schema.names)
        for row in try table.rows() { out += CSV.line(row.map(\.text)) }
        Console.out(Array(out.utf8))
    }

    private func spreadsheet(_ table: ResultTable) throws {
        var out = SpreadsheetCSV.header(table.schema.names)
        for row in try table.rows() { out += SpreadsheetCSV.line(row) }
        Console.out((Console.outputIsTerminal ? [] : SpreadsheetCSV.start) + Array(out.utf8))
    }

    private func show(_ result: QueryResult) throws {
        Console.draw(try text(result, width: Console.outputWidth, bold: console.hasColor))
        if let kind = result.render?.kind, ChartKind(named: kind) == nil {
            console.say("there is no chart called \(kind); the rows are shown as a table")
        }
        console.say(summary(result))
    }

    /// The tables as text, or the chart that the query asked for.
    func text(_ result: QueryResult, width: Int?, bold: Bool) throws -> TerminalText {
        var out: TerminalText = ""
        for (i, table) in result.tables.enumerated() {
            if result.tables.count > 1 {
                if i > 0 { out += "\n" }
                out += "\(table.name)\n"
            }
            if let chart = try TerminalChart(table, result.render, width: width, hasColor: bold)?.text() {
                out += chart
                continue
            }
            var text = TextTable(table.schema.names, numbers: table.schema.columns.map { $0.type.isNumeric })
            // Nothing there and an empty text are told apart.
            for row in try table.rows() { text.append(row.map { $0.isNull ? "null" : $0.text }) }
            out += isRecord(table, text, width) ? text.records(isBold: bold) : text.drawn(width: width, isBold: bold)
        }
        return out
    }

    /// Whether a table is shown a column a line: when it was asked for, and for a single row that is too long.
    private func isRecord(_ table: ResultTable, _ text: TextTable, _ width: Int?) -> Bool {
        format == .record || table.count == 1 && text.isCut(at: width)
    }

    func summary(_ result: QueryResult) -> String {
        let read = result.rowsScanned > 0 ? ", \(Human.count(result.rowsScanned)) read" : ""
        return "\(Human.count(result.primary.count)) rows\(read), \(Human.seconds(result.duration))"
    }
}
