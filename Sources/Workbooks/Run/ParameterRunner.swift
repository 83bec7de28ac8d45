import KQLEngine
import Tables

/// A parameter with its choices, ready to be drawn.
struct ResolvedParameter: Sendable {
    struct Choice: Sendable {
        let value: String
        let label: String
        let isSelected: Bool
    }

    let parameter: WorkbookParameter
    let choices: [Choice]
    let value: ParameterValue
    /// Why the choices are missing.
    let problem: String?
}

/// Finds a parameter's choices and its value, from what the reader asked for or the document's own default.
struct ParameterRunner {
    let run: (String, String?) -> Result<QueryResult, QueryError>
    /// Ticks.
    let now: Int64
    static let choicesMax = 1_000

    func resolve(_ parameter: WorkbookParameter, asked: [String]?) -> ResolvedParameter {
        switch parameter.control {
        case .timeRange: return timeRange(parameter, asked?.first)
        case .fixed:
            return ResolvedParameter(
                parameter: parameter, choices: [],
                value: .init(content: .texts(["local"], isAll: false), label: "this workspace"), problem: nil)
        case .text: return text(parameter, asked)
        case .dropdown, .options: return dropdown(parameter, asked)
        }
    }

    private func timeRange(_ parameter: WorkbookParameter, _ asked: String?) -> ResolvedParameter {
        let saved = parameter.savedDuration ?? Self.millisecondsPerDay
        let usual =
            [Self.millisecondsPerDay / 24, Self.millisecondsPerDay]
            + [7, 30].map { $0 * Self.millisecondsPerDay }
        let durations = parameter.durations.isEmpty ? usual : parameter.durations
        let chosen = asked.flatMap { Int64($0) }.flatMap { Self.durations.contains($0) ? $0 : nil } ?? saved
        let all = durations.contains(chosen) ? durations : (durations + [chosen]).sorted()
        let choices = all.map {
            ResolvedParameter.Choice(value: String($0), label: Self.label($0), isSelected: $0 == chosen)
        }
        let start = now - chosen * (DateTime.ticksPerSecond / 1_000)
        let value = ParameterValue(content: .time(start: start, end: now), label: Self.label(chosen))
        return ResolvedParameter(parameter: parameter, choices: choices, value: value, problem: nil)
    }

    private static let millisecondsPerDay: Int64 = 86_400_000
    /// Ranges that an address may ask for: up to ten years.
    private static let durations = 1...3_650 * millisecondsPerDay

    static func label(_ ms: Int64) -> String {
        let (n, unit): (Int64, String) =
            if ms % 86_400_000 == 0 { (ms / 86_400_000, "day") } else if ms % 3_600_000 == 0 {
                (ms / 3_600_000, "hour")
            } else {
                (max(1, ms / 60_000), "minute")
            }
        return n == 1 ? "Last \(unit == "day" ? "24 hours" : unit)" : "Last \(n) \(unit)s"
    }

    private func text(_ parameter: WorkbookParameter, _ asked: [String]?) -> ResolvedParameter {
        var text = asked?.first ?? parameter.saved.first ?? ""
        var problem: String?
        if asked == nil, let query = parameter.query {
            switch run(query, parameter.timeRange) {
            case .success(let result): text = result.primary.count > 0 ? Self.firstCell(result.primary) : ""
            case .failure(let error): problem = error.message
            }
        }
        return ResolvedParameter(
            parameter: parameter, choices: [],
            value: .init(content: .texts(text.isEmpty ? [] : [text], isAll: false), label: text), problem: problem)
    }

    private static func firstCell(_ table: ResultTable) -> String {
        guard let row = try? table.batch.row(0), let cell = row.first else { return "" }
        return cell.text
    }

    private func dropdown(_ parameter: WorkbookParameter, _ asked: [String]?) -> ResolvedParameter {
        var (found, problem) = choices(parameter)
        // An empty choice in the address is none.
        let reader = asked?.filter { !$0.isEmpty } ?? []
        var wanted = reader.isEmpty ? parameter.saved : reader
        let known = Set(found.map(\.value))
        let isAll =
            wanted.contains(Mark.all) || (parameter.hasAll && reader.isEmpty && known.isDisjoint(with: wanted))
        let unknown = reader.filter { !known.contains($0) && $0 != Mark.all && $0 != Mark.first }
        if !isAll, !unknown.isEmpty {
            // What an address asks for stays asked for: another choice in its place would show what nobody asked.
            problem = problem ?? "there is no choice \(unknown.joined(separator: ", ")) here"
            found += unknown.map { .init(value: $0, label: $0, isDefault: false) }
        } else if !isAll, known.isDisjoint(with: wanted) {
            let defaults = found.filter(\.isDefault).map(\.value)
            let takesFirst = parameter.isRequired || wanted.contains(Mark.first)
            wanted = !defaults.isEmpty ? defaults : takesFirst ? found.prefix(1).map(\.value) : []
        }
        let chosen = Set(wanted)
        // A long list is cut, but never what is chosen.
        let listed = found.enumerated().filter { $0.offset < Self.choicesMax || chosen.contains($0.element.value) }
        var choices = listed.map { _, choice in
            ResolvedParameter.Choice(
                value: choice.value, label: choice.label, isSelected: !isAll && chosen.contains(choice.value))
        }
        if listed.count < found.count, problem == nil {
            problem = "the first \(listed.count) of \(found.count) choices are listed"
        }
        if parameter.hasAll { choices.insert(.init(value: Mark.all, label: "All", isSelected: isAll), at: 0) }
        let selected = isAll ? found : found.filter { chosen.contains($0.value) }
        let label = isAll ? "All" : selected.map(\.label).joined(separator: ", ")
        return ResolvedParameter(
            parameter: parameter, choices: choices,
            value: .init(
                content: .texts(selected.map(\.value), isAll: isAll), label: label.isEmpty ? "none" : label),
            problem: problem)
    }

    private typealias Mark = WorkbookParameter.Mark

    /// The choices that the query finds, or those of the file.
    private func choices(_ parameter: WorkbookParameter) -> ([WorkbookParameter.Choice], problem: String?) {
        guard let query = parameter.query else { return (parameter.choices, nil) }
        do {
            let table = try run(query, parameter.timeRange).get().primary
            let labels = table.schema.index(of: "label") ?? (table.schema.count > 1 ? 1 : 0)
            let rows = try table.rows().filter { !$0[0].text.isEmpty }
            return (rows.map { .init(value: $0[0].text, label: $0[labels].text, isDefault: false) }, nil)
        } catch let error as QueryError {
            return ([], error.message)
        } catch {
            return ([], "\(error)")
        }
    }
}
