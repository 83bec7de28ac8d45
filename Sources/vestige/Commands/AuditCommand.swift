import ArgumentParser
import Foundation
import Pipeline
import Tables
import Workspace

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The file in which it stands who asked what.",
        subcommands: [Verify.self, Restart.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Reads every entry and compares it with its hash and with the one before: exit code 0 or 1.",
            discussion: """
                What was collected of the file is compared too: it shows when the file's end was cut off.

                vestige audit verify
                vestige audit verify copies/vestige.db.audit --format json
                """)

        enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

        @Argument(help: "The file; the configuration's when not given.") var file: String?
        @Option(help: "text or json.") var format = Format.text
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let configuration = try options.configuration()
            let path = file ?? configuration.auditFile
            guard AuditFile(path).exists else {
                throw OperatorError(
                    "there is no audit file \(path)", next: "it is written when people sign in to vestige serve",
                    isConfiguration: true)
            }
            // A copy is judged by itself: the workspace knows the file that it was collected from.
            let isOwn = file == nil && Workspace.exists(configuration.workspace)
            let expected = try isOwn ? AuditIntake.last(in: Workspace(reading: configuration.workspace)) : nil
            let report = try AuditFile(path).verify(expecting: expected)
            switch format {
            case .json:
                var members = report.members
                members["file"] = .string(path)
                Console.out(line: .object(members))
            case .text: for fault in report.faults { Console.out(fault + "\n") }
            }
            options.console.say("\(path): \(report.summary)")
            guard report.faults.isEmpty else { throw ExitCode(1) }
        }
    }

    struct Restart: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restart",
            abstract: "Collects from the first entry of the file, once it is settled why another stands in its place.",
            discussion: "What was collected before stays where it is.")

        @OptionGroup var options: SessionOptions

        func run() async throws {
            let configuration = try options.configuration()
            try options.refuseMissingWorkspace(configuration)
            var entry = AuditEntry(.command, .success)
            (entry.actor, entry.actorID, entry.method) = (NSUserName(), String(getuid()), "Terminal")
            entry.resource = "vestige audit restart"
            try AuditFile(configuration.auditFile).append([entry])
            try AuditIntake.restart(in: Workspace(path: configuration.workspace))
            options.console.say("the next collect takes in \(configuration.auditFile) from its first entry")
        }
    }
}

extension AuditReport {
    /// For a reader.
    var summary: String {
        "\(Human.count(entries)) entries, the last is \(head.sequence): "
            + (faults.isEmpty ? "all as they were written" : "\(faults.count)\(hasMore ? " or more" : "") faults")
    }

    /// For a program.
    var members: JSON.Members {
        [
            "entries": .integer(Int64(entries)), "last": .integer(head.sequence), "hash": .string(head.hash),
            "faults": .array(faults.map { .string($0) }), "hasMoreFaults": .bool(hasMore),
        ]
    }
}
