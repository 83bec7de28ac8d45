import Tables

/// Regular expressions that are known before running.
extension Binder {
    /// Which argument of a function is a pattern.
    private static let patternPlaces: [String: Int] = [
        "extract": 0, "extract_all": 0, "extractall": 0, "replace": 0, "replace_regex": 1, "indexof_regex": 1,
        "countof": 1,
    ]

    /// Refuses what Kusto's dialect does not have, or the local engine cannot do, at the pattern.
    func checkPattern(_ e: BoundExpr, _ range: Range<Int>) throws {
        guard e.isConstant, case .string(let text)? = constant(e) else { return }
        do throws(RegexProblem) { _ = try RegexPattern(text) } catch {
            throw Diagnostic("VK040", "the regular expression is not valid: \(error.message)", range)
        }
    }

    func checkPatterns(_ name: Name, _ bound: [BoundExpr], _ arguments: [CallArgument]) throws {
        guard let place = Binder.patternPlaces[name.text], place < bound.count else { return }
        if name.text == "countof" {
            guard bound.count > 2, bound[2].literalValue == .string("regex") else { return }
        }
        try checkPattern(bound[place], arguments[place].value.range)
    }
}

/// What the local engine runs, by name; nil where everything may be named.
package struct EngineFeatures: Sendable {
    package let scalars: Set<String>
    package let plugins: Set<String>

    package init(scalars: Set<String>, plugins: Set<String>) {
        self.scalars = scalars
        self.plugins = plugins
    }
}

extension Binder {
    /// Refuses a function of Kusto's that the local engine does not run.
    func expectRunnable(_ name: Name, in features: KeyPath<EngineFeatures, Set<String>>) throws {
        guard let features = engine?[keyPath: features], !features.contains(name.text) else { return }
        throw notHere(name)
    }

    func notHere(_ name: Name) -> Diagnostic {
        Diagnostic(
            "VK010", "valid KQL, but not in the local engine: \(name.text)(); run it on Kusto with --on", name.range)
    }

    /// Functions over things that a workspace does not have.
    static let elsewhere: Set<String> = [
        "external_table", "materialized_view", "stored_query_result", "graph", "inline_external_table", "entity_group",
    ]

    /// Whether a function that stands in the language itself gives a table.
    static func givesTable(_ name: String) -> Bool {
        elsewhere.contains(name) || ["table", "materialize", "view", "_GetWatchlist"].contains(name)
    }
}
