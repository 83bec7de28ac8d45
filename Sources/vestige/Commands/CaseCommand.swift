import ArgumentParser
import Forensics
import Foundation
import KQLEngine
import Pipeline
import Tables
import Workbench
import Workspace

struct CaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "case",
        abstract: "Keeps an investigation as a case: claims with their rows, notes, and a chained ledger.",
        discussion: """
            vestige case open payroll
            vestige case note payroll "Wren says she opened the mail at nine"
            vestige case reject payroll 3f2a… --reason "an agreed test"
            vestige case export payroll payroll.case
            vestige evidence verify payroll.case
            """,
        subcommands: [
            Open.self, Note.self, Confirm.self, Reject.self, Stamp.self, Export.self, Verify.self, Show.self,
        ])

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "open",
            abstract: "Investigates, and keeps what is found; again, and only what is new is added.")
        @Argument(help: "The case's name.") var name: String
        @Option(help: "Begin with this device: its id, name or address.") var device: String?
        @Option(help: ArgumentHelp("Only what happened from this time on.", valueName: "time")) var from: String?
        @Option(help: ArgumentHelp("Only what happened up to this time.", valueName: "time")) var to: String?
        @OptionGroup var session: SessionOptions

        func run() async throws {
            let opened = try Session.open(session, for: .reading)
            session.console.warn(leftOut: opened.library.forensicProblems)
            let provider = try opened.provider()
            let scope = InvestigationScope(device: device, window: try TimeOptions.window(from: from, to: to))
            let result = try InvestigateCommand.investigate(opened, provider, scope)
            let now = SystemClock.now()
            try CaseStore(session).update(name, new: CaseFile(id: name, opened: now)) { file in
                let before = file.claims.count
                try CaseBuilder(provider: provider, library: opened.library).add(
                    result, to: &file, now: now, author: "vestige \(Vestige.version)")
                session.console.say(
                    "case \(name): \(result.verdict.rawValue), \(file.claims.count) claims, "
                        + "\(file.claims.count - before) of them new; ledger root \(file.root)")
            }
        }
    }

    struct Note: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "note", abstract: "Adds a note of a person.")
        @Argument(help: "The case's name.") var name: String
        @Argument(help: "The note.") var text: String
        @Option(help: "Who says it; the user of this system when not given.") var author: String?
        @OptionGroup var session: SessionOptions

        func run() async throws {
            try CaseStore(session).update(name) { file in
                file.note(text, now: SystemClock.now(), actor: author ?? NSUserName())
            }
        }
    }

    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "confirm", abstract: "Says that a claim is right.")
        @Argument(help: "The case's name.") var name: String
        @Argument(help: "The claim's id.") var claim: String
        @Option(help: "Who says it; the user of this system when not given.") var author: String?
        @OptionGroup var session: SessionOptions

        func run() async throws {
            try CaseStore(session).judge(name, claim, .confirmed, reason: "", author: author)
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reject", abstract: "Says that a claim is wrong, and why; it stays in the case.")
        @Argument(help: "The case's name.") var name: String
        @Argument(help: "The claim's id.") var claim: String
        @Option(help: "Why.") var reason: String
        @Option(help: "Who says it; the user of this system when not given.") var author: String?
        @OptionGroup var session: SessionOptions

        func run() async throws {
            try CaseStore(session).judge(name, claim, .rejected, reason: reason, author: author)
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Writes the case as one file that proves itself, or in the form of another tool.",
            discussion: """
                vestige case export payroll payroll.case
                vestige case export payroll payroll.html --as html
                vestige case export payroll payroll-tables --as csv
                A set of tables goes into a new folder of the name that is given.
                """)
        @Argument(help: "The case's name.") var name: String
        @Argument(help: "The file to write; a folder for csv.") var file: String
        @Option(
            name: .customLong("as"),
            help: "\(CaseExport.Form.allCases.map(\.rawValue).joined(separator: ", ")).")
        var form = CaseExport.Form.evidence
        @OptionGroup var session: SessionOptions

        func run() async throws {
            let export = InvestigationReport.export(try CaseStore(session).read(name), as: form)
            do {
                if form == .csv {
                    try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
                    for part in export.files { try Self.write(part.text, to: file + "/" + part.name) }
                } else {
                    for part in export.files { try Self.write(part.text, to: file) }
                }
            } catch {
                throw OperatorError(
                    "the export was not written", tried: file, got: error.localizedDescription, next: "name a new file")
            }
            if let omission = export.omission { session.console.say(omission) }
            guard form != .csv,
                let authority = try await EvidenceStamp(session.configuration(), console: session.console)
            else { return }
            let stamp = try await authority.stamp(file: file)
            session.console.say(
                "\(EvidenceStamp.path(of: file)): stamped \(TextReport.time(stamp.time)) UTC by \(stamp.authority)")
        }

        private static func write(_ text: String, to path: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        }
    }

    struct Stamp: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stamp",
            abstract: "Has the authority of 'evidence.timestamp' say when it saw the case's ledger.",
            discussion: "Whatever stands in the case by then was there at that time; exports are stamped by themselves."
        )
        @Argument(help: "The case's name.") var name: String
        @Option(help: "Who asks for it; the user of this system when not given.") var author: String?
        @OptionGroup var session: SessionOptions

        func run() async throws {
            guard let authority = try await EvidenceStamp(session.configuration(), console: session.console) else {
                throw OperatorError(
                    "there is no time-stamping authority",
                    next: "set 'evidence.timestamp.url' (docs/investigations.md)",
                    isConfiguration: true)
            }
            let stamp = try await authority.stamp(name, in: CaseStore(session), actor: author ?? NSUserName())
            session.console.say("case \(name): stamped \(TextReport.time(stamp.time)) UTC by \(stamp.authority)")
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Compares a kept case with its digests: exit code 0 or 1.")
        @Argument(help: "The case's name.") var name: String
        @OptionGroup var session: SessionOptions

        func run() async throws {
            let authority = try session.configuration().evidence.stampAuthority
            try await EvidenceCommand.report(
                try CaseStore(session).path(name), session.console, authority: authority)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Prints a case's claims and notes.")
        @Argument(help: "The case's name.") var name: String
        @OptionGroup var session: SessionOptions

        func run() async throws {
            let file = try CaseStore(session).read(name)
            for claim in file.claims {
                let parts = ["time", "kind", "subject", "object", "because"].map { claim.body[$0]?.string ?? "" }
                Console.out("\(claim.id)  \(file.status(of: claim.id).rawValue)  \(parts.joined(separator: "  "))\n")
            }
            for note in file.objects where note.kind == .note {
                Console.out("note  \(note.body["author"]?.string ?? "")  \(note.body["text"]?.string ?? "")\n")
            }
        }
    }
}

struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence", abstract: "Verifies exported cases.", subcommands: [Verify.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Names each object of an export in which a byte was changed: exit code 0 or 1.",
            discussion: "Needs the export alone: no workspace, no content.")
        @Argument(help: "The export.") var file: String
        @Option(
            help: ArgumentHelp("Believe time stamps of these authorities only: a PEM file.", valueName: "file"))
        var authority: String?
        @OptionGroup var talk: TalkOptions

        func run() async throws { try await EvidenceCommand.report(file, talk.console, authority: authority) }
    }

    /// Compares a file with its digests, and the time stamps in it and beside it with what they stamp.
    static func report(_ path: String, _ console: Console, authority: String?) async throws {
        let bytes = try CaseStore.bytes(path)
        let (file, damage) = CaseVerifier.read(bytes)
        var faults = damage.map { "\($0.object): \($0.what)" }
        var stamps = file?.stamps.map(\.stamp) ?? []
        let beside = EvidenceStamp.path(of: path)
        if FileManager.default.fileExists(atPath: beside) {
            do throws(TimeStamp.Fault) {
                let stamp = try TimeStamp(response: try Self.contents(beside))
                if stamp.digest == Digest.bytes(bytes) {
                    stamps.append(stamp)
                } else {
                    faults.append("\(beside): it is the stamp of something else")
                }
            } catch { faults.append("\(beside): \(error.text)") }
        }
        for fault in faults { Console.out("\(fault)\n") }
        guard faults.isEmpty, let file else { throw ExitCode(1) }
        console.say("\(path): \(file.objects.count) objects, all as they were written; ledger root \(file.root)")
        for line in try await EvidenceStamp.told(stamps, authority: authority) { console.say(line) }
    }

    private static func contents(_ path: String) throws(TimeStamp.Fault) -> [UInt8] {
        do { return try CaseStore.bytes(path) } catch { throw TimeStamp.Fault(text: "it cannot be read") }
    }
}

extension CaseExport.Form: ExpressibleByArgument {}
