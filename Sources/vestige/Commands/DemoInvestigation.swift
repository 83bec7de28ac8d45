import Forensics
import KQLEngine
import Tables

/// The end of the demo: what an investigation of its workspace finds, in a few lines.
enum DemoInvestigation {
    /// - Parameter seconds: how long the investigation took.
    static func text(_ result: Forensics.Investigation, seconds: Double) -> String {
        let verdict =
            switch result.verdict {
            case .intrusion: "SOMEONE GOT IN"
            case .prevented: "AN ATTEMPT WAS STOPPED"
            case .none: "nothing found that is not a habit of the estate"
            case .unknown: "not known: the rows that would tell are not there"
            }
        var lines = ["\ninvestigated in \(Human.seconds(seconds)): \(verdict)"]
        func tell(_ title: String, _ items: [String]) {
            guard !items.isEmpty else { return }
            let more = items.count > 3 ? " and \(items.count - 3) more" : ""
            let head = title + String(repeating: " ", count: max(1, 18 - title.count))
            lines.append("  " + head + items.prefix(3).joined(separator: ", ") + more)
        }
        func on(_ device: String) -> String { " on " + short(result.name(device)) }
        if let entry = result.entry {
            tell("how they got in", ["\(TextReport.time(entry.time))  \(entry.vector)" + on(entry.device)])
        }
        tell("what was missing", result.causes.map { $0.control + on($0.device) })
        tell("what they did", result.harm.map { $0.what + on($0.device) })
        tell(
            "where they went",
            result.movements.map { "\(short(result.name($0.from))) -> \(short(result.name($0.to)))" })
        tell("what held", result.held.map { $0.control + on($0.device) })
        return lines.joined(separator: "\n")
    }

    /// A device's name without its domain; addresses stay whole.
    private static func short(_ name: String) -> String {
        let parts = name.split(separator: ".")
        return parts.count == 4 && parts.allSatisfy({ Int($0) != nil }) ? name : parts.first.map(String.init) ?? name
    }
}
