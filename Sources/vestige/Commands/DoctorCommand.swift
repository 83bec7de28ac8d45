import ArgumentParser
import Foundation
import Pipeline
import Tables

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks what collecting needs: addresses, clocks, tokens, permissions, streams, certificates.",
        discussion: """
            vestige doctor
            vestige doctor --format json --config /etc/vestige/vestige.yaml

            Exits with 1 when something is missing, and says what to grant or change. Nothing is collected.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: "text or json.") var format = Format.text
    @OptionGroup var options: SessionOptions

    func run() async throws {
        let configuration = try options.configuration()
        let console = options.console
        let (library, problems) = try Session.content(configuration)
        let doctor = try await Doctor(
            configuration, library: library, environment: ProcessInfo.processInfo.environment,
            logger: Logs.make(console, level: .error))
        let prints = format == .text
        var findings = problems.map { Finding(content: $0) }
        if prints { for finding in findings { Console.out(Self.text(finding)) } }
        findings += await doctor.run { if prints { Console.out(Self.text($0)) } }
        let failed = findings.filter { $0.outcome == .failed }.count
        if prints {
            let warned = findings.filter { $0.outcome == .warning }.count
            console.say("\n\(findings.count) checks, \(failed) failed, \(warned) with a warning")
        } else {
            Console.out(json: JSONWriter.string(.array(findings.map(Self.json))) + "\n")
        }
        if failed > 0 { throw ExitCode(1) }
    }

    private static func text(_ finding: Finding) -> String {
        let mark =
            switch finding.outcome {
            case .ok: "✓"
            case .warning: "!"
            case .failed: "✗"
            }
        var text: TerminalText = "\(mark) \(finding.subject): \(finding.check): \(finding.detail)\n"
        if let next = finding.next { text += "    next  \(next)\n" }
        return text.text
    }

    private static func json(_ finding: Finding) -> Value {
        .bag(
            Bag([
                ("subject", .string(finding.subject)), ("check", .string(finding.check)),
                ("outcome", .string(finding.outcome.rawValue)),
                ("detail", .string(finding.detail)), ("next", finding.next.map { .string($0) } ?? .null),
            ]))
    }
}
