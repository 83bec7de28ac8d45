import Foundation
import Synchronization

/// Content that is read when somebody first asks for it: hundreds of files that most commands do not need.
final class DeferredContent<Parts: Sendable>: Sendable {
    private let parts = Mutex<Parts?>(nil)
    private let read: @Sendable () -> Parts

    init(_ read: @escaping @Sendable () -> Parts) { self.read = read }

    var value: Parts {
        parts.withLock { parts in
            if let parts { return parts }
            let new = read()
            parts = new
            return new
        }
    }
}

/// What investigations know.
struct ForensicContent: Sendable {
    private(set) var hunts: [HuntDefinition] = []
    private(set) var controls: [ControlDefinition] = []
    private(set) var havoc: [HavocDefinition] = []
    /// Files that were left out, with the reason.
    private(set) var problems: [ContentProblem] = []

    init(folders: [String]) {
        for content in folders {
            for file in ContentFolder.hunts.files(in: content) {
                ContentProblem.collecting(in: &problems) {
                    let hunt = try HuntDefinition(yaml: try Fields(file: file), file: file)
                    hunts.removeAll { $0.slug == hunt.slug }
                    hunts.append(hunt)
                }
            }
            for file in ContentFolder.controls.files(in: content) {
                ContentProblem.collecting(in: &problems) {
                    let control = try ControlDefinition(yaml: try Fields(file: file), file: file)
                    controls.removeAll { $0.id == control.id }
                    controls.append(control)
                }
            }
            for file in ContentFolder.havoc.files(in: content) {
                ContentProblem.collecting(in: &problems) {
                    let category = try HavocDefinition(yaml: try Fields(file: file), file: file)
                    havoc.removeAll { $0.id == category.id }
                    havoc.append(category)
                }
            }
        }
        hunts.sort { $0.slug < $1.slug }
        controls.sort { $0.id < $1.id }
        havoc.sort { $0.id < $1.id }
    }
}

/// What decides and what looks for trouble by itself.
struct JudgingContent: Sendable {
    /// Decision tables, and how their points follow from rows.
    private(set) var triage = TriageContent()
    /// Rules, by the names of their files.
    private(set) var rules: [AnalyticsRule] = []
    /// Files that were left out, with the reason.
    private(set) var problems: [ContentProblem] = []

    init(folders: [String]) {
        for content in folders {
            for file in ContentFolder.triage.files(in: content) {
                ContentProblem.collecting(in: &problems) { try triage.add(try Fields(file: file)) }
            }
            var files: [String: String] = [:]
            for file in ContentFolder.rules.files(in: content) {
                ContentProblem.collecting(in: &problems) {
                    let rule = try AnalyticsRule(yaml: try Fields(file: file))
                    if let other = files.updateValue(file, forKey: rule.id.lowercased()) {
                        throw ContentProblem(file, "has the id of \(other)")
                    }
                    rules.removeAll { $0.id == rule.id }
                    rules.append(rule)
                }
            }
        }
    }
}

/// What the lab can play.
struct LabContent: Sendable {
    private(set) var scenarios: [ScenarioDefinition] = []
    /// Files that were left out, with the reason.
    private(set) var problems: [ContentProblem] = []

    init(folders: [String]) {
        for content in folders {
            for file in ContentFolder.scenarios.files(in: content) {
                ContentProblem.collecting(in: &problems) {
                    let scenario = try ScenarioDefinition(yaml: try Fields(file: file), file: file)
                    scenarios.removeAll { $0.id == scenario.id }
                    scenarios.append(scenario)
                }
            }
        }
        scenarios.sort { $0.id < $1.id }
    }
}

extension ContentProblem {
    /// Does `body`; what is wrong with a file joins the problems.
    static func collecting(in problems: inout [ContentProblem], _ body: () throws -> Void) {
        do { try body() } catch let problem as ContentProblem { problems.append(problem) } catch {
            problems.append(ContentProblem("content", "\(error)"))
        }
    }
}
