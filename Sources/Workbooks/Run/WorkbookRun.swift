import KQL
import KQLEngine
import Tables

/// Where a panel stands in its document: the places of its item and of the groups around it. The same document gives
/// the same ids whatever is visible.
struct PanelID: Hashable, Sendable, CustomStringConvertible {
    let path: [Int]

    var description: String { path.map(String.init).joined(separator: "-") }
}

/// A visible panel with what it asks.
struct Panel: Sendable {
    let id: PanelID
    let query: WorkbookQuery
    let title: String
    /// The query as it is run.
    let text: String
    /// Ticks; the time range that it takes from a parameter.
    let range: (start: Int64, end: Int64)?
}

/// A visible item, ready to be drawn once the panels are answered.
struct ResolvedItem: Sendable {
    indirect enum Kind: Sendable {
        case text(markdown: String, style: WorkbookItem.TextStyle)
        case parameters([ResolvedParameter])
        case links([ResolvedLink], isTabs: Bool)
        case panel(Panel)
        case group([ResolvedItem], title: String?)
        case note(String)
    }

    let name: String
    let width: Int
    let kind: Kind

    var panels: [Panel] {
        switch kind {
        case .panel(let panel): [panel]
        case .group(let items, _): items.flatMap(\.panels)
        case .text, .parameters, .links, .note: []
        }
    }
}

struct ResolvedLink: Sendable {
    let label: String
    /// nil when it is none that may stand in a link.
    let address: Link?
    let isCurrent: Bool
}

/// A workbook with its parameters set and its visible panels answered.
package struct ResolvedWorkbook: Sendable {
    typealias Answer = Result<QueryResult, QueryError>

    let document: WorkbookDocument
    let items: [ResolvedItem]
    let values: ParameterValues
    /// What the reader asked for, as it stands in the address.
    let asked: [String: [String]]
    private let answers: [PanelID: Answer]

    init(
        document: WorkbookDocument, items: [ResolvedItem], values: ParameterValues, asked: [String: [String]],
        answers: [PanelID: Answer]
    ) {
        self.document = document
        self.items = items
        self.values = values
        self.asked = asked
        self.answers = answers
    }

    var panels: [Panel] { items.flatMap(\.panels) }

    func answer(to panel: Panel) -> Answer {
        guard let answer = answers[panel.id] else { preconditionFailure("panel \(panel.id) was not run") }
        return answer
    }
}

/// Runs a workbook: parameters from the top down, then every visible panel, side by side.
package struct WorkbookRun: Sendable {
    private let queries: QueryService
    private let client: Client
    private let version: @Sendable () -> DataVersion?
    private let provider: any TableProvider
    /// Ticks.
    private let now: Int64
    /// Seconds that one panel may take.
    private static let durationMax = 60.0

    /// - Parameters:
    ///   - now: ticks; what `now()` is in every panel.
    ///   - queries: who runs the queries, and for whom.
    ///   - version: what the provider's rows are now; nil when answers are not to be kept.
    package init(
        provider: any TableProvider, now: Int64, queries: QueryService = QueryService(),
        client: Client = .commandLine, version: @escaping @Sendable () -> DataVersion? = { nil }
    ) {
        self.version = version
        self.provider = provider
        self.queries = queries
        self.client = client
        self.now = now
    }

    /// Sets the parameters, and asks every visible panel.
    ///
    /// - Parameter asked: parameter values by name, as the address gives them.
    package func resolve(_ document: WorkbookDocument, asked: [String: [String]]) async -> ResolvedWorkbook {
        let (items, values) = await parametersSet(document, asked)
        let answers = await withTaskGroup(of: (PanelID, ResolvedWorkbook.Answer).self) { group in
            for panel in items.flatMap(\.panels) { group.addTask { (panel.id, await ask(panel)) } }
            return await group.reduce(into: [:]) { answers, one in answers[one.0] = one.1 }
        }
        return ResolvedWorkbook(document: document, items: items, values: values, asked: asked, answers: answers)
    }

    /// Sets the parameters, whose queries hang on each other, as one piece of work.
    private func parametersSet(_ document: WorkbookDocument, _ asked: [String: [String]]) async -> (
        [ResolvedItem], ParameterValues
    ) {
        @Sendable func set(_ run: @escaping (String, (start: Int64, end: Int64)?) -> ResolvedWorkbook.Answer) -> (
            [ResolvedItem], ParameterValues
        ) {
            var plan = PagePlan(document: document, asked: asked) { parameter, values in
                let runner = ParameterRunner(
                    run: { text, range in run(values.substitute(text, .query), values.range(range)) }, now: now)
                return runner.resolve(parameter, asked: asked[parameter.name])
            }
            return (plan.items(), plan.values)
        }
        var options = QueryOptions()
        options.durationMax = Self.durationMax
        do {
            return try await queries.run("page \(document.id)", options: options, client: client) { _ in set(run) }
        } catch {
            // Too many queries, or nobody waits: the page is drawn without what the parameters' queries would give.
            let problem = error as? QueryError ?? .runtime("\(error)")
            return set { _, _ in .failure(problem) }
        }
    }

    private func ask(_ panel: Panel) async -> ResolvedWorkbook.Answer {
        do {
            return .success(
                try await queries.answer(
                    panel.text, options: options(panel.range), client: client, over: provider, version: version))
        } catch { return .failure(error as? QueryError ?? .runtime("\(error)")) }
    }

    private func options(_ range: (start: Int64, end: Int64)?) -> QueryOptions {
        var options = QueryOptions()
        options.now = now
        options.durationMax = Self.durationMax
        if let range { options.timeScope = TimeScope(column: "TimeGenerated", from: range.start, to: range.end) }
        return options
    }

    /// Runs one query, within the time range that its panel takes from a parameter.
    private func run(_ text: String, _ range: (start: Int64, end: Int64)?) -> ResolvedWorkbook.Answer {
        do {
            return .success(
                try queries.answerHere(text, options: options(range), over: provider, version: version))
        } catch let error as QueryError {
            return .failure(error)
        } catch {
            return .failure(.runtime("\(error)"))
        }
    }
}
