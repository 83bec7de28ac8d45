import Content
import KQLEngine
import Tables

/// A row that a hunt found.
package struct Mark: Sendable {
    package let hunt: HuntDefinition
    package let row: TraceRow
    /// What the habit test compares: who does what to which kind of thing.
    package let habitKey: String
    /// The hunt's own answer to whether it was stopped.
    package let wasBlocked: Bool
}

/// Runs the hunts: each gives the rows that look like an intruder's.
package struct MarkStage {
    /// What could not be asked: a hunt, and why.
    package var unanswered: [String: String] = [:]
    package var marks: [Mark] = []

    package init(_ estate: Estate) {
        for hunt in estate.library.hunts {
            let missing = hunt.needs.filter { estate.silent.contains($0) }
            if missing.count == hunt.needs.count, !hunt.needs.isEmpty {
                unanswered[hunt.slug] = "no rows of \(missing.joined(separator: ", "))"
                continue
            }
            do {
                for row in try estate.ask(hunt.query) {
                    let table = row.text("Type").isEmpty ? hunt.needs.last ?? "" : row.text("Type")
                    let trace = TraceRow(row, table: table)
                    guard estate.window.contains(trace.time), !trace.device.isEmpty else { continue }
                    marks.append(
                        Mark(
                            hunt: hunt, row: trace, habitKey: Self.key(hunt, trace),
                            wasBlocked: row.flag("Blocked") == true))
                }
            } catch let error as QueryError {
                unanswered[hunt.slug] = error.message
            } catch { unanswered[hunt.slug] = "\(error)" }
        }
        marks.sort {
            ($0.row.time, $0.row.device, $0.row.report, $0.hunt.slug)
                < ($1.row.time, $1.row.device, $1.row.report, $1.hunt.slug)
        }
    }

    private static func key(_ hunt: HuntDefinition, _ row: TraceRow) -> String {
        let object: String =
            switch row.table {
            case "DeviceProcessEvents": row.file.lowercased() + " " + shape(row.command)
            case "DeviceNetworkEvents": row.remoteURL.isEmpty ? row.remoteAddress : row.remoteURL
            case "DeviceFileEvents": shape(row.path)
            case "DeviceRegistryEvents": shape(registryTail(row.key)) + " " + shape(row.valueName)
            case "DeviceLogonEvents": row.account + " " + row.remoteAddress
            default:
                row.action + " " + row.file.lowercased() + " " + shape(row.field("ServiceName") + row.field("TaskName"))
            }
        let actor = row.table == "DeviceLogonEvents" ? "" : row.actorName
        return "\(hunt.slug)|\(actor)|\(object)"
    }

    /// A key without the hive's user.
    private static func registryTail(_ key: String) -> String {
        let lower = key.lowercased()
        if let range = lower.firstRange(of: "\\software\\") { return String(lower[range.lowerBound...]) }
        return lower
    }

    /// A text with numbers, identifiers and names of persons folded.
    package static func shape(_ text: String) -> String {
        var out = ""
        var run = ""
        func close() {
            guard !run.isEmpty else { return }
            let hasDigit = run.contains { $0.isNumber }
            let isHex = run.count >= 8 && run.allSatisfy { $0.isHexDigit }
            out += isHex ? "#" : hasDigit ? String(run.map { $0.isNumber ? "0" : $0 }).replacing(/0+/, with: "0") : run
            run = ""
        }
        for c in text.lowercased() {
            if c.isLetter || c.isNumber {
                run.append(c)
            } else {
                close()
                if c != "\"" && c != "'" && c != "^" { out.append(c) }
            }
        }
        close()
        return out.replacing(/(users|home)([\/\\])[^\/\\]+/) { "\($0.1)\($0.2)*" }
    }
}

/// Who does the same on the same kind of thing day after day is no intruder.
///
/// What begins with the suspected intrusion counts for nothing: otherwise a patient intruder becomes a habit.
package struct Habits {
    private struct Count {
        /// Days, by number, with the devices of each.
        var days: [Int64: Set<String>] = [:]
        var first = Int64.max
    }

    private var counts: [String: Count] = [:]

    package init(_ marks: [Mark]) {
        for mark in marks {
            let day = mark.row.time / DateTime.ticksPerDay
            var count = counts[mark.habitKey] ?? Count()
            count.days[day, default: []].insert(mark.row.device)
            count.first = min(count.first, mark.row.time)
            counts[mark.habitKey] = count
        }
    }

    /// Whether the same comes back on three days. What meets many devices on one day is a campaign, not a habit.
    package func isRecurring(_ mark: Mark) -> Bool { (counts[mark.habitKey]?.days.count ?? 0) >= 3 }

    /// Whether a mark is a habit of the estate: three days, or six days of devices.
    ///
    /// - Parameter beginning: ticks; what begins with the intrusion is never excused by going on.
    package func isHabit(_ mark: Mark, beginning: Int64) -> Bool {
        guard let count = counts[mark.habitKey] else { return false }
        if beginning != .max, count.first >= beginning - Span.hour { return false }
        return count.days.count >= 3 || count.days.reduce(0) { $0 + $1.value.count } >= 6
    }
}
