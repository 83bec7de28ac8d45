import KQL
import Tables

/// What `render` asked for, as the services hand it to their clients.
enum Visualization {
    private static let members = [
        "Title", "XColumn", "Series", "YColumns", "AnomalyColumns", "XTitle", "YTitle", "XAxis", "YAxis", "Legend",
        "YSplit", "Accumulate", "IsQuerySorted",
        "Kind", "Ymin", "Ymax", "Xmin", "Xmax",
    ]
    private static let lists: Set<String> = ["Series", "YColumns", "AnomalyColumns"]

    /// The members of Kusto's `Visualization` property, in its order; those that were not set are null.
    static func value(_ render: RenderSpec?) -> Value {
        var out: [(String, Value)] = [("Visualization", render.map { .string($0.kind) } ?? .null)]
        for member in members {
            let text = render?.properties.first { $0.0.lowercased() == member.lowercased() }?.1
            out.append((member, value(text, member)))
        }
        return .bag(Bag(out))
    }

    private static func value(_ text: String?, _ member: String) -> Value {
        switch member {
        case "Accumulate", "IsQuerySorted": return .bool(text?.lowercased() == "true")
        case "Ymin", "Ymax", "Xmin", "Xmax":
            guard let text else { return member.hasPrefix("Y") ? .string("NaN") : .null }
            return Double(text).map { .real($0) } ?? .string(text)
        default:
            guard let text else { return .null }
            return lists.contains(member)
                ? .array(text.split(separator: ",").map { .string(String($0)) }) : .string(text)
        }
    }

    static func json(_ render: RenderSpec?) -> String { JSONWriter.string(value(render)) }
}
