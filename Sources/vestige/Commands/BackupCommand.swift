import ArgumentParser
import Foundation
import Pipeline
import Workspace

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copies the workspace into a new file, whole as it is at one instant, while others go on writing.",
        discussion: """
            vestige backup /backups/vestige-2026-11-26.db
            vestige backup --workspace evidence.db /mnt/evidence.db

            The copy is read back and compared with its checksums before it gets its name; its SHA-256 stands beside \
            it, for sha256sum --check. The key of fingerprints is not in it: keep WORKSPACE-fingerprint apart.
            """)

    @Argument(help: ArgumentHelp("The copy; a file that is there is not overwritten.", valueName: "file")) var file:
        String
    @OptionGroup var options: SessionOptions

    func run() async throws {
        let path = try options.configuration().workspace
        guard Workspace.exists(path) else {
            throw OperatorError(
                "there is no workspace \(path)", safe: "no file was made", next: "correct --workspace",
                isConfiguration: true)
        }
        let receipt: BackupReceipt
        do throws(WorkspaceError) { receipt = try Workspace(reading: path, mapsPages: false).backup(to: file) } catch {
            throw OperatorError(error, title: "no backup was made")
        }
        Console.out("\(receipt.sum)  \(file)\n")
        options.console.say(
            "\(Human.rows(receipt.rows)) of \(receipt.tables) tables, \(Human.bytes(receipt.bytes)), "
                + "all as it was written"
        )
        if FileManager.default.fileExists(atPath: path + "-fingerprint") {
            options.console.say("the key \(path)-fingerprint is not in it; keep a copy of it somewhere else")
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Makes a workspace of a backup, after looking whether it is whole.",
        discussion: """
            vestige restore /backups/vestige-2026-11-26.db --to vestige.db

            A workspace that is there is not overwritten. A backup that is damaged, or has another SHA-256 than stands \
            beside it, is restored with --damaged only: tables and columns that are whole can be asked then.
            """)

    @Argument(help: ArgumentHelp("The backup.", valueName: "file")) var file: String
    @Option(help: ArgumentHelp("The workspace to make.", valueName: "file")) var to: String
    @Flag(help: "Restore what can be read of a damaged backup.") var damaged = false
    @OptionGroup var talk: TalkOptions

    func run() async throws {
        let receipt: BackupReceipt
        do throws(WorkspaceError) { receipt = try Workspace.restore(file, to: to, acceptsDamage: damaged) } catch {
            throw OperatorError(error, title: "nothing was restored")
        }
        talk.console.say(
            "\(to): \(Human.rows(receipt.rows)) of \(receipt.tables) tables, \(Human.bytes(receipt.bytes))")
    }
}
