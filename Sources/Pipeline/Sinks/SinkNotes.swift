import Tables
import Workspace

/// What is known of the tables of one sink, kept from run to run in the workspace.
package struct SinkNotes: Sendable, Equatable {
    /// Tables of which the sink has taken rows.
    package internal(set) var taken: Set<String> = []
    /// Tables that an open part of the sink does not take, such as a rule that does not declare their streams.
    package internal(set) var leftOut: Set<String> = []
    /// Tables whose rows wait because the sink refuses them, with what it said.
    package internal(set) var held: [String: String] = [:]
    /// Values that were cut for the sink, counted by `Table.Column`.
    package internal(set) var shortened: [String: Int] = [:]

    /// - Throws: `WorkspaceError`.
    package init(of sink: String, in workspace: Workspace) throws {
        guard let text = try workspace.notes(ofSink: sink), let stored = try? JSON(parsing: text) else { return }
        taken = Set(stored["taken"]?.array?.compactMap(\.string) ?? [])
        leftOut = Set(stored["leftOut"]?.array?.compactMap(\.string) ?? [])
        for (table, reason) in stored["held"]?.pairs ?? [] { held[table] = reason.string }
        for (column, count) in stored["shortened"]?.pairs ?? [] { shortened[column] = count.integer.map { Int($0) } }
    }

    /// - Throws: `WorkspaceError`.
    func store(for sink: String, in workspace: Workspace) throws {
        let body: JSON = [
            "taken": .array(taken.sorted().map { .string($0) }),
            "leftOut": .array(leftOut.sorted().map { .string($0) }),
            "held": .object(JSON.Members(held.sorted { $0.key < $1.key }.map { ($0, .string($1)) })),
            "shortened": .object(
                JSON.Members(shortened.sorted { $0.key < $1.key }.map { ($0, .integer(Int64($1))) })),
        ]
        try workspace.setNotes(body.text, ofSink: sink)
    }
}

extension JSON {
    /// The members of an object; nil for anything else.
    fileprivate var pairs: [(String, JSON)]? { members.map { Array(zip($0.names, $0.values)) } }
}
