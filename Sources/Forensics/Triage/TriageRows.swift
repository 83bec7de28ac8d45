import Content
import KQLEngine
import Tables

/// The rows of one input of triage, oldest first.
struct TriageRows {
    let input: TriageInput
    /// Rows by time; rows of the same instant stay in their order.
    let order: [Int]
    private let times: [Int64]
    private let columns: [String: Column]

    /// - Parameter end: ticks; the last instant that counts.
    init(_ input: TriageInput, _ query: String, engine: Engine, until end: Int64) throws {
        self.input = input
        var options = QueryOptions()
        options.rowCountMax = nil
        let text = query + "\n| where Time <= datetime(\(DateTime.format(end)))"
        let batch = try engine.run(text, options: options).primary.batch
        var columns: [String: Column] = [:]
        for name in input.columns.map(\.name) + ["Gone", "Time"] {
            guard let column = try batch.column(named: name) else {
                throw ContentProblem("Triage", "input '\(input.rawValue)' gives no column '\(name)'")
            }
            columns[name] = column
        }
        self.columns = columns
        let clock = columns["Time"]
        let times = (0..<batch.count).map { row -> Int64 in
            if case .datetime(let ticks)? = clock?[row] { ticks } else { 0 }
        }
        self.times = times
        order = (0..<batch.count).sorted { times[$0] == times[$1] ? $0 < $1 : times[$0] < times[$1] }
    }

    private func value(_ name: String, _ row: Int) -> Value {
        guard let column = columns[name] else { preconditionFailure("\(input.rawValue) has no column \(name)") }
        return column[row]
    }

    func time(_ row: Int) -> Int64 { times[row] }
    func isGone(_ row: Int) -> Bool { value("Gone", row).boolValue ?? false }
    func text(_ name: String, _ row: Int) -> String { value(name, row).text }
    func flag(_ name: String, _ row: Int) -> Bool? { value(name, row).boolValue }
    func number(_ name: String, _ row: Int) -> Double? { value(name, row).doubleValue }
    func ticks(_ name: String, _ row: Int) -> Int64? { if case .datetime(let t) = value(name, row) { t } else { nil } }
    func list(_ name: String, _ row: Int) -> [Value] { value(name, row).arrayValue ?? [] }
    func texts(_ name: String, _ row: Int) -> [String] { list(name, row).map(\.text) }

    /// A vulnerability's number, as the catalogues write it.
    func cve(_ row: Int) -> String { text("CveId", row).trimmed.uppercased() }
}
