import ArgumentParser
import KQLEngine

@main
struct Vestige: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vestige",
        abstract: "Keeps what your endpoints looked like, and answers what an intruder could do because of it.",
        discussion: """
            Try it without an account:  vestige demo
            Ask a question:             vestige query 'AgentHealthStatusWindows | summarize count() by RealtimeProtection'
            Collect from a tenant:      vestige collect --once --config vestige.yaml
            """,
        version: Self.version,
        subcommands: [
            DemoCommand.self, CollectCommand.self, ServeCommand.self, QueryCommand.self, CheckCommand.self,
            ImportCommand.self, ExportCommand.self, InvestigateCommand.self, HuntCommand.self,
            TimelineCommand.self, WhyCommand.self, CaseCommand.self, EvidenceCommand.self,
            StatusCommand.self, DoctorCommand.self, FunctionsCommand.self, WorkbookCommand.self, ContentCommand.self,
            LabCommand.self, WorkspaceCommand.self, TriageCommand.self, RulesCommand.self, BackupCommand.self,
            RestoreCommand.self, HoldCommand.self, PurgeCommand.self, UserCommand.self, TokenCommand.self,
            AuditCommand.self,
        ]
    )

    /// The version of this release.
    static let version = "0.1.0"

    static func main() async {
        StandardOutput.begin()
        // Those that run until they are told to end do so from their first moment on.
        if ["serve", "collect", "demo", "lab", "functions"].contains(CommandLine.arguments.dropFirst().first) {
            ProcessEnd.leaveOnSignals()
        }
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand { try await command.run() } else { try command.run() }
            try StandardOutput.finish()
        } catch {
            exit(with: error)
        }
    }

    /// Usage errors leave with 2, help and version with 0.
    private static func exit(with error: any Error) -> Never {
        switch exitCode(for: error) {
        case .success:
            // Help, the version and completion scripts are data too.
            Console.out(fullMessage(for: error) + "\n")
            do { try StandardOutput.finish() } catch { Self.exit(withError: ExitCode(Failure.report(error))) }
            Self.exit(withError: ExitCode(0))
        case .validationFailure:
            Console(isQuiet: false, noColor: false).fail(String(fullMessage(for: error).trimmingPrefix("Error: ")))
            Self.exit(withError: ExitCode(2))
        default: Self.exit(withError: ExitCode(Failure.report(error)))
        }
    }
}
