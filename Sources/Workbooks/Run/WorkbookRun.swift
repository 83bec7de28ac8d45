import Foundation
import KQL
import KQLEngine
import Tables

/// What there is to draw of an item.
package struct ResolvedItem: Sendable {
    package indirect enum Kind: Sendable {
        case text(markdown: String, style: String)
        case parameters([ResolvedParameter], style: String)
        case links([ResolvedLink], style: String)
        case query(WorkbookQuery, title: String, text: String, answer: Result<QueryResult, QueryError>)
        case group([ResolvedItem], title: String?)
        case note(String)
    }

    package let name: String
    package let width: Int
    package let kind: Kind
}

package struct ResolvedLink: Sendable {
    package let label: String
    package let address: String
    package let isCurrent: Bool
}

/// A workbook with its parameters set and its visible queries answered.
package struct ResolvedWorkbook: Sendable {
    package let document: WorkbookDocument
    package let items: [ResolvedItem]
    package let values: ParameterValues
    /// What the reader asked for, as it stands in the address.
    package let asked: [String: [String]]
}

/// Runs a workbook: parameters from the top down, then every visible query, side by side.
package struct WorkbookRun: Sendable {
    private let engine: Engine
    /// Ticks.
    private let now: Int64

    package init(provider: any TableProvider, now: Int64) {
        engine = Engine(provider: provider)
        self.now = now
    }

    /// - Parameter asked: parameter values by name, as the address gives them.
    package func resolve(_ document: WorkbookDocument, asked: [String: [String]]) async -> ResolvedWorkbook {
        var values = ParameterValues()
        var parameters: [String: ResolvedParameter] = [:]
        declare(document.items, asked, &values, &parameters)
        let queries = visibleQueries(document.items, values)
        let answers = await withTaskGroup(of: (Int, Result<QueryResult, QueryError>).self) { group in
            for (i, query) in queries.enumerated() {
                let text = values.substitute(query.text, .query)
                let range = range(query.timeRange, values)
                group.addTask { (i, run(text, range)) }
            }
            var answers = [Result<QueryResult, QueryError>?](repeating: nil, count: queries.count)
            for await (i, answer) in group { answers[i] = answer }
            return answers
        }
        var next = 0
        let items = build(document.items, values, parameters, document, asked, answers, &next)
        return ResolvedWorkbook(document: document, items: items, values: values, asked: asked)
    }

    /// Sets parameters in the order they are declared; tabs set theirs to the first tab when nobody chose one.
    private func declare(
        _ items: [WorkbookItem], _ asked: [String: [String]], _ values: inout ParameterValues,
        _ parameters: inout [String: ResolvedParameter]
    ) {
        for item in items where isVisible(item, values) {
            switch item.kind {
            case .parameters(let list, _):
                for parameter in list {
                    let known = values
                    let runner = ParameterRunner(
                        run: { text, range in run(known.substitute(text, .query), self.range(range, known)) }, now: now)
                    let resolved = runner.resolve(parameter, asked: asked[parameter.name])
                    parameters[parameter.name] = resolved
                    values.set(parameter.name, resolved.value, parameter)
                }
            case .links(let links, _):
                for link in links where link.target == "parameter" && values[link.cellValue] == nil {
                    let chosen = asked[link.cellValue]?.first
                    let known = links.first { $0.cellValue == link.cellValue && $0.subTarget == chosen } ?? link
                    values.set(
                        link.cellValue, .init(content: .texts([known.subTarget], isAll: false), label: known.label), nil
                    )
                }
            case .group(let inner, _): declare(inner, asked, &values, &parameters)
            default: break
            }
        }
    }

    private func isVisible(_ item: WorkbookItem, _ values: ParameterValues) -> Bool {
        item.conditions.allSatisfy(values.holds)
    }

    private func visibleQueries(_ items: [WorkbookItem], _ values: ParameterValues) -> [WorkbookQuery] {
        items.filter { isVisible($0, values) }.flatMap { item -> [WorkbookQuery] in
            switch item.kind {
            case .query(let query): [query]
            case .group(let inner, _): visibleQueries(inner, values)
            default: []
            }
        }
    }

    private func build(
        _ items: [WorkbookItem], _ values: ParameterValues, _ parameters: [String: ResolvedParameter],
        _ document: WorkbookDocument,
        _ asked: [String: [String]], _ answers: [Result<QueryResult, QueryError>?], _ next: inout Int
    ) -> [ResolvedItem] {
        var out: [ResolvedItem] = []
        for item in items where isVisible(item, values) {
            let kind: ResolvedItem.Kind
            switch item.kind {
            case .text(let markdown, let style):
                kind = .text(markdown: values.substitute(markdown, .text), style: style)
            case .parameters(let list, let style):
                kind = .parameters(list.compactMap { parameters[$0.name] }, style: style)
            case .links(let links, let style):
                kind = .links(
                    links.map { link in
                        guard link.target == "parameter" else {
                            return ResolvedLink(
                                label: link.label, address: values.substitute(link.cellValue, .text), isCurrent: false)
                        }
                        let isCurrent = values[link.cellValue]?.plain == link.subTarget
                        return ResolvedLink(
                            label: link.label,
                            address: WorkbookAddress.make(
                                document.id, asked, setting: link.cellValue, to: link.subTarget),
                            isCurrent: isCurrent)
                    }, style: style)
            case .query(let query):
                let answer = answers[next] ?? .failure(.cancelled)
                next += 1
                kind = .query(
                    query, title: values.substitute(query.title, .text), text: values.substitute(query.text, .query),
                    answer: answer)
            case .group(let inner, let title):
                kind = .group(
                    build(inner, values, parameters, document, asked, answers, &next),
                    title: title.map { values.substitute($0, .text) })
            case .unsupported(let reason): kind = .note(reason)
            }
            out.append(ResolvedItem(name: item.name, width: item.width, kind: kind))
        }
        return out
    }

    private func range(_ name: String?, _ values: ParameterValues) -> (Int64, Int64)? {
        guard let name, case .time(let start, let end)? = values[name]?.content else { return nil }
        return (start, end)
    }

    /// Runs one query, within the time range that its panel takes from a parameter.
    private func run(_ text: String, _ range: (start: Int64, end: Int64)?) -> Result<QueryResult, QueryError> {
        var options = QueryOptions()
        options.now = now
        options.durationMax = 60
        if let range { options.timeScope = TimeScope(column: "TimeGenerated", from: range.start, to: range.end) }
        do { return .success(try engine.run(text, options: options)) } catch let error as QueryError {
            return .failure(error)
        } catch {
            return .failure(.runtime("\(error)"))
        }
    }
}

/// Addresses of workbook pages.
package enum WorkbookAddress {
    /// The page of a workbook with what was asked before and one parameter set anew.
    package static func make(
        _ id: String, _ asked: [String: [String]], setting name: String? = nil, to value: String = ""
    ) -> String {
        var all = asked
        if let name { all[name] = [value] }
        let pairs = all.sorted { $0.key < $1.key }.flatMap { key, values in
            values.map { "\(escape(key))=\(escape($0))" }
        }
        return "/workbooks/\(escape(id))" + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    package static func escape(_ text: String) -> String {
        text.addingPercentEncoding(
            withAllowedCharacters: CharacterSet(
                charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"))
            ?? ""
    }
}
