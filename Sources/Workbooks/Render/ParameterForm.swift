/// A page's parameters as controls; a change asks for the page anew, with all else that was asked for.
struct ParameterForm {
    private let shown: [ResolvedParameter]
    private let others: [(name: String, value: String)]

    init(_ parameters: [ResolvedParameter], _ asked: [String: [String]]) {
        shown = parameters.filter { !$0.parameter.isHidden }
        let own = Set(shown.map(\.parameter.name))
        others = asked.sorted { $0.key < $1.key }.filter { !own.contains($0.key) }.flatMap { name, values in
            values.map { (name, $0) }
        }
    }

    func markup() -> Markup {
        guard !shown.isEmpty else { return Markup() }
        return Markup(.form, [.class: "parameters", .method: "get"]) {
            for (name, value) in others {
                Markup(empty: .input, [.type: "hidden", .name: name, .value: value])
            }
            for parameter in shown {
                Markup.newline
                control(parameter)
            }
            Markup(.noscript) { Markup(.button) { "Apply" } }
        }
    }

    private func control(_ resolved: ResolvedParameter) -> Markup {
        let parameter = resolved.parameter
        return Markup(.label, [.title: parameter.description.isEmpty ? nil : parameter.description]) {
            Markup(.span) { parameter.label }
            switch parameter.control {
            case .text: Markup(empty: .input, [.name: parameter.name, .value: resolved.value.label])
            case .fixed: Markup(.b) { resolved.value.label }
            case .dropdown, .options, .timeRange: choices(resolved)
            }
            if let problem = resolved.problem { Markup(.em, [.class: "problem"]) { problem } }
        }
    }

    private func choices(_ resolved: ResolvedParameter) -> Markup {
        Markup(.select, [.name: resolved.parameter.name]) {
            if !resolved.choices.contains(where: \.isSelected) {
                Markup(.option, [.value: "", .selected: ""]) {}
            }
            // A list of several chosen values shows as one entry: the page sets one at a time.
            for choice in resolved.choices {
                Markup(.option, [.value: choice.value, .selected: choice.isSelected ? "" : nil]) { choice.label }
            }
        }
    }
}
