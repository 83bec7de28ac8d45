import KQLEngine
import Tables

/// A parameter with its choices, ready to be drawn.
package struct ResolvedParameter: Sendable {
    package struct Choice: Sendable {
        package let value: String
        package let label: String
        package let isSelected: Bool
    }

    package let parameter: WorkbookParameter
    package let choices: [Choice]
    package let value: ParameterValue
    /// Why the choices are missing.
    package let problem: String?
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
        let saved = parameter.value.bagValue?["durationMs"]?.longValue ?? 86_400_000
        let durations =
            parameter.durations.isEmpty ? [3_600_000, 86_400_000, 604_800_000, 2_592_000_000] : parameter.durations
        let chosen = asked.flatMap { Int64($0) }.flatMap { $0 > 0 && $0 <= 3_650 * 86_400_000 ? $0 : nil } ?? saved
        let all = durations.contains(chosen) ? durations : (durations + [chosen]).sorted()
        let choices = all.map {
            ResolvedParameter.Choice(value: String($0), label: Self.label($0), isSelected: $0 == chosen)
        }
        let value = ParameterValue(content: .time(start: now - chosen * 10_000, end: now), label: Self.label(chosen))
        return ResolvedParameter(parameter: parameter, choices: choices, value: value, problem: nil)
    }

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
        var text = asked?.first ?? parameter.value.stringValue ?? ""
        var problem: String?
        if asked == nil, let query = parameter.query {
            switch run(query, parameter.timeRange) {
            case .success(let result):
                text = result.primary.count > 0 ? (try? result.primary.batch.row(0).first?.text) ?? "" : ""
            case .failure(let error): problem = error.message
            }
        }
        return ResolvedParameter(
            parameter: parameter, choices: [],
            value: .init(content: .texts(text.isEmpty ? [] : [text], isAll: false), label: text), problem: problem)
    }

    private func dropdown(_ parameter: WorkbookParameter, _ asked: [String]?) -> ResolvedParameter {
        var found: [(value: String, label: String, isDefault: Bool)] = []
        var problem: String?
        if let query = parameter.query {
            switch run(query, parameter.timeRange) {
            case .success(let result):
                let table = result.primary
                let labels = table.schema.index(of: "label") ?? (table.schema.count > 1 ? 1 : 0)
                for row in (try? table.rows()) ?? [] where !row[0].text.isEmpty {
                    found.append((row[0].text, row[labels].text, false))
                }
            case .failure(let error): problem = error.message
            }
        } else {
            for choice in parameter.choices {
                switch choice {
                case .bag(let bag):
                    let value = bag["value"]?.text ?? ""
                    found.append((value, bag["label"]?.stringValue ?? value, bag["selected"]?.boolValue ?? false))
                default: found.append((choice.text, choice.text, false))
                }
            }
        }
        let saved = parameter.value.arrayValue?.map(\.text) ?? (parameter.value.isNull ? [] : [parameter.value.text])
        var wanted = Set(asked ?? saved)
        wanted.remove("")
        let isAll = wanted.contains("value::all") || (parameter.hasAll && wanted.isDisjoint(with: found.map(\.value)))
        if !isAll, wanted.isDisjoint(with: found.map(\.value)) {
            wanted = Set(found.filter(\.isDefault).map(\.value))
            if wanted.isEmpty, parameter.isRequired || wanted.contains("value::1"), let first = found.first {
                wanted = [first.value]
            }
        }
        // A long list is cut, but never what is chosen.
        let listed = found.enumerated().filter { $0.offset < Self.choicesMax || wanted.contains($0.element.value) }.map(
            \.element)
        var choices = listed.map {
            ResolvedParameter.Choice(value: $0.value, label: $0.label, isSelected: !isAll && wanted.contains($0.value))
        }
        if parameter.hasAll { choices.insert(.init(value: "value::all", label: "All", isSelected: isAll), at: 0) }
        let selected = isAll ? found.map(\.value) : found.map(\.value).filter(wanted.contains)
        let label = isAll ? "All" : found.filter { wanted.contains($0.value) }.map(\.label).joined(separator: ", ")
        return ResolvedParameter(
            parameter: parameter, choices: choices,
            value: .init(content: .texts(selected, isAll: isAll), label: label.isEmpty ? "none" : label),
            problem: problem)
    }
}
