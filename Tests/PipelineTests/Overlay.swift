import Content
import Foundation
import TestKit

/// The shipped content with some files changed.
enum Overlay {
    /// - Parameters:
    ///   - sources: by id, what becomes of a source's text.
    ///   - added: other files, by their path below the content folder.
    static func library(
        in folder: String, sources: [String: (String) -> String] = [:], added: [String: String] = [:]
    ) throws -> ContentLibrary {
        for (id, change) in sources {
            // Several sources may stand in one file.
            guard let file = Repository.library().sources.first(where: { $0.id == id })?.file else {
                preconditionFailure("no source \(id) is shipped")
            }
            let shipped = try String(contentsOfFile: file, encoding: .utf8)
            let text = change(shipped)
            precondition(text != shipped, "\(id) was not changed: what the test replaces is no longer there")
            try FolderWriter.write(text, to: "\(folder)/overlay/Sources/\(id).yaml")
        }
        for (path, text) in added { try FolderWriter.write(text, to: "\(folder)/overlay/\(path)") }
        let (library, problems) = ContentLibrary.load(folders: [Repository.content, "\(folder)/overlay"])
        // An overlay without files is told of, and is none of a test's.
        precondition(problems.allSatisfy(\.isNotice), "\(problems)")
        return library
    }

    /// A key with another value.
    static func set(_ key: String, _ value: String) -> (String) -> String {
        { text in
            text.split(separator: "\n", omittingEmptySubsequences: false).map {
                $0.hasPrefix("\(key):") ? "\(key): \(value)" : String($0)
            }.joined(separator: "\n")
        }
    }
}
