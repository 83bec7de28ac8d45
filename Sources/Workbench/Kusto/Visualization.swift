import KQL
import Tables

/// What `render` asked for, as the services hand it to their clients.
enum Visualization {
    private static let names = [
        "Title", "XColumn", "Series", "YColumns", "AnomalyColumns", "XTitle", "YTitle", "XAxis", "YAxis", "Legend",
        "YSplit", "Accumulate", "IsQuerySorted",
        "Kind", "Ymin", "Ymax", "Xmin", "Xmax",
    ]
    private static let lists: Set<String> = ["Series", "YColumns", "AnomalyColumns"]

    /// The members of Kusto's `Visualization` property, in its order; those that were not set are null.
    static func members(_ render: RenderSpec?) -> JSON.Members {
        var members: JSON.Members = ["Visualization": render.map { .string($0.kind) } ?? .null]
        for name in names { members[name] = member(name, render?[name]) }
        return members
    }

    private static func member(_ name: String, _ text: String?) -> JSON {
        switch name {
        case "Accumulate", "IsQuerySorted": return .bool(text?.lowercased() == "true")
        case "Ymin", "Ymax", "Xmin", "Xmax":
            guard let text else { return name.hasPrefix("Y") ? "NaN" : .null }
            return Double(text).map { .number($0) } ?? .string(text)
        default:
            guard let text else { return .null }
            return lists.contains(name) ? .array(text.split(separator: ",").map { .string(String($0)) }) : .string(text)
        }
    }

    static func json(_ render: RenderSpec?) -> String { JSON.object(members(render)).text }
}
