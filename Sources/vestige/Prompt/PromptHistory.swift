import Foundation
import Tables
import Workspace

/// The queries that were asked before, kept in a file of the user's: one JSON string per line.
struct PromptHistory: Sendable {
    private(set) var entries: [String] = []
    private let file: String?
    private static let countMax = 1_000

    /// - Parameter file: nil to keep nothing.
    init(file: String?) {
        self.file = file
        guard let file, let data = FileManager.default.contents(atPath: file) else { return }
        for line in data.split(separator: 10) {
            if case .string(let text)? = try? JSONReader.parse(Array(line)) { entries.append(text) }
        }
        entries = Array(entries.suffix(Self.countMax))
    }

    /// `$XDG_STATE_HOME/vestige/history`, or below the home folder.
    static var standardFile: String {
        let environment = ProcessInfo.processInfo.environment
        let home =
            environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? (NSHomeDirectory() as NSString).appendingPathComponent(".local/state")
        return (home as NSString).appendingPathComponent("vestige/history")
    }

    /// Adds a query; the same one twice in a row is kept once. A file that cannot be written is passed over.
    mutating func add(_ text: String) {
        guard entries.last != text else { return }
        entries.append(text)
        if entries.count > Self.countMax { entries.removeFirst(entries.count - Self.countMax) }
        guard let file else { return }
        let folder = (file as NSString).deletingLastPathComponent
        try? PrivateFile.makeFolder(folder)
        let lines = entries.map { JSONWriter.quoted($0) + "\n" }.joined()
        // Queries may name people and hosts: only the user reads them.
        try? PrivateFile.replace(file, Array(lines.utf8))
    }

    /// The newest entry before `index` that contains `text`.
    func search(_ text: String, before index: Int) -> Int? {
        text.isEmpty ? nil : entries.indices.prefix(index).last { entries[$0].localizedCaseInsensitiveContains(text) }
    }
}
