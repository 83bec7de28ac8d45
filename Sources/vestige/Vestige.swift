import ArgumentParser

@main
struct Vestige: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vestige",
        abstract: "Keeps what your endpoints looked like, and answers what an intruder could do because of it.",
        subcommands: [CheckCommand.self, QueryCommand.self]
    )
}
