import ArgumentParser
import Foundation
import KQLEngine
import Pipeline
import Tables
import Workbench

extension Role: ExpressibleByArgument {}

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "People who sign in to vestige serve with a password.",
        discussion: """
            vestige user add anna --role analyst
            vestige user list
            The password is asked for at the terminal, or read from standard input: its first line.
            """, subcommands: [Add.self, List.self, Remove.self, Password.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "add", abstract: "Lets somebody sign in.")

        @Argument(help: "What they are called: letters, digits and .-_@") var name: String
        @Option(help: "reader, analyst or administrator.") var role = Role.reader
        @OptionGroup var options: SessionOptions

        func validate() throws {
            guard Accounts.isName(name) else {
                throw ValidationError(
                    "a name has letters, digits and .-_@ only, 64 at most, not \"\(name.prefix(64))\"")
            }
        }

        func run() async throws {
            let accounts = try AccountOptions(options)
            guard try accounts.file.read().user(name) == nil else { throw Self.exists(name, accounts.file.path) }
            let password = try PasswordHash(NewPassword.read(for: name))
            try accounts.update("user add \(name) --role \(role.rawValue)") { all in
                guard all.user(name) == nil else { throw Self.exists(name, accounts.file.path) }
                all.users.append(Accounts.User(name: name, role: role, password: password))
            }
            options.console.say("\(name) may sign in as \(role.rawValue); \(accounts.file.path)")
        }

        private static func exists(_ name: String, _ path: String) -> OperatorError {
            OperatorError(
                "there is somebody called \(name) already", got: path, safe: "nothing was changed",
                next: "vestige user password \(name), or vestige user remove \(name)", isConfiguration: true)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Who may sign in.")

        @OptionGroup var options: SessionOptions

        func run() async throws {
            let users = try AccountOptions(options).file.read().users
            Console.out(
                AccountTable.text(
                    [["name", "role", "since"]]
                        + users.map { [$0.name, $0.role.rawValue, AccountTable.day($0.created)] }))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Lets somebody sign in no more; their sessions end at once.")

        @Argument(help: "What they are called.") var name: String
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let accounts = try AccountOptions(options)
            try accounts.update("user remove \(name)") { all in
                guard all.user(name) != nil else { throw AccountOptions.nobody(name) }
                all.users.removeAll { Accounts.isSame($0.name, name) }
            }
            options.console.say("\(name) may not sign in any more")
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "password", abstract: "Gives somebody another password, or another role; their sessions end.")

        @Argument(help: "What they are called.") var name: String
        @Option(help: "Another role; the password stays as it is.") var role: Role?
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let accounts = try AccountOptions(options)
            guard try accounts.file.read().user(name) != nil else { throw AccountOptions.nobody(name) }
            let password = try role == nil ? PasswordHash(NewPassword.read(for: name)) : nil
            try accounts.update("user password \(name)" + (role.map { " --role \($0.rawValue)" } ?? "")) { all in
                guard let i = all.users.firstIndex(where: { Accounts.isSame($0.name, name) }) else {
                    throw AccountOptions.nobody(name)
                }
                if let password { all.users[i].password = password }
                if let role { all.users[i].role = role }
            }
            options.console.say("\(name) has another \(role == nil ? "password" : "role"); their sessions end")
        }
    }
}

/// The files that the commands about accounts write.
struct AccountOptions: Sendable {
    let file: AccountFile
    private let audit: AuditFile

    init(_ options: SessionOptions) throws {
        let configuration = try options.configuration()
        file = AccountFile(configuration.accountsFile)
        audit = AuditFile(configuration.auditFile)
    }

    /// Changes the accounts and writes down that somebody did. It is written first: who changes who may come in is known
    /// whatever happens then.
    func update(_ command: String, _ change: (inout Accounts) throws -> Void) throws {
        var trial = try file.read()
        try change(&trial)
        var entry = AuditEntry(.command, .success)
        (entry.actor, entry.actorID) = (NSUserName(), String(getuid()))
        entry.method = Identity.Method.terminal.rawValue
        entry.resource = "vestige \(command)"
        try audit.append([entry])
        try file.update(change)
    }

    static func nobody(_ name: String) -> OperatorError {
        OperatorError(
            "there is nobody called \(name.prefix(64))", safe: "nothing was changed", next: "vestige user list",
            isConfiguration: true)
    }
}

/// A password that somebody chooses: typed twice at a terminal, where it does not show, or the first line of standard
/// input. It is never an argument, which others on the machine could see.
enum NewPassword {
    static func read(for user: String) throws -> String {
        let password: String
        if Console.inputIsTerminal {
            password = try typed("Password for \(user): ")
            guard try typed("Again: ") == password else {
                throw OperatorError(
                    "the passwords are not the same", safe: "nothing was changed", next: "try again",
                    isConfiguration: true)
            }
        } else {
            guard let line = readLine(strippingNewline: true) else {
                throw OperatorError(
                    "there is no password", got: "standard input is empty", safe: "nothing was changed",
                    next: "type it at a terminal, or pass it on standard input", isConfiguration: true)
            }
            password = line
        }
        if let weakness = Accounts.weakness(of: password, user: user) {
            throw OperatorError(
                "the password is not taken", got: weakness, safe: "nothing was changed",
                next: "choose a longer one: four or five words of your own are easy to remember", isConfiguration: true)
        }
        return password
    }

    private static func typed(_ prompt: String) throws -> String {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else {
            throw OperatorError(
                "the terminal cannot be told to hide what is typed", next: "pass the password on standard input")
        }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
        try? FileHandle.standardError.write(contentsOf: Data(prompt.utf8))
        let line = readLine(strippingNewline: true)
        try? FileHandle.standardError.write(contentsOf: Data("\n".utf8))
        guard let line else { throw CancellationError() }
        return line
    }
}

/// Short lists for people and for scripts: columns that are padded with blanks.
enum AccountTable {
    static func text(_ rows: [[String]]) -> String {
        guard let first = rows.first else { return "" }
        let widths = first.indices.map { i in rows.map { $0[i].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
                .trimmingCharacters(in: .whitespaces) + "\n"
        }.joined()
    }

    static func day(_ ticks: Int64) -> String { String(DateTime.format(ticks).prefix(10)) }
}
