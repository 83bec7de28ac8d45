import ArgumentParser
import Forensics
import Foundation
import KQLEngine
import Pipeline
import Tables
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
        subcommands: [Open.self, Note.self, Confirm.self, Reject.self, Export.self, Verify.self, Show.self])

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
                try CaseBuilder(provider: provider).add(
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
            let now = SystemClock.now()
            let actor = author ?? NSUserName()
            let body: JSON = [
                "text": .string(text), "author": .string(actor), "time": .string(DateTime.format(now)),
            ]
            try CaseStore(session).update(name) { file in
                file.add(
                    .note, id: String(Digest.hex(body).prefix(16)), body: body, now: now, actor: actor, action: "write")
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
            abstract: "Writes the case as one file that proves itself, or in the form of another tool.")
        @Argument(help: "The case's name.") var name: String
        @Argument(help: "The file to write.") var file: String
        @Option(name: .customLong("as"), help: "evidence, timesketch, navigator, csv or attack-flow.")
        var form = CaseExport.Form.evidence
        @OptionGroup var session: SessionOptions

        func run() async throws {
            let (text, leftOut) = CaseExport.text(try CaseStore(session).read(name), as: form)
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
            } catch {
                throw OperatorError(
                    "the export was not written", tried: file, got: error.localizedDescription, next: "name a new file")
            }
            if leftOut > 0 { session.console.say("\(leftOut) claims have no place in this form, or were rejected") }
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Compares a kept case with its digests: exit code 0 or 1.")
        @Argument(help: "The case's name.") var name: String
        @OptionGroup var session: SessionOptions

        func run() async throws { try EvidenceCommand.report(try CaseStore(session).path(name), session.console) }
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
        @OptionGroup var talk: TalkOptions

        func run() async throws { try EvidenceCommand.report(file, talk.console) }
    }

    static func report(_ path: String, _ console: Console) throws {
        let (file, damage) = CaseVerifier.read(try CaseStore.bytes(path))
        for fault in damage { Console.out("\(fault.object): \(fault.what)\n") }
        guard damage.isEmpty, let file else { throw ExitCode(1) }
        console.say("\(path): \(file.objects.count) objects, all as they were written; ledger root \(file.root)")
    }
}

extension CaseExport.Form: ExpressibleByArgument {}

/// The cases beside a workspace: one file each.
struct CaseStore {
    private let folder: String

    init(_ session: SessionOptions) throws { folder = try session.configuration().workspace + ".cases" }

    /// The path of a case, whose name is a file's name and no more.
    func path(_ name: String) throws -> String {
        guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,99}/) != nil else {
            throw OperatorError(
                "a case cannot be called \"\(name)\"", next: "use letters, digits, '.', '_' and '-'",
                isConfiguration: true)
        }
        return "\(folder)/\(name).case"
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        do throws(WorkspaceError) {
            if let bytes = try PrivateFile.contents(path) { return bytes }
        } catch { throw OperatorError(error, title: "the file \(path) cannot be read") }
        throw OperatorError("there is no file \(path)", next: "correct the name", isConfiguration: true)
    }

    /// - Returns: nil when there is no case of that name.
    func find(_ name: String) throws -> CaseFile? {
        let path = try path(name)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let (file, damage) = CaseVerifier.read(try Self.bytes(path))
        guard damage.isEmpty, let file else {
            throw OperatorError(
                "the case \(name) was changed by something else", got: damage.map(\.object).joined(separator: ", "),
                safe: "nothing was written", next: "vestige case verify \(name)")
        }
        return file
    }

    func read(_ name: String) throws -> CaseFile {
        guard let file = try find(name) else {
            throw OperatorError("there is no case \(name)", next: "vestige case open \(name)", isConfiguration: true)
        }
        return file
    }

    /// Changes a case. Commands that do so at the same time take turns, so that no entry of the ledger is lost.
    ///
    /// - Parameters:
    ///   - new: what the change begins with when there is no case of that name; nil where there must be one.
    func update(_ name: String, new: CaseFile? = nil, _ change: (inout CaseFile) throws -> Void) throws {
        let path = try path(name)
        do {
            if new != nil { try PrivateFile.makeFolder(folder) } else { _ = try read(name) }
            try PrivateFile.exclusively(for: path) {
                var file = if let new { try find(name) ?? new } else { try read(name) }
                try change(&file)
                try PrivateFile.replace(path, file.encoded())
            }
        } catch let error as WorkspaceError {
            throw OperatorError(error, title: "the case \(name) was not written", safe: "the case is as it was")
        }
    }

    func judge(_ name: String, _ claim: String, _ status: Claim.Status, reason: String, author: String?) throws {
        try update(name) { file in
            let matching = file.claims.filter { $0.id.hasPrefix(claim) }
            guard matching.count == 1, let found = matching.first else {
                throw OperatorError(
                    "\(matching.count) claims of \(name) begin with \(claim)", next: "see 'vestige case show \(name)'",
                    isConfiguration: true)
            }
            _ = file.judge(found.id, status, reason: reason, now: SystemClock.now(), actor: author ?? NSUserName())
        }
    }
}
