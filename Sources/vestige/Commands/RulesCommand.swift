import ArgumentParser
import Content
import Forensics
import Foundation
import KQLEngine
import Pipeline
import Tables
import Workspace

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Runs analytics rules over the workspace, and lists them.",
        discussion: """
            vestige rules list
            vestige rules run
            vestige rules run r-lsass --at 2026-09-01T03:00:00Z
            vestige rules run --from 2026-09-01 --to 2026-09-02 --format json

            Rules stand in Content/Rules, in Microsoft Sentinel's form. What they find goes into VestigeFindings_CL.
            """, subcommands: [List.self, Run.self, Test.self])

    /// The rules that names mean: a GUID, a file's name, a short name, or the rule's own name.
    static func select(_ rules: [AnalyticsRule], _ names: [String]) throws -> [AnalyticsRule] {
        if names.isEmpty { return rules }
        return try names.map { name in
            let wanted = name.lowercased()
            guard
                let rule = rules.first(where: { rule in
                    let file = ((rule.file as NSString).lastPathComponent as NSString).deletingPathExtension
                    return [rule.id, file, rule.own.slug, rule.name].contains { $0.lowercased() == wanted }
                })
            else {
                throw OperatorError("there is no rule \(name)", next: "see 'vestige rules list'", isConfiguration: true)
            }
            return rule
        }
    }

    /// What a rule is called in lists: its short name, or its GUID where it has none.
    static func name(of rule: AnalyticsRule) -> String { rule.own.slug.isEmpty ? rule.id : rule.own.slug }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the rules of the content.")
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let (library, problems) = try Session.content(try options.configuration())
            options.console.warn(leftOut: problems + library.judgingProblems)
            var table = TextTable(
                ["rule", "severity", "every", "over", "techniques", "what"],
                numbers: [false, false, true, true, false, false])
            for rule in library.rules {
                table.append([
                    RulesCommand.name(of: rule), rule.severity.rawValue, span(rule.frequency), span(rule.period),
                    rule.techniques.joined(separator: ", "), rule.name,
                ])
            }
            Console.out(table.rendered(width: Console.outputWidth))
        }

        private func span(_ ticks: Int64) -> String {
            let minutes = ticks / (60 * DateTime.ticksPerSecond)
            return minutes % 1_440 == 0
                ? "\(minutes / 1_440) d" : minutes % 60 == 0 ? "\(minutes / 60) h" : "\(minutes) min"
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs rules for the times that are due, or for given ones.",
            discussion: """
                A run that was done is not done again. With --as-sentinel, results that were found before are told
                again, as Sentinel does where periods overlap.
                """)

        enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

        @Argument(help: "Only these rules: a GUID, a file's name or the rule's name.") var rules: [String] = []
        @Option(help: ArgumentHelp("Run each rule once, scheduled for this time (UTC).", valueName: "time")) var at:
            String?
        @Option(help: ArgumentHelp("Run the rules as if from this time on.", valueName: "time")) var from: String?
        @Option(help: ArgumentHelp("Until this time.", valueName: "time")) var to: String?
        @Flag(help: "Tell what Sentinel would tell, results found before included.") var asSentinel = false
        @Option(help: "text, or json.") var format = Format.text
        @OptionGroup var options: SessionOptions

        func validate() throws {
            guard (from == nil) == (to == nil) else { throw ValidationError("--from and --to go together") }
            guard at == nil || from == nil else { throw ValidationError("give --at, or --from and --to") }
        }

        func run() async throws {
            let at = try TimeOptions.time(at, option: "--at")
            let range = try TimeOptions.time(from, option: "--from").flatMap { from in
                try TimeOptions.time(to, option: "--to").map { (from, $0) }
            }
            let session = try Session.open(options, for: .writing)
            options.console.warn(leftOut: session.library.judgingProblems)
            let chosen = try RulesCommand.select(session.library.rules, rules)
            let runner = try LocalRules(session).runner(asSentinel: asSentinel)
            var outcomes: [RuleRunner.Outcome] = []
            for rule in chosen {
                let times: [Int64]
                if let at {
                    times = [at]
                } else if let (from, to) = range {
                    times = from > to ? [] : Array(stride(from: from, through: to, by: Int(rule.frequency)))
                } else {
                    times = try runner.due(rule, now: SystemClock.now())
                }
                outcomes.append(try runner.run(rule, at: times))
            }
            switch format {
            case .json: Console.out(line: LocalRules.json(outcomes))
            case .text: Console.out(LocalRules.text(outcomes, width: Console.outputWidth))
            }
            let failures = outcomes.filter { $0.error != nil }
            for outcome in failures { options.console.fail(LocalRules.failure(outcome).rendered) }
            if !failures.isEmpty { throw ExitCode(1) }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs rules over the rows that stand in their files: exit code 0 or 1.")

        @Argument(help: "Only these rules: a GUID, a file's name or the rule's name.") var rules: [String] = []
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let (library, problems) = try Session.content(try options.configuration())
            options.console.warn(leftOut: problems + library.judgingProblems)
            let entries = try RulesCommand.select(library.rules, rules).map {
                TestedQueries.Entry(name: RulesCommand.name(of: $0), query: $0.query, tests: $0.own.tests)
            }
            try TestedQueries(library: library, entries: entries).run(options.console)
        }
    }
}
