import ArgumentParser
import Forensics
import Foundation
import KQLEngine
import Pipeline
import Tables

struct TriageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "triage", abstract: "Decides which vulnerabilities are to be mended by when, and shows why.",
        discussion: """
            vestige triage
            vestige triage --device srv-001 --cve CVE-2026-1234 --history
            vestige triage --at 2026-08-21T18:00:00Z --model bod-26-04 --format json

            The decision tables are CISA's BOD 26-04 and CERT/CC's SSVC (Content/Triage). With --at, it answers with what
            the workspace held at that time.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, ndjson }

    @Option(help: ArgumentHelp("Only this device: its id or name.", valueName: "device")) var device: String?
    @Option(help: ArgumentHelp("Only this vulnerability.", valueName: "cve")) var cve: String?
    @Option(help: ArgumentHelp("Only this model; may be given several times.", valueName: "model")) var model:
        [String] =
            []
    @Option(help: ArgumentHelp("As the workspace knew at this time (UTC); now when not given.", valueName: "time"))
    var at: String?
    @Flag(help: "Tell every change of the decisions, also of findings that are gone.") var history = false
    @Option(help: "text, json, or ndjson.") var format = Format.text
    @OptionGroup var options: SessionOptions

    func run() async throws {
        let provider = try Session.queryProvider(options)
        let (library, problems) = try Session.content(try options.configuration())
        options.console.warn(leftOut: problems + library.judgingProblems)
        guard let triage = Triage(library.triage, provider: provider) else {
            throw OperatorError(
                "there is nothing to decide by", got: "the content has no decision tables",
                next: "see that the content folder has Triage/, and run 'vestige content check'", isConfiguration: true)
        }
        let models = library.triage.models.map(\.id)
        for name in model where !models.contains(name) {
            throw OperatorError(
                "there is no model \(name)", next: "name one of \(models.joined(separator: ", "))",
                isConfiguration: true)
        }
        var request = Triage.Request(at: try TimeOptions.time(at, option: "--at") ?? SystemClock.now())
        request.device = device
        request.cve = cve
        request.models = model
        request.withClosed = history
        let decisions = try triage.decide(request)
        switch format {
        case .json:
            let list = decisions.map { TriageJSON.write($0, withHistory: history) }
            let answer: JSON = ["at": .string(DateTime.format(request.at)), "decisions": .array(list)]
            Console.out(line: answer)
        case .ndjson:
            for decision in decisions { Console.out(line: TriageJSON.write(decision, withHistory: history)) }
        case .text: Console.out(TriageText.page(decisions, request, width: Console.outputWidth))
        }
    }
}

/// Decisions for people: the gravest first, each with why.
enum TriageText {
    static func page(_ decisions: [TriageDecision], _ request: Triage.Request, width: Int?) -> String {
        var out = "as known at \(minute(request.at))\n"
        if decisions.isEmpty { return out + "\nno vulnerability is open\n" }
        for model in Set(decisions.map(\.model)).sorted() {
            let own = decisions.filter { $0.model == model }.sorted(by: isGraver)
            var table = TextTable(
                ["decision", "due", "device", "vulnerability", "why", "since"],
                numbers: [false, false, false, false, false, false])
            for d in own {
                table.append([
                    d.decision ?? d.status.rawValue, d.due.map { String(DateTime.format($0.date).prefix(10)) } ?? "",
                    d.deviceName, d.cve, why(d), d.since.map(minute) ?? "",
                ])
            }
            out += "\n\(model)\n" + table.rendered(width: width)
            for d in own {
                for note in notes(d) { out += "  \(d.deviceName) \(d.cve): \(note)\n" }
                if request.withClosed {
                    for change in d.changes {
                        let points = change.because.map { "\($0.point.rawValue) \($0.from) → \($0.to)" }
                        let reason = points.isEmpty ? "" : " (\(points.joined(separator: ", ")))"
                        let step = "\(change.from ?? "new") → \(change.to)\(reason)"
                        out += "  \(d.deviceName) \(d.cve): \(minute(change.time)) \(step)\n"
                    }
                }
            }
        }
        return out
    }

    private static func isGraver(_ a: TriageDecision, _ b: TriageDecision) -> Bool {
        if a.rank != b.rank { return a.rank > b.rank }
        let (da, db) = (a.due?.date ?? .max, b.due?.date ?? .max)
        if da != db { return da < db }
        return (a.prediction?.score ?? 0) > (b.prediction?.score ?? 0)
    }

    /// The path on one line; what was only assumed carries a question mark.
    private static func why(_ d: TriageDecision) -> String {
        d.path.map { "\($0.point.rawValue) \($0.value)\(d.missing.contains($0.point) ? "?" : "")" }.joined(
            separator: ", ")
    }

    private static func notes(_ d: TriageDecision) -> [String] {
        var notes: [String] = []
        if let forensics = d.forensics, forensics.isOwed {
            let until = forensics.clock.map { ": " + $0.text } ?? ""
            notes.append("forensic triage is owed\(until)")
        }
        notes += d.conflicts.map { "\($0.saw.joined(separator: ", but ")): \($0.took) was taken, since \($0.why)" }
        notes += d.controls.map { control in
            let proof = control.provenAt.map { "proven \(minute($0))" } ?? "never proven"
            return "control \(control.id) (\(control.control)) \(control.holds ? "holds" : "does not hold"), \(proof)"
        }
        return notes
    }

    private static func minute(_ ticks: Int64) -> String { String(DateTime.format(ticks).prefix(16)) + "Z" }
}
