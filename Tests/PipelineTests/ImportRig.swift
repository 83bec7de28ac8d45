import Content
import Foundation
import KQLEngine
import Pipeline
import Tables
import TestKit
import Testing
import Workspace

/// A workspace in a folder of its own, with files that are imported into it.
struct ImportRig {
    let folder: String
    let workspace: Workspace
    let now: Int64

    /// A fixed time, so that rows without one can be told.
    static let now = DateTime.parse("2026-11-26T12:00:00Z") ?? 0

    static func use<R>(now: Int64 = ImportRig.now, _ body: (ImportRig) throws -> R) throws -> R {
        let folder = try TemporaryFolder.make()
        defer { TemporaryFolder.remove(folder) }
        return try body(
            ImportRig(folder: folder, workspace: try Workspace(path: folder + "/w.vestige"), now: now))
    }

    /// Another workspace in the same folder.
    func other(_ name: String, now: Int64 = ImportRig.now) throws -> ImportRig {
        ImportRig(folder: folder, workspace: try Workspace(path: "\(folder)/\(name).vestige"), now: now)
    }

    @discardableResult
    func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        let path = folder + "/" + name
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    var importer: FileImport { FileImport(workspace: workspace, library: Repository.library(), now: now) }

    /// Imports a text as a file of that name.
    @discardableResult
    func bring(
        _ text: String, _ name: String = "f.csv", to table: String = "T",
        _ set: (inout FileImport.Options) -> Void = { _ in }
    ) throws -> FileImport.Outcome { try bring(bytes: Array(text.utf8), name, to: table, set) }

    @discardableResult
    func bring(
        bytes: [UInt8], _ name: String, to table: String = "T", _ set: (inout FileImport.Options) -> Void = { _ in }
    ) throws -> FileImport.Outcome {
        var options = FileImport.Options()
        set(&options)
        return try importer.run(write(bytes, to: name), table: table, options: options)
    }

    func ask(_ query: String) throws -> [[Value]] {
        let provider = try WorkspaceProvider(workspace, functions: Repository.library().functionDeclarations)
        return try Engine(provider: provider).run(query).primary.rows()
    }

    /// The cells of a query as texts.
    func texts(_ query: String) throws -> [[String]] { try ask(query).map { $0.map(\.text) } }

    /// Types by column, without `TimeGenerated`.
    func types(_ table: String = "T") throws -> [String: ScalarType] {
        let columns = try workspace.schemas()[table]?.columns ?? []
        return Dictionary(columns.filter { $0.name != "TimeGenerated" }.map { ($0.name, $0.type) }) { a, _ in a }
    }

    /// The message of the refusal, with everything that is in it.
    func refusal(_ body: (ImportRig) throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> String {
        do {
            try body(self)
            Issue.record("it was not refused", sourceLocation: sourceLocation)
            return ""
        } catch { return OperatorError(error, title: "another error").rendered }
    }
}
