import ArgumentParser
import KQLEngine
import Pipeline
import Tables
import Workbench

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "API tokens, by which programs ask vestige serve.",
        discussion: """
            vestige token create grafana --expires 90d
            vestige token revoke grafana
            A token is shown once; what is kept of it proves nothing.
            """, subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Makes a token and prints it on standard output, once.")

        @Argument(help: "What it is for.") var name: String
        @Option(help: "reader, analyst or administrator.") var role = Role.reader
        @Option(help: "How long it is good for: 90d, 12h; 366d at most.") var expires = "90d"
        @Option(help: "Calls in a minute.") var callsPerMinute = 120
        @Option(help: "Calls at the same time.") var concurrent = 4
        @OptionGroup var options: SessionOptions

        func validate() throws {
            guard Accounts.isName(name) else {
                throw ValidationError(
                    "a name has letters, digits and .-_@ only, 64 at most, not \"\(name.prefix(64))\"")
            }
            guard (1...100_000).contains(callsPerMinute), (1...1_000).contains(concurrent) else {
                throw ValidationError("--calls-per-minute is 1 to 100000, --concurrent 1 to 1000")
            }
            _ = try lifetime()
        }

        /// Ticks.
        private func lifetime() throws -> Int64 {
            guard let ticks = TimeSpan.parse(expires), ticks > 0, ticks <= 366 * DateTime.ticksPerDay else {
                throw ValidationError(
                    "--expires is a duration such as 90d, 366d at most, not \"\(expires.prefix(40))\"")
            }
            return ticks
        }

        func run() async throws {
            let accounts = try AccountOptions(options)
            let (token, secret) = Accounts.Token.make(
                name: name, role: role, expires: SystemClock.now() + (try lifetime()), callsPerMinute: callsPerMinute,
                concurrent: concurrent)
            try accounts.update("token create \(name) --role \(role.rawValue): \(token.id)") { all in
                guard !all.tokens.contains(where: { Accounts.isSame($0.name, name) }) else {
                    throw OperatorError(
                        "there is a token called \(name) already", safe: "nothing was changed",
                        next: "vestige token revoke \(name), or choose another name", isConfiguration: true)
                }
                all.tokens.append(token)
            }
            Console.out(secret + "\n")
            options.console.say(
                "\(token.id) may ask as \(role.rawValue) until \(AccountTable.day(token.expires)). It is shown this once: "
                    + "send it as the header  Authorization: Bearer …")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Which tokens there are.")

        @OptionGroup var options: SessionOptions

        func run() async throws {
            let tokens = try AccountOptions(options).file.read().tokens
            let now = SystemClock.now()
            Console.out(
                AccountTable.text(
                    [["id", "name", "role", "since", "until", "calls/min", "at once"]]
                        + tokens.map { token in
                            [
                                token.id, token.name, token.role.rawValue, AccountTable.day(token.created),
                                AccountTable.day(token.expires) + (token.expires <= now ? " (ended)" : ""),
                                String(token.callsPerMinute), String(token.concurrent),
                            ]
                        }))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Ends a token at once.")

        @Argument(help: "Its name or its id.") var token: String
        @OptionGroup var options: SessionOptions

        func run() async throws {
            let accounts = try AccountOptions(options)
            func isMeant(_ one: Accounts.Token) -> Bool { one.id == token || Accounts.isSame(one.name, token) }
            try accounts.update("token revoke \(token.prefix(64))") { all in
                guard all.tokens.contains(where: isMeant) else {
                    throw OperatorError(
                        "there is no token \(token.prefix(64))", safe: "nothing was changed",
                        next: "vestige token list",
                        isConfiguration: true)
                }
                all.tokens.removeAll(where: isMeant)
            }
            options.console.say("the token \(token) is refused from now on")
        }
    }
}
